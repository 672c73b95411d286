//! The examples as programs, built as a user builds them and run in a folder of the test's.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// The programs of the package `examples`.
#[derive(Debug)]
pub struct Programs(HashMap<String, PathBuf>);

/// What a program has printed, and its exit code.
#[derive(Debug)]
pub struct Printed {
    /// On standard output.
    pub out: String,
    /// On standard error.
    pub err: String,
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
}

impl Programs {
    /// Builds what `selection` says to cargo, and keeps copies in `folder`, because another build
    /// would replace them.
    ///
    /// # Panics
    ///
    /// If they do not compile.
    #[must_use]
    pub fn build(selection: &[&str], folder: &Path) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--message-format=json", "--examples"])
            .args(selection)
            .arg("--manifest-path")
            .arg(root)
            .output()
            .expect("cargo runs");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        fs::create_dir_all(folder).expect("a folder for the programs");
        let messages = String::from_utf8_lossy(&built.stdout);
        let program = |line| {
            let message: Value = serde_json::from_str(line).ok()?;
            let name = message["target"]["name"].as_str()?;
            let is_example = message["target"]["kind"][0].as_str() == Some("example");
            let kept = folder.join(name);
            let built = message["executable"].as_str().filter(|_| is_example)?;
            fs::copy(built, &kept).expect("a copy of the program");
            Some((name.to_owned(), kept))
        };
        Self(messages.lines().filter_map(program).collect())
    }

    /// Runs one of them in `folder`.
    ///
    /// # Panics
    ///
    /// If there is none of that name, or if it panics itself.
    #[must_use]
    pub fn run(&self, name: &str, folder: &Path, arguments: &[&str]) -> Printed {
        let program = self.0.get(name).unwrap_or_else(|| panic!("there is no example `{name}`"));
        let run = Command::new(program).args(arguments).current_dir(folder).output();
        let output = run.expect("the program starts");
        let printed = Printed {
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
            code: output.status.code(),
        };
        assert!(!printed.err.contains("panicked"), "{printed:?}");
        printed
    }
}

impl Printed {
    /// The variants of the errors that were refused, in order.
    #[must_use]
    pub fn refusals(&self) -> Vec<&str> {
        let variant = |line| str::split_once(line, "refused with StateError::").map(|it| it.1);
        self.out.lines().filter_map(variant).collect()
    }

    /// What stands behind a label, where that is first.
    #[must_use]
    pub fn value(&self, label: &str) -> &str {
        self.values(label).first().copied().unwrap_or_default()
    }

    /// What stands behind a label, each time.
    #[must_use]
    pub fn values(&self, label: &str) -> Vec<&str> {
        let values = self.out.lines().filter_map(|line| line.trim_start().strip_prefix(label));
        values.map(str::trim).collect()
    }
}

/// What the example `listing` prints.
///
/// # Panics
///
/// If it is something else.
pub fn listing_is_right(printed: &Printed) {
    assert_eq!(printed.code, Some(0), "{printed:?}");
    let expected = [
        ("prefix", "order:7:line:"),
        ("user input", "order:7=2A=3A:line:"),
        ("line 1", "1 × tea"),
        ("line 2", "1 × mug"),
        ("in all orders", "3"),
        ("valid", "2"),
        ("all ", "stops at the first that is not valid"),
        ("removed", "3"),
        ("still there", "order:70:line:1"),
    ];
    for (label, value) in expected {
        assert_eq!(printed.value(label), value, "{}", printed.out);
    }
    assert!(printed.value("invalid").contains("`order:7:line:3` breaks a rule"), "{}", printed.out);
}

/// What the example `watching` prints.
///
/// # Panics
///
/// If it is something else.
pub fn watching_is_right(printed: &Printed) {
    assert_eq!(printed.code, Some(0), "{printed:?}");
    for id in 1..=3 {
        let label = format!("work:night:{id}");
        let mut states = printed.out.lines().filter(|line| line.contains(&label));
        assert!(states.clone().count() > 1, "{}", printed.out);
        assert!(states.next_back().is_some_and(|it| it.ends_with("gone")), "{}", printed.out);
    }
    assert_eq!(printed.value("all done"), "3 jobs", "{}", printed.out);
}

/// What the examples of the patterns print, run by their names.
///
/// # Panics
///
/// If it is something else.
pub fn patterns_are_right(run: impl Fn(&str) -> Printed) {
    let limits = run("rate_limit");
    assert_eq!(limits.code, Some(0), "{limits:?}");
    let answers = limits.values("sign-up ").into_iter().filter_map(|line| line.split(' ').next());
    let expected = "200 200 200 429 429 200 200 429 200 200 200 429";
    assert_eq!(answers.collect::<Vec<_>>().join(" "), expected, "{}", limits.out);
    assert_eq!(limits.values("batch of 4 ").len(), 2, "{}", limits.out);
    assert_eq!(limits.value("of 100 at once "), "20 admitted", "{}", limits.out);

    let sessions = run("sessions");
    assert_eq!(sessions.code, Some(0), "{sessions:?}");
    for (label, value) in [
        ("in a log ", "VisitorKey { id: *** }"),
        ("the id ", "another one"),
        ("logged in ", "ada, in the cart: [tea]"),
        ("the old id ", "is no session"),
    ] {
        assert_eq!(sessions.value(label), value, "{}", sessions.out);
    }
    let moved = ["is a session", "is no session"];
    assert_eq!(sessions.values("the new id "), moved, "{}", sessions.out);

    let payments = run("idempotency");
    assert_eq!(payments.code, Some(0), "{payments:?}");
    for (label, value) in [
        ("told again ", "receipt 1 over 300 cents"),
        ("of ten ", "9 were told what had come of it"),
        ("refused ", "more than the card is good for"),
        ("payments made ", "3"),
    ] {
        assert_eq!(payments.value(label), value, "{}", payments.out);
    }

    let cached = run("cached");
    assert_eq!(cached.code, Some(0), "{cached:?}");
    assert_eq!(cached.value("told "), "100 of them", "{}", cached.out);
    assert_eq!(cached.values("computed "), ["once", "once", "2 times"], "{}", cached.out);
    assert_eq!(cached.value("both are told "), "1234500 and 1234500", "{}", cached.out);
}

/// What the example `lock` prints.
///
/// # Panics
///
/// If it is something else.
pub fn lock_is_right(printed: &Printed) {
    assert_eq!(printed.code, Some(0), "{printed:?}");
    assert_eq!(printed.values("second worker"), ["finds it taken", "holds it: true"]);
    assert_eq!(printed.value("late worker"), "holds it: false", "{}", printed.out);
    assert_eq!(printed.value("its token"), "smaller", "{}", printed.out);
    assert_eq!(printed.refusals(), ["Fenced"]);
    assert_eq!(printed.value("the report"), "by the next worker", "{}", printed.out);
    assert!(printed.value("its release").starts_with("the lease on"), "{}", printed.out);
}
