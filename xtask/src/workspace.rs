//! What cargo knows of the workspace: packages, features, targets and dependencies.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{
    failure::Failure,
    process,
    terminal::{Progress, Terminal},
};

/// The package that users depend on.
pub(crate) const RUNTIME: &str = "state-runtime";

/// The answer of `cargo metadata`, as far as it is needed.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    #[serde(rename = "workspace_root")]
    root: PathBuf,
    target_directory: PathBuf,
    packages: Vec<Package>,
    #[serde(rename = "workspace_members")]
    members: Vec<String>,
}

/// A package of the workspace or one it depends on.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    id: String,
    manifest_path: PathBuf,
    pub(crate) rust_version: Option<String>,
    features: BTreeMap<String, Vec<String>>,
    targets: Vec<Target>,
    #[serde(default)]
    metadata: serde_json::Value,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    #[serde(rename = "required-features", default)]
    required_features: Vec<String>,
}

impl Workspace {
    /// Asks cargo about the workspace of the current folder.
    pub(crate) fn load() -> Result<Self, Failure> {
        let mut command = process::cargo(Terminal::detect());
        command.args(["metadata", "--format-version", "1", "--quiet"]);
        let mut progress = Progress::start(Terminal::detect(), "metadata");
        let finished = process::run_quietly(command, &mut progress)?;
        // Warnings may stand before the answer, which is one line.
        let answer = finished.output.lines().find(|line| line.starts_with('{'));
        match answer {
            Some(json) if finished.success => serde_json::from_str(json)
                .map_err(Failure::while_doing("cannot read the answer of `cargo metadata`")),
            _ => Err(Failure::new(format!("`cargo metadata` failed\n{}", finished.output.trim()))),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder `name` under the target folder.
    pub(crate) fn target(&self, name: &str) -> PathBuf {
        self.target_directory.join(name)
    }

    /// The packages of the workspace itself.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.members.contains(&package.id))
    }

    /// The packages that the workspace depends on.
    pub(crate) fn dependencies(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| !self.members.contains(&package.id))
    }

    pub(crate) fn member(&self, name: &str) -> Result<&Package, Failure> {
        self.members()
            .find(|package| package.name == name)
            .ok_or_else(|| Failure::new(format!("the workspace has no package `{name}`")))
    }
}

impl Package {
    /// The folder of its manifest.
    pub(crate) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }

    /// The names of its features, without `default`.
    pub(crate) fn features(&self) -> impl Iterator<Item = &str> {
        self.features.keys().map(String::as_str).filter(|&name| name != "default")
    }

    /// The names of its targets of one kind: `example`, `bench`, `bin`, `test`.
    pub(crate) fn targets(&self, kind: &str) -> impl Iterator<Item = &str> {
        let of_kind = move |target: &&Target| target.kind.iter().any(|it| it == kind);
        self.targets.iter().filter(of_kind).map(|target| target.name.as_str())
    }

    /// The features without which cargo does not build its target of this kind and name.
    pub(crate) fn required_features(&self, kind: &str, name: &str) -> &[String] {
        let wanted =
            |target: &&Target| target.name == name && target.kind.iter().any(|it| it == kind);
        self.targets.iter().find(wanted).map_or(&[], |target| &target.required_features)
    }

    /// What its manifest says under `[package.metadata]`.
    pub(crate) fn metadata(&self, path: &str) -> Option<&serde_json::Value> {
        self.metadata.pointer(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package() -> Package {
        serde_json::from_str(
            r#"{
                "name": "x", "version": "1.0.0", "id": "x#1.0.0", "manifest_path": "/w/x/Cargo.toml",
                "rust_version": "1.90",
                "features": {"default": ["file"], "file": ["dep:redb"], "memory": []},
                "targets": [
                    {"name": "x", "kind": ["lib"]},
                    {"name": "quickstart", "kind": ["example"]},
                    {"name": "web", "kind": ["example"], "required-features": ["file"]}
                ],
                "metadata": {"examples": {"quickstart": {"runs": 2}}}
            }"#,
        )
        .unwrap()
    }

    #[test]
    fn features_are_listed_without_the_default() {
        assert_eq!(package().features().collect::<Vec<_>>(), ["file", "memory"]);
    }

    #[test]
    fn targets_are_listed_by_kind() {
        assert_eq!(package().targets("example").collect::<Vec<_>>(), ["quickstart", "web"]);
        assert_eq!(package().required_features("example", "quickstart"), [""; 0]);
        assert_eq!(package().required_features("example", "web"), ["file"]);
        assert_eq!(package().required_features("bench", "web"), [""; 0]);
        assert_eq!(package().targets("bench").count(), 0);
    }

    #[test]
    fn a_manifest_can_carry_metadata() {
        let package = package();
        let runs = package.metadata("/examples/quickstart/runs");
        assert_eq!(runs.and_then(serde_json::Value::as_u64), Some(2));
        assert_eq!(package.metadata("/examples/other"), None);
    }
}
