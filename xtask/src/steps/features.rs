//! Each feature of the runtime compiles alone, and so does none.

use super::{Context, Outcome};
use crate::{
    failure::Failure,
    process,
    terminal::Progress,
    workspace::{Package, RUNTIME},
};

pub(super) fn run(context: &Context<'_>, progress: &mut Progress) -> Result<Outcome, Failure> {
    let alone = alone(context.workspace.member(RUNTIME)?);
    let mut broken = Vec::new();
    let mut explanations = Vec::new();
    for &feature in &alone {
        let name = if feature.is_empty() { "no feature" } else { feature };
        let mut cargo = process::cargo(context.terminal);
        // `cargo clippy` rather than `cargo check`: it can deny warnings without RUSTFLAGS, which
        // would compile every dependency again.
        cargo.args(["clippy", "-p", RUNTIME, "--no-default-features", "--features", feature]);
        cargo.args(["--", "-D", "warnings"]);
        let finished = process::run(cargo, progress, |line, progress| {
            progress.doing(&format!("{name}: {}", line.trim()));
        })?;
        if !finished.success {
            broken.push(name);
            explanations.push(format!("with {name} alone:\n{}", finished.explanation()));
        }
    }
    Ok(if broken.is_empty() {
        Outcome::passed(format!("{} sets of features", alone.len()))
    } else {
        Outcome::failed(format!("broken alone: {}", broken.join(", ")), explanations.concat())
    })
}

/// Each feature, and the empty text for none.
fn alone(package: &Package) -> Vec<&str> {
    std::iter::once("").chain(package.features()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_feature_is_checked_as_well() {
        let package: Package = serde_json::from_str(
            r#"{"name": "x", "version": "1.0.0", "id": "x", "manifest_path": "", "rust_version": null, "targets": [],
                "features": {"default": ["memory"], "memory": [], "file": []}}"#,
        )
        .unwrap();
        assert_eq!(alone(&package), ["", "file", "memory"]);
    }
}
