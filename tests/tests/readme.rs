//! What the README and the examples say of the compiler is what the compiler says.

use std::{fs, path::Path, sync::LazyLock};

use tests::compile::Compiler;

static COMPILER: LazyLock<Compiler> = LazyLock::new(|| {
    Compiler::locate(Path::new(env!("CARGO_TARGET_TMPDIR"))).expect("state-runtime compiles")
});

fn text(file: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(file)).expect("the file is there")
}

/// The lines of the errors that the compiler has for `source`, without indentation.
fn told(name: &str, source: &str) -> Vec<String> {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&file, source).expect("it can be written");
    let outcome = COMPILER.check(&file).expect("the compiler runs");
    assert!(!outcome.compiled, "it compiles, and must not:\n{source}");
    let errors = outcome.errors.iter().map(ToString::to_string).collect::<String>();
    // The first line of each names the place, which the texts show in the compiler's own way.
    let lines = errors.lines().filter(|line| line.starts_with(' '));
    lines.map(|line| line.trim().to_owned()).collect()
}

/// Letters, digits and what tells them apart: how a text is broken into lines does not matter.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric() || "`^{}_".contains(*c)).collect()
}

#[test]
fn the_message_in_the_readme_is_the_one_that_the_compiler_has() {
    let readme = text("README.md");
    let block = |fence| readme.split(fence).nth(1)?.split("\n```").next();
    let snippet = block("```rust,compile_fail\n").expect("the README has a mistake");
    let shown = block("```text\n").expect("and what the compiler says of it");
    let told = told("readme.rs", snippet);
    for line in &told {
        assert!(squeezed(shown).contains(&squeezed(line)), "the README does not show: {line}");
    }
    let errors: Vec<_> = shown.lines().filter_map(|line| line.strip_prefix("error: ")).collect();
    assert_eq!(errors.len(), 2, "{shown}");
    for error in errors {
        assert!(told.iter().any(|line| line == error), "the compiler does not say: {error}");
    }
}

#[test]
fn the_forgotten_ttl_is_told_as_the_pitfalls_say() {
    let source = "use state_runtime::prelude::*;
        #[derive(StateKey, Validate)]
        #[state(key = \"session:{session_id}\")]
        struct Session { #[garde(skip)] session_id: String }";
    let example = squeezed(&text("examples/examples/02_pitfalls.rs"));
    for line in told("forgotten_ttl.rs", source) {
        assert!(example.contains(&squeezed(&line)), "the example does not show: {line}");
    }
}

#[test]
fn a_backend_without_ttl_is_told_as_the_example_says() {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/examples/03_custom_backend");
    let source = format!(
        "#[path = {:?}] mod backend;
        use state_runtime::{{StateError, prelude::*}};
        #[derive(StateKey, Validate)]
        #[state(key = \"session:{{id}}\", ttl = \"30m\")]
        pub struct Session {{ #[garde(skip)] id: u64 }}
        pub async fn session(session: Session) -> Result<(), StateError> {{
            let store = StateStore::new(backend::MapBackend::default())?;
            store.set(&session).await?;
            Ok(())
        }}",
        folder.join("backend.rs")
    );
    let example = squeezed(&text("examples/examples/03_custom_backend/main.rs"));
    let told = told("no_ttl.rs", &source);
    for ours in ["`MapBackend` cannot", "label: ", "note: a type with `ttl"] {
        let line = told.iter().find(|line| line.starts_with(ours)).expect("it says so");
        let line = line.trim_start_matches("label: ");
        assert!(example.contains(&squeezed(line)), "the example does not show: {line}");
    }
}
