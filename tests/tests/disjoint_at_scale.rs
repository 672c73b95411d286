//! `assert_disjoint!` holds for as many types as a large program has.

use std::{fmt::Write, fs, path::Path};

use tests::compile::Compiler;

const TYPES: usize = 300;

/// A program of many types, all disjoint but the last, which has the key of the first.
fn program() -> String {
    let mut source = String::from("use state_runtime::prelude::*;\n");
    for i in 0..=TYPES {
        let number = i % TYPES;
        let _ = writeln!(
            source,
            "#[derive(StateKey, Validate)] #[state(key = \"state-{number}:{{id}}:v\", persistent)]\n\
             pub struct State{i} {{ #[garde(skip)] pub id: u64 }}"
        );
    }
    let names = |count| (0..count).map(|i| format!("State{i}")).collect::<Vec<_>>().join(", ");
    let (disjoint, overlapping) = (names(TYPES), names(TYPES + 1));
    let _ = writeln!(source, "state_runtime::assert_disjoint!({disjoint});");
    let _ = writeln!(source, "state_runtime::assert_disjoint!({overlapping});");
    source
}

#[test]
fn three_hundred_types_are_compared_and_the_one_pair_that_overlaps_is_named() {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = scratch.join("disjoint_at_scale.rs");
    let source = program();
    fs::write(&file, &source).expect("a file can be written");

    let compiler = Compiler::locate(scratch).expect("state-runtime compiles");
    let outcome = compiler.check(&file).expect("rustc runs");

    let errors: Vec<_> = outcome.errors.iter().map(ToString::to_string).collect();
    let [error] = errors.as_slice() else { panic!("one error was expected: {errors:#?}") };
    let line = source.lines().count();
    assert!(
        error.starts_with(&format!("line {line} at `state_runtime::assert_disjoint!")),
        "{error}"
    );
    assert!(
        error.contains(
            "`State0` (key \"state-0:{id}:v\") and `State300` (key \"state-0:{id}:v\") can share a key"
        ),
        "{error}"
    );
}
