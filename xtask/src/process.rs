//! Running a program: its output captured in order, its progress shown, its end awaited.

use std::{
    io::{BufRead as _, BufReader, PipeReader, pipe},
    process::{Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use crate::{
    failure::Failure,
    terminal::{Progress, Terminal, without_colours},
};

/// How often the status line moves on without output.
const TICK: Duration = Duration::from_secs(1);

/// What a program left behind.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) success: bool,
    /// Standard output and error, in the order they were written.
    pub(crate) output: String,
}

impl Finished {
    /// The output without what only shows progress: what is left explains a failure.
    pub(crate) fn explanation(&self) -> String {
        let lines = self.output.lines().filter(|line| !is_progress(&without_colours(line)));
        let mut text = String::new();
        for line in lines {
            // One empty line in a row is enough.
            if !(line.trim().is_empty() && (text.is_empty() || text.ends_with("\n\n"))) {
                text.push_str(line);
                text.push('\n');
            }
        }
        text
    }
}

/// The cargo that runs this program, with the workspace's own settings.
pub(crate) fn cargo(terminal: Terminal) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.env("CARGO_TERM_COLOR", if terminal.colour() { "always" } else { "never" });
    command
}

/// Runs `command` to its end. `on_line` sees each line without colours.
pub(crate) fn run(
    mut command: Command,
    progress: &mut Progress,
    mut on_line: impl FnMut(&str, &mut Progress),
) -> Result<Finished, Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let failed = |what: &'static str| Failure::while_doing(format!("cannot {what} `{name}`"));
    let (reader, writer) = pipe().map_err(failed("make a pipe for"))?;
    let both = writer.try_clone().map_err(failed("make a pipe for"))?;
    command.stdin(Stdio::null()).stdout(writer).stderr(both);
    let mut child = command.spawn().map_err(failed("start"))?;
    // It holds our ends of the pipe, without which the reader would never see the end.
    drop(command);

    let lines = read_lines(reader);
    let mut output = String::new();
    loop {
        match lines.recv_timeout(TICK) {
            Ok(line) => {
                on_line(without_colours(&line).trim_end(), progress);
                output.push_str(&line);
            }
            // A grandchild that outlives the program keeps the pipe open: the program's own end counts.
            Err(RecvTimeoutError::Timeout) => match child.try_wait().map_err(failed("wait for"))? {
                Some(_) => break,
                None => progress.tick(),
            },
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let status = child.wait().map_err(failed("wait for"))?;
    progress.clear();
    Ok(Finished { success: status.success(), output })
}

/// Runs `command` and shows its last line of output as what is being done.
pub(crate) fn run_quietly(command: Command, progress: &mut Progress) -> Result<Finished, Failure> {
    run(command, progress, |line, progress| progress.doing(line))
}

fn read_lines(pipe: PipeReader) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut bytes = Vec::new();
        while matches!(reader.read_until(b'\n', &mut bytes), Ok(read) if read > 0) {
            if sender.send(String::from_utf8_lossy(&bytes).into_owned()).is_err() {
                return;
            }
            bytes.clear();
        }
    });
    receiver
}

/// Whether a line of cargo or of the test harness only says that all goes well.
fn is_progress(line: &str) -> bool {
    const CARGO: &[&str] = &[
        "Adding",
        "Blocking",
        "Building",
        "Checking",
        "Compiling",
        "Dirty",
        "Doc-tests",
        "Documenting",
        "Downloaded",
        "Downloading",
        "Executable",
        "Finished",
        "Fresh",
        "Generated",
        "Locking",
        "Running",
        "Updating",
    ];
    let trimmed = line.trim_start();
    let first = trimmed.split(' ').next().unwrap_or_default();
    (line.starts_with(' ') && CARGO.contains(&first))
        || (line.starts_with("running ") && line.contains(" test"))
        || (line.starts_with("test ") && line.trim_end().ends_with("... ok"))
        || line.starts_with("test result: ok")
        || line.starts_with("all doctests ran in")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Finished {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let mut progress = Progress::start(Terminal::detect(), "shell");
        run_quietly(command, &mut progress).unwrap()
    }

    #[test]
    fn both_outputs_are_captured_in_order() {
        let finished = shell("echo one; echo two >&2; echo three");
        assert!(finished.success);
        assert_eq!(finished.output, "one\ntwo\nthree\n");
    }

    #[test]
    fn a_failing_program_is_told_apart() {
        assert!(!shell("exit 3").success);
    }

    #[test]
    fn a_grandchild_that_keeps_the_output_open_is_not_waited_for() {
        let finished = shell("sleep 30 & echo done");
        assert_eq!(finished.output, "done\n");
    }

    #[test]
    fn a_program_that_does_not_exist_is_named() {
        let mut progress = Progress::start(Terminal::detect(), "nothing");
        let failure = run_quietly(Command::new("no-such-program"), &mut progress).unwrap_err();
        assert!(failure.to_string().starts_with("cannot start `no-such-program`: "), "{failure}");
    }

    #[test]
    fn an_explanation_leaves_out_what_went_well() {
        let finished = Finished {
            success: false,
            output: "   Compiling x v1\nrunning 2 tests\ntest a ... ok\ntest b ... FAILED\n\n\n\
                     assertion failed\ntest result: FAILED. 1 passed; 1 failed\n"
                .to_owned(),
        };
        assert_eq!(
            finished.explanation(),
            "test b ... FAILED\n\nassertion failed\ntest result: FAILED. 1 passed; 1 failed\n"
        );
    }
}
