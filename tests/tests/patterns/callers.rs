//! Processes that use a pattern on one store at the same time.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// One process that is ready to begin, and is killed when it is dropped.
struct Caller {
    process: Child,
    start: ChildStdin,
    lines: BufReader<ChildStdout>,
}

impl Caller {
    fn new(pattern: &str, url: &str, often: usize) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_pattern_caller"))
            .args([pattern, url, &often.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the caller starts");
        let start = process.stdin.take().expect("it has an input");
        let lines = BufReader::new(process.stdout.take().expect("it has an output"));
        let mut caller = Self { process, start, lines };
        assert_eq!(caller.line(), "ready");
        caller
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("the pipe holds text");
        line.trim_end().to_owned()
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Lets `processes` use a pattern at once, each of its tasks `often` times, and tells what each printed.
pub(crate) fn outcomes(processes: usize, pattern: &str, url: &str, often: usize) -> Vec<String> {
    let mut callers: Vec<_> = (0..processes).map(|_| Caller::new(pattern, url, often)).collect();
    for caller in &mut callers {
        caller.start.write_all(b"go\n").expect("it waits for a line");
    }
    callers.iter_mut().map(Caller::line).collect()
}

/// The sum of the numbers that they printed.
pub(crate) fn total(processes: usize, pattern: &str, url: &str, often: usize) -> usize {
    let numbers = outcomes(processes, pattern, url, often);
    numbers.iter().map(|line| line.parse::<usize>().expect("it prints a number")).sum()
}
