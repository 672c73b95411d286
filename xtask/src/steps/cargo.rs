//! The steps that are one cargo command: formatting, lints, documentation.

use super::{Context, Outcome};
use crate::{failure::Failure, process, terminal::Progress};

pub(super) fn fmt(context: &Context<'_>, progress: &mut Progress) -> Result<Outcome, Failure> {
    // Rustfmt has its own mind about colours, unlike the rest of cargo.
    let colour = if context.terminal.colour() { "always" } else { "never" };
    let arguments = ["fmt", "--all", "--check", "--", "--color", colour];
    command(context, progress, &arguments, "run `cargo fmt --all`")
}

pub(super) fn clippy(context: &Context<'_>, progress: &mut Progress) -> Result<Outcome, Failure> {
    let arguments =
        ["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
    command(context, progress, &arguments, "")
}

pub(super) fn docs(context: &Context<'_>, progress: &mut Progress) -> Result<Outcome, Failure> {
    let mut cargo = process::cargo(context.terminal);
    cargo.args(["doc", "--workspace", "--no-deps", "--all-features"]);
    // Unlike RUSTFLAGS, this does not touch what the other steps compile.
    cargo.env("RUSTDOCFLAGS", "-D warnings");
    finish(cargo, progress, "")
}

fn command(
    context: &Context<'_>,
    progress: &mut Progress,
    arguments: &[&str],
    remedy: &str,
) -> Result<Outcome, Failure> {
    let mut cargo = process::cargo(context.terminal);
    cargo.args(arguments);
    finish(cargo, progress, remedy)
}

fn finish(
    cargo: std::process::Command,
    progress: &mut Progress,
    remedy: &str,
) -> Result<Outcome, Failure> {
    let finished = process::run_quietly(cargo, progress)?;
    Ok(if finished.success {
        Outcome::passed("")
    } else {
        Outcome::failed(remedy, finished.explanation())
    })
}
