//! The harness for compile-fail cases notices everything that it is there to notice.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use tests::compile::{Compiler, Mode, check_folder};

const MISTAKE: &str = "compile_error!(\"no key; add one\");\n";
const EXPECTED: &str =
    "1 error\n\nline 1 at `compile_error!(\"no key; add one\")`\n    no key; add one\n";

static COMPILER: LazyLock<Compiler> = LazyLock::new(|| {
    Compiler::locate(Path::new(env!("CARGO_TARGET_TMPDIR"))).expect("state-runtime compiles")
});

/// A new folder with these files.
fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("harness").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("the folder of the last run can be removed");
    }
    fs::create_dir_all(&folder).expect("a folder can be made");
    for (file, text) in files {
        fs::write(folder.join(file), text).expect("a file can be written");
    }
    folder
}

/// What the suite complains of, given these files.
fn complaint(name: &str, files: &[(&str, &str)]) -> String {
    check_folder(&COMPILER, &folder(name, files), Mode::Compare).expect_err("the suite fails")
}

fn case(name: &str, source: &str, expected: &str) -> String {
    complaint(name, &[("case.rs", source), ("case.expected", expected)])
}

#[test]
fn an_error_as_expected_passes() {
    let files = [("case.rs", MISTAKE), ("case.expected", EXPECTED)];
    assert_eq!(check_folder(&COMPILER, &folder("as_expected", &files), Mode::Compare), Ok(1));
}

#[test]
fn a_case_that_compiles_fails() {
    let complaint = case("compiles", "pub fn fine() {}\n", "0 errors\n");
    assert!(complaint.contains("it compiles, and must not"), "{complaint}");
    assert!(complaint.contains("case.rs"), "{complaint}");
}

#[test]
fn a_case_that_compiles_fails_even_while_expectations_are_updated() {
    let folder = folder("compiles_updated", &[("case.rs", "pub fn fine() {}\n")]);
    assert!(check_folder(&COMPILER, &folder, Mode::Update).is_err());
    assert!(!folder.join("case.expected").exists());
}

#[test]
fn another_message_fails() {
    let complaint = case("message", MISTAKE, &EXPECTED.replace("    no key", "    no lock"));
    assert!(complaint.contains("no lock; add one"), "{complaint}");
    assert!(complaint.contains("no key; add one"), "{complaint}");
}

#[test]
fn the_same_message_at_another_place_fails() {
    let moved = format!("\n{MISTAKE}");
    assert!(case("place", &moved, EXPECTED).contains("line 2"));
}

#[test]
fn one_error_more_fails() {
    let twice = format!("{MISTAKE}{MISTAKE}");
    assert!(case("more", &twice, EXPECTED).contains("2 errors"));
}

#[test]
fn one_error_fewer_fails() {
    let expected = EXPECTED.replace("1 error\n", "2 errors\n");
    assert!(case("fewer", MISTAKE, &expected).contains("1 error\n"));
}

#[test]
fn a_missing_expectation_fails_and_shows_what_it_would_be() {
    let complaint = complaint("missing", &[("case.rs", MISTAKE)]);
    assert!(complaint.contains("there is no expectation"), "{complaint}");
    assert!(complaint.contains(EXPECTED), "{complaint}");
}

#[test]
fn an_update_writes_what_then_passes() {
    let folder = folder("update", &[("case.rs", MISTAKE)]);
    assert_eq!(check_folder(&COMPILER, &folder, Mode::Update), Ok(1));
    assert_eq!(fs::read_to_string(folder.join("case.expected")).ok().as_deref(), Some(EXPECTED));
    assert_eq!(check_folder(&COMPILER, &folder, Mode::Compare), Ok(1));
}

#[test]
fn an_expectation_without_a_case_fails() {
    let files = [("case.rs", MISTAKE), ("case.expected", EXPECTED), ("gone.expected", EXPECTED)];
    assert!(complaint("stray", &files).contains("gone.expected belongs to no case"));
}

#[test]
fn an_empty_folder_fails() {
    assert!(complaint("empty", &[]).contains("has no case"));
}

#[test]
fn an_error_in_the_words_of_the_compiler_fails() {
    let complaint = case("foreign", "pub fn f() -> u8 { \"\" }\n", "");
    assert!(complaint.contains("the compiler words an error"), "{complaint}");
}

#[test]
fn a_bound_in_the_words_of_the_compiler_fails() {
    let source = "pub trait Part {}\nconst fn part<T: Part>() {}\nconst _: () = part::<f64>();\n";
    assert!(case("foreign_bound", source, "").contains("the compiler words an error"));
}

/// A bound whose message, label and note are the author's, as those of `state-runtime` are.
const BOUND: &str = "\
#[diagnostic::on_unimplemented(message = \"no part\", label = \"not one\", note = \"make it one\")]
pub trait Part {}
pub struct Outer<T>(T);
impl<T: Part> Part for Outer<T> {}
const fn part<T: Part>() {}
const _: () = part::<Outer<f64>>();
";

#[test]
fn the_label_and_the_note_of_a_bound_are_compared_and_those_of_the_compiler_are_not() {
    let expected =
        "1 error\n\nline 6 at `Outer<f64>`\n    no part\n  label: not one\n  note: make it one\n";
    let files = [("case.rs", BOUND), ("case.expected", expected)];
    assert_eq!(check_folder(&COMPILER, &folder("bound", &files), Mode::Compare), Ok(1));

    let complaint = case("bound_note", BOUND, &expected.replace("make it one", "unmake it"));
    assert!(complaint.contains("unmake it"), "{complaint}");
    let complaint = case("bound_label", BOUND, &expected.replace("not one", "no one"));
    assert!(complaint.contains("no one"), "{complaint}");
}

#[test]
fn an_error_inside_a_macro_is_at_the_call() {
    let source = "macro_rules! check { ($it:ty) => { compile_error!(\"no\"); } }\ncheck!(u8);\n";
    assert!(complaint("macro", &[("case.rs", source)]).contains("line 2 at `check!(u8)`"));
}
