//! `cargo xtask setup`: is everything here that the tests need?

use std::process::Command;

use crate::{
    failure::Failure,
    process,
    table::Table,
    terminal::{Progress, Terminal},
    workspace::Workspace,
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

/// Everything that is needed. A server for the tests of a backend gets a row here.
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

pub(crate) fn run(workspace: &Workspace, terminal: Terminal) -> Result<(), Failure> {
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
    print!("{}", table.to_text());
    if missing.is_empty() {
        println!("everything is here; next: cargo xtask test");
        println!("(in {})", workspace.root().display());
        Ok(())
    } else {
        Err(Failure::new(missing.join("\n")))
    }
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
