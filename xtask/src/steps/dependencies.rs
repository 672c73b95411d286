//! What a user compiles: no engine of a feature that is off, nothing that the MSRV is too old for.

use std::collections::BTreeSet;

use super::{Context, Outcome};
use crate::{
    failure::Failure,
    process,
    terminal::Progress,
    workspace::{Package, RUNTIME},
};

/// The crates that a feature exists to switch on or off. They must be compiled with it and
/// never without it.
///
/// A backend with a client of its own gets a row here.
const ENGINES: &[(&str, &[&str])] = &[
    ("derive", &["state-macros"]),
    ("file", &["redb"]),
    ("redis", &["redis"]),
    ("nats", &["async-nats"]),
    ("dapr", &["hyper"]),
    ("uuid", &["uuid"]),
    ("chrono", &["chrono"]),
    ("jiff", &["jiff"]),
];

pub(super) fn run(context: &Context<'_>, progress: &mut Progress) -> Result<Outcome, Failure> {
    let runtime = context.workspace.member(RUNTIME)?;
    let mut faults: Vec<String> = stale(runtime).collect();
    for feature in std::iter::once("").chain(runtime.features()) {
        progress.doing(feature);
        let compiled = compiled_with(context, feature, progress)?;
        faults.extend(strays(feature, &compiled));
    }
    faults.extend(too_new(runtime, context.workspace.dependencies()));
    Ok(Outcome::of_faults("", &faults))
}

/// Rows of the table that no longer fit the manifest.
fn stale(runtime: &Package) -> impl Iterator<Item = String> {
    ENGINES
        .iter()
        .filter(|(owner, _)| !runtime.features().any(|feature| feature == *owner))
        .map(|(owner, _)| format!("`{RUNTIME}` has no feature `{owner}`; remove it from ENGINES"))
}

/// The names of all crates that are compiled with one feature alone.
fn compiled_with(
    context: &Context<'_>,
    feature: &str,
    progress: &mut Progress,
) -> Result<BTreeSet<String>, Failure> {
    let mut cargo = process::cargo(context.terminal);
    cargo.args(["tree", "-p", RUNTIME, "--no-default-features", "--features", feature]);
    // Build scripts and macros are compiled too; what tests need is not.
    cargo.args(["--edges", "normal,build", "--prefix", "none", "--quiet"]);
    let finished = process::run_quietly(cargo, progress)?;
    if finished.success {
        Ok(crate_names(&finished.output))
    } else {
        Err(Failure::new(format!("`cargo tree` failed\n{}", finished.output.trim())))
    }
}

fn crate_names(tree: &str) -> BTreeSet<String> {
    tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

fn strays(feature: &str, compiled: &BTreeSet<String>) -> Vec<String> {
    let mut faults = Vec::new();
    for (owner, engines) in ENGINES {
        for &engine in *engines {
            match (feature == *owner, compiled.contains(engine)) {
                (true, false) => {
                    faults.push(format!("feature `{owner}` alone does not compile `{engine}`"));
                }
                (false, true) => faults.push(format!(
                    "feature `{feature}` alone compiles `{engine}`, which belongs to `{owner}`"
                )),
                _ => {}
            }
        }
    }
    faults
}

/// Dependencies that say they need a newer compiler than the runtime promises to its users.
fn too_new<'p>(runtime: &Package, dependencies: impl Iterator<Item = &'p Package>) -> Vec<String> {
    let Some(promised) = runtime.rust_version.as_deref().map(version) else {
        return vec![format!("`{RUNTIME}` states no `rust-version`")];
    };
    dependencies
        .filter_map(|package| {
            let needed = package.rust_version.as_deref()?;
            (version(needed) > promised).then(|| {
                format!(
                    "`{} {}` needs Rust {needed}; raise `rust-version` or choose an older release",
                    package.name, package.version
                )
            })
        })
        .collect()
}

/// `1.90` and `1.90.0` are the same.
fn version(text: &str) -> [u32; 3] {
    let mut numbers = text.split('.').map(|number| number.parse().unwrap_or(0));
    [(); 3].map(|()| numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crates(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn package(name: &str, rust_version: &str) -> Package {
        serde_json::from_value(serde_json::json!({
            "name": name, "version": "1.0.0", "id": name, "manifest_path": "", "rust_version": rust_version,
            "features": {}, "targets": [],
        }))
        .unwrap()
    }

    #[test]
    fn names_are_read_from_the_tree() {
        let tree = "state-runtime v0.1.0 (/x)\nredb v4.6.0\nserde v1.0.1 (*)\n";
        assert_eq!(crate_names(tree), crates(&["state-runtime", "redb", "serde"]));
    }

    #[test]
    fn an_engine_of_another_feature_is_a_fault() {
        assert_eq!(strays("memory", &crates(&["serde"])), Vec::<String>::new());
        assert_eq!(
            strays("memory", &crates(&["redb"])),
            ["feature `memory` alone compiles `redb`, which belongs to `file`"]
        );
    }

    #[test]
    fn a_feature_that_lost_its_engine_is_a_fault() {
        assert_eq!(strays("file", &crates(&[])), ["feature `file` alone does not compile `redb`"]);
    }

    #[test]
    fn a_dependency_that_needs_a_newer_compiler_is_a_fault() {
        let runtime = package(RUNTIME, "1.90");
        let fine = [package("a", "1.90.0"), package("b", "1.9")];
        assert_eq!(too_new(&runtime, fine.iter()), Vec::<String>::new());
        let newer = [package("c", "1.91")];
        assert_eq!(too_new(&runtime, newer.iter()).len(), 1);
    }
}
