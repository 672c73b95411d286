//! `cargo xtask test`: runs the steps of the gate and sums up what they found.

use std::time::Duration;

use crate::{
    args, conformance,
    counts::Counts,
    failure::Failure,
    steps::{Context, Outcome, STEPS, Step},
    table::Table,
    terminal::{Progress, Terminal, human},
    workspace::Workspace,
};

/// A step that has run.
#[derive(Debug)]
struct Ran {
    name: &'static str,
    outcome: Outcome,
    took: Duration,
}

pub(crate) fn run(
    workspace: &Workspace,
    terminal: Terminal,
    options: &args::Test,
) -> Result<(), Failure> {
    let context = Context { workspace, terminal, full: !options.quick };
    let chosen: Vec<&Step> = STEPS
        .iter()
        .filter(|step| options.only.is_empty() || options.only.iter().any(|it| it == step.name))
        .collect();
    let mut ran = Vec::new();
    for (number, step) in chosen.iter().enumerate() {
        let done = take(&context, step, number + 1, chosen.len());
        let stop = options.fail_fast && !done.outcome.success;
        ran.push(done);
        if stop {
            break;
        }
    }

    println!("\n{}", summary(&ran).to_text());
    if ran.iter().any(|step| step.name == "tests") {
        conformance::print_matrix(workspace)?;
    }
    let counts = verdict(&ran);
    println!("{} passed, {} failed", counts.passed, counts.failed);
    if counts.failed == 0 { Ok(()) } else { Err(Failure::told()) }
}

fn take(context: &Context<'_>, step: &Step, number: usize, of: usize) -> Ran {
    let terminal = context.terminal;
    let mut progress = Progress::start(terminal, step.name);
    let heading = terminal.bold(&format!("[{number}/{of}] {}", step.name));
    progress.line(&format!("{heading}: {}", step.about));
    let outcome = (step.run)(context, &mut progress)
        .unwrap_or_else(|failure| Outcome::failed("could not run", failure.to_string()));
    let took = progress.elapsed();
    if outcome.success {
        progress.line(&format!("  {} in {}", terminal.green("passed"), human(took)));
    } else {
        progress.line(outcome.explanation.trim_end());
        let remedy =
            if outcome.note.is_empty() { String::new() } else { format!(": {}", outcome.note) };
        progress.line(&format!("  {} after {}{remedy}", terminal.red("FAILED"), human(took)));
    }
    Ran { name: step.name, outcome, took }
}

fn summary(ran: &[Ran]) -> Table {
    let mut table = Table::new(&["step", "outcome", "took", ""]);
    for step in ran {
        let outcome = if step.outcome.success { "passed" } else { "FAILED" };
        table.row([
            step.name.to_owned(),
            outcome.to_owned(),
            human(step.took),
            step.outcome.note.clone(),
        ]);
    }
    let total = ran.iter().map(|step| step.took).sum();
    table.row(["all".to_owned(), String::new(), human(total), String::new()]);
    table
}

/// All tests; a step that failed for another reason than a failing test counts as one more failure,
/// so that nothing that failed reads as `0 failed`.
fn verdict(ran: &[Ran]) -> Counts {
    let mut sum = Counts::default();
    for Ran { outcome, .. } in ran {
        sum += outcome.counts;
        if !outcome.success && outcome.counts.failed == 0 {
            sum.failed += 1;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(success: bool, passed: u64, failed: u64) -> Ran {
        let counts = Counts { passed, failed, ignored: 0 };
        Ran {
            name: "step",
            outcome: Outcome { success, counts, ..Outcome::default() },
            took: Duration::ZERO,
        }
    }

    #[test]
    fn tests_of_all_steps_are_summed() {
        let sum = verdict(&[ran(true, 0, 0), ran(true, 40, 0), ran(false, 1, 2)]);
        assert_eq!((sum.passed, sum.failed), (41, 2));
    }

    #[test]
    fn a_step_that_fails_without_a_failing_test_is_a_failure() {
        let sum = verdict(&[ran(false, 0, 0), ran(true, 40, 0)]);
        assert_eq!((sum.passed, sum.failed), (40, 1));
    }
}
