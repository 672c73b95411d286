//! The command line.

use clap::{Parser, Subcommand, builder::PossibleValuesParser};

use crate::steps;

/// The tasks of this project.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) task: Task,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Install the servers that the tests need, and say how to get what else is missing
    Setup,
    /// Run the whole gate: formatting, lints, docs, features, architecture, tests and examples
    Test(Test),
    /// Run the conformance suite alone and print which backend passes what
    Conformance(Conformance),
    /// Run all benchmarks and write target/bench/summary.json and summary.md
    Bench(Bench),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Test {
    /// Run property and crash tests with few cases instead of the full number
    #[arg(long)]
    pub(crate) quick: bool,
    /// Stop at the first step that fails instead of reporting all failures
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// Run this step alone; may be given several times
    #[arg(long, value_name = "STEP", value_parser = PossibleValuesParser::new(steps::names()))]
    pub(crate) only: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Conformance {
    /// Print the reports of all backends as one JSON array on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Bench {
    /// Measure for a shorter time: about two minutes in all, with more noise
    #[arg(long)]
    pub(crate) quick: bool,
    /// Run only the benchmark programs whose name contains this text
    #[arg(value_name = "NAME")]
    pub(crate) filter: Option<String>,
}
