//! The programs that tasks need and that are not installed for them.

use std::process::Command;

use crate::{
    process,
    table::Table,
    terminal::{Progress, Terminal},
};

/// A program that a task needs.
#[derive(Debug)]
struct Tool {
    name: &'static str,
    needed_for: &'static str,
    /// A command that prints its version.
    version: &'static [&'static str],
    remedy: &'static str,
}

/// Everything that is needed. What is only needed to install a server is named when that fails.
const TOOLS: &[Tool] = &[
    Tool {
        name: "cargo",
        needed_for: "everything",
        version: &["cargo", "--version"],
        remedy: "install Rust from https://rustup.rs",
    },
    Tool {
        name: "rustfmt",
        needed_for: "test (fmt)",
        version: &["cargo", "fmt", "--version"],
        remedy: "rustup component add rustfmt",
    },
    Tool {
        name: "clippy",
        needed_for: "test (clippy, features)",
        version: &["cargo", "clippy", "--version"],
        remedy: "rustup component add clippy",
    },
    Tool {
        name: "rustdoc",
        needed_for: "test (docs)",
        version: &["rustdoc", "--version"],
        remedy: "rustup toolchain install stable",
    },
];

/// A table of all tools, and what to do about those that are missing.
pub(super) fn look(terminal: Terminal) -> (Table, Vec<String>) {
    let mut table = Table::new(&["tool", "found", "needed for"]);
    let mut missing = Vec::new();
    for tool in TOOLS {
        let found = tool.find(terminal);
        if found.is_none() {
            missing.push(format!("{} is missing: {}", tool.name, tool.remedy));
        }
        table.row([
            tool.name.to_owned(),
            found.unwrap_or_else(|| "missing".to_owned()),
            tool.needed_for.to_owned(),
        ]);
    }
    (table, missing)
}

impl Tool {
    /// Its version, or `None` if it is not installed.
    fn find(&self, terminal: Terminal) -> Option<String> {
        let (program, arguments) = self.version.split_first()?;
        let mut command =
            if *program == "cargo" { process::cargo(terminal) } else { Command::new(program) };
        command.args(arguments);
        let mut progress = Progress::start(terminal, self.name);
        let finished = process::run_quietly(command, &mut progress).ok()?;
        finished.success.then(|| finished.output.lines().next().unwrap_or_default().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_is_not_installed_is_not_found() {
        let tool = Tool { name: "x", needed_for: "", version: &["no-such-tool"], remedy: "" };
        assert_eq!(tool.find(Terminal::detect()), None);
    }
}
