//! The steps of the gate, in the order they run: cheap ones that fail often come first.
//!
//! Servers for the tests are installed by [`setup`](crate::setup) and started by the tests; a
//! backend appears in the conformance matrix by writing a report.

mod architecture;
mod cargo;
mod dependencies;
mod examples;
mod features;
mod servers;
pub(crate) mod tests;

use crate::{
    counts::Counts,
    failure::Failure,
    setup::Servers,
    skipped::NotRun,
    terminal::{Progress, Terminal},
    workspace::Workspace,
};

/// One step of the gate.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    /// What it checks, for the person who watches.
    pub(crate) about: &'static str,
    pub(crate) run: fn(&Context<'_>, &mut Progress) -> Result<Outcome, Failure>,
}

/// What every step gets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) terminal: Terminal,
    pub(crate) servers: &'a Servers,
    /// Whether property and crash tests run their full number of cases.
    pub(crate) full: bool,
}

/// How a step ended.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) success: bool,
    /// A few words for the summary.
    pub(crate) note: String,
    /// Why it failed, for the person who has to repair it.
    pub(crate) explanation: String,
    /// The tests that ran in it.
    pub(crate) counts: Counts,
    /// The servers that its tests had to do without.
    pub(crate) not_run: Vec<NotRun>,
}

impl Outcome {
    pub(crate) fn passed(note: impl Into<String>) -> Self {
        Self { success: true, note: note.into(), ..Self::default() }
    }

    pub(crate) fn failed(note: impl Into<String>, explanation: impl Into<String>) -> Self {
        Self { note: note.into(), explanation: explanation.into(), ..Self::default() }
    }

    /// Passed if there are no `faults`, which are listed otherwise.
    pub(crate) fn of_faults(note: impl Into<String>, faults: &[String]) -> Self {
        if faults.is_empty() {
            Self::passed(note)
        } else {
            let count = faults.len();
            let plural = if count == 1 { "" } else { "s" };
            Self::failed(format!("{count} fault{plural}"), faults.join("\n"))
        }
    }
}

/// The gate.
pub(crate) const STEPS: &[Step] = &[
    Step { name: "fmt", about: "the code is formatted", run: cargo::fmt },
    Step {
        name: "architecture",
        about: "imports go one way, files are short and say what they are for",
        run: architecture::run,
    },
    Step {
        name: "dependencies",
        about: "a feature compiles its own dependencies only, and all of them support the MSRV",
        run: dependencies::run,
    },
    Step { name: "clippy", about: "no warnings in any target", run: cargo::clippy },
    Step { name: "docs", about: "the documentation builds without warnings", run: cargo::docs },
    Step { name: "features", about: "each feature compiles alone", run: features::run },
    Step { name: "servers", about: "the servers for the tests are installed", run: servers::run },
    Step { name: "tests", about: "unit, behaviour, property and doc tests", run: tests::run },
    Step { name: "examples", about: "the examples run", run: examples::run },
];

/// The names of all steps.
pub(crate) fn names() -> Vec<&'static str> {
    STEPS.iter().map(|step| step.name).collect()
}
