//! `cargo xtask test`: runs the steps of the gate and sums up what they found.

use std::time::Duration;

use crate::{
    args, conformance,
    counts::Counts,
    failure::Failure,
    setup::Servers,
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
    let servers = Servers::default();
    let context = Context { workspace, terminal, servers: &servers, full: !options.quick };
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
    if let Some(tests) = ran.iter().find(|step| step.name == "tests") {
        conformance::print_matrix(workspace, &tests.outcome.not_run)?;
    }
    let counts = verdict(&ran);
    println!("{}", last_line(&ran));
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

/// How many tests passed, failed and were skipped, the last with the reason.
fn last_line(ran: &[Ran]) -> String {
    let not_run = ran.iter().flat_map(|step| &step.outcome.not_run);
    let reasons: Vec<_> =
        not_run.map(|row| format!("{} of {}, {}", row.tests, row.server, row.why)).collect();
    let counts = verdict(ran);
    if reasons.is_empty() {
        counts.to_string()
    } else {
        format!("{counts} ({})", reasons.join("; "))
    }
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
    use crate::skipped::NotRun;

    fn ran(success: bool, passed: u64, failed: u64) -> Ran {
        let counts = Counts { passed, failed, ..Counts::default() };
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
    #[test]
    fn tests_that_were_skipped_are_told_with_the_reason() {
        let mut tests = ran(true, 40, 0);
        assert_eq!(last_line(&[ran(true, 2, 0)]), "2 passed, 0 failed");
        tests.outcome.counts = tests.outcome.counts.with_skipped(9);
        let why = "there is no `go`".to_owned();
        tests.outcome.not_run = vec![NotRun { server: "dapr".to_owned(), why, tests: 9 }];
        assert_eq!(
            last_line(&[tests]),
            "31 passed, 0 failed, 9 skipped (9 of dapr, there is no `go`)"
        );
    }
}
