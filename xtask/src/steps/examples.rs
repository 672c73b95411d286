//! Every example runs to its end, as a new user would start it.
//!
//! How an example is run can be told in `examples/Cargo.toml`:
//!
//! ```toml
//! [package.metadata.examples.quickstart]
//! runs = 2                            # one after the other, in the same folder
//! args = ["{root}/examples/data.json"]  # `{root}` is the folder of the workspace
//! ```

use std::path::Path;

use super::{Context, Outcome, tests::emptied};
use crate::{failure::Failure, process, terminal::Progress, workspace::Package};

pub(super) fn run(context: &Context<'_>, progress: &mut Progress) -> Result<Outcome, Failure> {
    let workspace = context.workspace;
    let package = workspace.member("examples")?;
    let mut faults = Vec::new();
    let mut count = 0_usize;
    for name in package.targets("example") {
        let example = Example::of(package, name, workspace.root())?;
        // Each starts in an empty folder: what it stores is not left from another day.
        let folder = emptied(workspace.target(&format!("xtask/examples/{name}")))?;
        for run in 1..=example.runs {
            let mut cargo = process::cargo(context.terminal);
            cargo.args(["run", "--manifest-path"]).arg(workspace.root().join("Cargo.toml"));
            cargo.args(["--package", &package.name, "--example", name]);
            for feature in package.required_features("example", name) {
                cargo.args(["--features", feature]);
            }
            cargo.arg("--").args(&example.args).current_dir(&folder);
            let finished = process::run(cargo, progress, |line, progress| {
                progress.doing(&format!("{name}, run {run}: {}", line.trim()));
            })?;
            if !finished.success {
                faults.push(format!("example `{name}`, run {run}:\n{}", finished.explanation()));
            }
        }
        count += 1;
    }
    Ok(Outcome::of_faults(format!("{count} examples"), &faults))
}

/// How an example is run.
#[derive(Debug, PartialEq, Eq)]
struct Example {
    runs: u64,
    args: Vec<String>,
}

impl Example {
    fn of(package: &Package, name: &str, root: &Path) -> Result<Self, Failure> {
        let wrong = |what: &str| {
            Failure::new(format!(
                "`[package.metadata.examples.{name}]` of `{}`: {what}",
                package.name
            ))
        };
        let runs = match package.metadata(&format!("/examples/{name}/runs")) {
            None => 1,
            Some(runs) => runs.as_u64().ok_or_else(|| wrong("`runs` is no number"))?,
        };
        let args = match package.metadata(&format!("/examples/{name}/args")) {
            None => Vec::new(),
            Some(args) => serde_json::from_value(args.clone())
                .map_err(|_| wrong("`args` is no list of texts"))?,
        };
        let root = root.to_string_lossy();
        let args = args.into_iter().map(|arg: String| arg.replace("{root}", &root)).collect();
        Ok(Self { runs, args })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(metadata: &serde_json::Value) -> Package {
        serde_json::from_value(serde_json::json!({
            "name": "examples", "version": "1.0.0", "id": "examples", "manifest_path": "", "rust_version": null,
            "features": {}, "targets": [], "metadata": metadata,
        }))
        .unwrap()
    }

    #[test]
    fn an_example_runs_once_without_arguments_unless_its_manifest_says_more() {
        let root = Path::new("/w");
        let silent = package(&serde_json::Value::Null);
        assert_eq!(Example::of(&silent, "a", root).unwrap(), Example { runs: 1, args: vec![] });
        let told =
            package(&serde_json::json!({"examples": {"a": {"runs": 2, "args": ["{root}/d"]}}}));
        assert_eq!(
            Example::of(&told, "a", root).unwrap(),
            Example { runs: 2, args: vec!["/w/d".to_owned()] }
        );
    }

    #[test]
    fn a_wrong_manifest_is_a_failure_that_names_it() {
        let wrong = package(&serde_json::json!({"examples": {"a": {"runs": "two"}}}));
        let failure = Example::of(&wrong, "a", Path::new("/w")).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "`[package.metadata.examples.a]` of `examples`: `runs` is no number"
        );
    }
}
