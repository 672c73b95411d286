//! The examples do what they say, run as a user would run them.

use std::{fs, path::Path, sync::LazyLock};

use tests::examples::{
    Printed, Programs, listing_is_right, lock_is_right, patterns_are_right, watching_is_right,
};

/// As they are without any feature: no client of a server is compiled in.
static PROGRAMS: LazyLock<Programs> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples");
    Programs::build(&["--package", "examples"], &folder)
});

fn run(name: &str, folder: &Path, arguments: &[&str]) -> Printed {
    PROGRAMS.run(name, folder, arguments)
}

#[test]
fn the_quickstart_finds_what_the_run_before_has_left() {
    let folder = tempfile::tempdir().unwrap();
    let first = run("quickstart", folder.path(), &[]);
    assert_eq!(first.code, Some(0), "{first:?}");
    assert!(first.out.contains("This is the first run"), "{}", first.out);
    assert_eq!(first.refusals(), ["Invalid", "Invalid", "Decode"]);
    assert!(folder.path().join("state").is_dir());

    let second = run("quickstart", folder.path(), &[]);
    assert_eq!(second.code, Some(0), "{second:?}");
    assert!(second.out.contains("this is run 2"), "{}", second.out);
    assert_eq!(second.value("counter "), "runs = 1");
    assert_eq!(second.value("session "), "ada, 2 items in the cart");
    assert_eq!(second.value("job "), "nightly report, Queued");
}

#[test]
fn the_quickstart_takes_another_folder() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run("quickstart", folder.path(), &["--store", "elsewhere"]).code, Some(0));
    assert!(folder.path().join("elsewhere").is_dir());
    assert!(!folder.path().join("state").exists());
}

#[test]
fn a_server_whose_client_is_not_compiled_in_is_told_with_the_command_that_does() {
    let folder = tempfile::tempdir().unwrap();
    let store = ["--store", "redis://127.0.0.1:6379"];
    let printed = run("quickstart", folder.path(), &store);
    assert_eq!(printed.code, Some(1), "{printed:?}");
    let command =
        "cargo run --example quickstart --features redis -- --store redis://127.0.0.1:6379";
    assert!(printed.err.ends_with(&format!("  run: {command}\n")), "{}", printed.err);

    let printed = run("pitfalls", folder.path(), &["--store", "nats://me:hunter2@h"]);
    assert!(printed.err.contains("--example pitfalls --features nats -- --store <URL>"));
    assert!(!printed.err.contains("hunter2"), "{}", printed.err);
}

#[test]
fn every_pitfall_ends_in_its_typed_error() {
    let folder = tempfile::tempdir().unwrap();
    let printed = run("pitfalls", folder.path(), &[]);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    let expected = [
        "NamespaceConflict",
        "Invalid",
        "Invalid",
        "TooLarge",
        "AlreadyExists",
        "Version",
        "Denied",
        "Decode",
        "NotDurable",
    ];
    assert_eq!(printed.refusals(), expected);
    assert!(!printed.out.contains("hunter2"), "{}", printed.out);
}

#[test]
fn a_backend_of_three_methods_is_never_asked_for_more() {
    let folder = tempfile::tempdir().unwrap();
    let printed = run("custom_backend", folder.path(), &[]);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    assert_eq!(printed.refusals(), ["Invalid", "Unsupported", "Unsupported"]);
}

#[test]
fn a_cart_in_two_tabs_loses_nothing_and_is_bought_once() {
    let folder = tempfile::tempdir().unwrap();
    let printed = run("cart", folder.path(), &[]);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    assert_eq!(printed.refusals(), ["Invalid", "Conflict"]);
    let carts = printed.values("in the cart ");
    assert_eq!(carts, ["mug", "40 items", "50 items", "nothing"], "{}", printed.out);
    assert_eq!(printed.value("one tab "), "bought 50 items");
}

#[test]
fn the_listing_finds_the_lines_of_one_order_and_removes_them() {
    let folder = tempfile::tempdir().unwrap();
    listing_is_right(&run("listing", folder.path(), &[]));
    listing_is_right(&run("listing", folder.path(), &[]));
}

#[test]
fn the_watch_sees_every_job_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    watching_is_right(&run("watching", folder.path(), &[]));
}

#[test]
fn the_patterns_do_what_their_examples_say_each_time() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        patterns_are_right(|name| run(name, folder.path(), &[]));
    }
}

#[test]
fn the_lock_has_one_holder_and_the_late_one_has_the_smaller_token() {
    let folder = tempfile::tempdir().unwrap();
    lock_is_right(&run("lock", folder.path(), &[]));
}

/// The rejected records: index, field and reason.
fn rejected(printed: &Printed) -> Vec<String> {
    let rows = printed.out.lines().skip_while(|line| !line.starts_with("Rejected")).skip(2);
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    rows.take_while(|line| !line.is_empty()).map(words).collect()
}

#[test]
fn the_import_stores_what_is_valid_and_tells_what_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let long = "x".repeat(201);
    let records = serde_json::json!([
        {"Title": "Plain", "Release Date": "Jun 12 1998", "IMDB Rating": 7, "US Gross": 1},
        {"Title": "a:b/c.d=e*[f]{g}\u{0}\n\u{202e}\"'é🎬", "Release Date": "Feb 29 2000"},
        {"Title": "..", "Release Date": "1927-01-10", "MPAA Rating": "PG-13"},
        {"Title": "Plain", "Release Date": "Jan 01 1950"},
        {"Title": 300, "Release Date": "Mar 09 2007"},
        {"Title": null, "Release Date": "Mar 09 2007"},
        {"Release Date": "Mar 09 2007"},
        {"Title": "", "Release Date": "Mar 09 2007"},
        {"Title": long, "Release Date": "Mar 09 2007"},
        {"Title": "A", "Release Date": "Feb 30 2000"},
        {"Title": "B", "Release Date": "Dec 31 2046"},
        {"Title": "C", "Release Date": "yesterday"},
        {"Title": "D"},
        {"Title": "E", "Release Date": "Mar 09 2007", "US Gross": "much"},
        {"Title": "F", "Release Date": "Mar 09 2007", "US Gross": -1},
        {"Title": "G", "Release Date": "Mar 09 2007", "MPAA Rating": "X", "IMDB Rating": 11},
        {"Title": "H", "Release Date": "Mar 09 2007", "Rotten Tomatoes Rating": 101, "IMDB Rating": 0.5},
        {"Title": "I", "Release Date": "Mar 09 2007", "US Gross": 2, "Worldwide Gross": 1},
        {"Title": "J", "Release Date": "Mar 09 2007", "Notes": "x".repeat(5000)},
        "not an object",
        {"Title": "A", "Release Date": "Feb 28 2000"},
    ]);
    fs::write(folder.path().join("dirty.json"), records.to_string()).unwrap();

    let first = run("import", folder.path(), &["dirty.json"]);
    assert_eq!(first.code, Some(0), "{first:?}");
    let expected = [
        "4 Title a number, and a title is text",
        "5 Title nothing, and a title is text",
        "6 Title nothing, and a title is text",
        "7 title empty",
        "8 title length is greater than 200",
        "9 release_date no day of the calendar",
        "10 release_date after 2011, when these figures were collected",
        "11 Release Date the field's own `Deserialize` refused the value",
        "12 release_date missing",
        "13 US Gross a string does not fit the field's type",
        "14 US Gross the value is not one that the field can have",
        "15 MPAA Rating the enum has no such variant",
        "16 imdb_rating lower than 1",
        "rotten_tomatoes_rating greater than 100",
        "17 worldwide_gross less than in the US alone",
        "18 the record 5053 bytes, 4096 are allowed",
        "19 the record not an object with one title",
    ];
    assert_eq!(rejected(&first), expected);
    for (label, value) in [("records ", "21"), ("stored ", "4"), ("there before ", "0")] {
        assert_eq!(first.value(label), value, "{}", first.out);
    }
    assert!(first.value("duplicates ").starts_with("1 "), "{}", first.out);
    assert!(first.value("films ").starts_with("4 found"), "{}", first.out);
    assert!(first.value("keys ").starts_with("4 give"), "{}", first.out);

    let second = run("import", folder.path(), &["dirty.json"]);
    assert_eq!(second.code, Some(0), "{second:?}");
    assert_eq!(rejected(&second), expected);
    for (label, value) in [("stored ", "0"), ("there before ", "4")] {
        assert_eq!(second.value(label), value, "{}", second.out);
    }
}

#[test]
fn the_import_says_what_is_wrong_with_its_arguments() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("broken.json"), "[{]").unwrap();
    let printed = run("import", folder.path(), &["--help"]);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    assert!(printed.out.contains("\nusage: "), "{printed:?}");
    for arguments in [&[][..], &["a.json", "b.json"], &["a.json", "--store"]] {
        let printed = run("import", folder.path(), arguments);
        assert_eq!(printed.code, Some(2), "{arguments:?}: {printed:?}");
        assert!(printed.err.contains("\nusage: "), "{arguments:?}: {printed:?}");
    }
    for (file, expected) in [
        ("absent.json", "`absent.json` cannot be read"),
        ("broken.json", "`broken.json` is not a JSON array of records"),
    ] {
        let printed = run("import", folder.path(), &[file]);
        assert_eq!(printed.code, Some(1), "{printed:?}");
        assert!(printed.err.contains(expected), "{printed:?}");
    }
    assert!(!folder.path().join("state").exists());
}
