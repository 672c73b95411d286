//! The project's tasks: `cargo xtask setup | test | conformance | bench`.

mod args;
mod bench;
mod conformance;
mod counts;
mod failure;
mod gate;
mod process;
mod setup;
mod skipped;
mod steps;
mod table;
mod terminal;
mod workspace;

use std::process::ExitCode;

use clap::Parser as _;

use self::{
    args::{Args, Task},
    failure::Failure,
    terminal::Terminal,
    workspace::Workspace,
};

fn main() -> ExitCode {
    let args = Args::parse();
    let terminal = Terminal::detect();
    match run(&args.task, terminal) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.already_told() {
                eprintln!("{} {failure}", terminal.red("error:"));
            }
            ExitCode::FAILURE
        }
    }
}

fn run(task: &Task, terminal: Terminal) -> Result<(), Failure> {
    let workspace = Workspace::load()?;
    match task {
        Task::Setup => setup::run(terminal),
        Task::Test(options) => gate::run(&workspace, terminal, options),
        Task::Conformance(options) => conformance::run(&workspace, terminal, options),
        Task::Bench(options) => bench::run(&workspace, terminal, options),
    }
}
