//! What people see while a task runs: colours and a status line, or plain lines in a log.

use std::{
    io::{IsTerminal as _, Write as _, stderr, stdout},
    time::{Duration, Instant},
};

/// How often a log is told that a step is still running.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// The most characters of a status line, so that it never wraps.
const STATUS_WIDTH: usize = 76;

/// Whether somebody is watching.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    live: bool,
    colour: bool,
}

impl Terminal {
    /// Colours and a status line on a terminal, neither in a pipe; `NO_COLOR` is obeyed.
    pub(crate) fn detect() -> Self {
        let live = stdout().is_terminal() && stderr().is_terminal();
        Self { live, colour: live && std::env::var_os("NO_COLOR").is_none() }
    }

    pub(crate) const fn colour(self) -> bool {
        self.colour
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.paint("31;1", text)
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// The progress of one thing that takes a while. All of it goes to standard error.
#[derive(Debug)]
pub(crate) struct Progress {
    terminal: Terminal,
    name: String,
    start: Instant,
    told: Instant,
    doing: String,
}

impl Progress {
    pub(crate) fn start(terminal: Terminal, name: impl Into<String>) -> Self {
        let now = Instant::now();
        Self { terminal, name: name.into(), start: now, told: now, doing: String::new() }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Remembers what is being done, for the status line.
    pub(crate) fn doing(&mut self, what: &str) {
        self.doing.clear();
        self.doing.push_str(what.trim());
        self.tick();
    }

    /// Shows that time passes. Call it at least once a second.
    pub(crate) fn tick(&mut self) {
        let status =
            format!("  {} {} {}", self.name, human(self.start.elapsed()), self.doing.trim_end());
        if self.terminal.live {
            let shown: String = status.chars().take(STATUS_WIDTH).collect();
            eprint!("\r\x1b[2K{shown}");
            // A status line that cannot be shown is no reason to fail.
            let _ = stderr().flush();
        } else if self.told.elapsed() >= HEARTBEAT {
            self.told = Instant::now();
            eprintln!("{status} (still running)");
        }
    }

    /// Prints a line that stays.
    pub(crate) fn line(&mut self, text: &str) {
        self.clear();
        eprintln!("{text}");
        self.told = Instant::now();
    }

    /// Removes the status line.
    pub(crate) fn clear(&self) {
        if self.terminal.live {
            eprint!("\r\x1b[2K");
        }
    }
}

/// A duration as people say it: `3.2 s`, `2 min 05 s`.
pub(crate) fn human(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

/// The text without terminal escape sequences.
pub(crate) fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\x1b' {
            // `ESC [ … letter`, the only kind that cargo and rustc print.
            let _ = chars.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_removed_and_text_is_kept() {
        assert_eq!(without_colours("\x1b[1m\x1b[31merror\x1b[0m: [x]"), "error: [x]");
        assert_eq!(without_colours("plain é"), "plain é");
    }

    #[test]
    fn durations_are_told_in_minutes_from_one_minute_on() {
        assert_eq!(human(Duration::from_millis(3_240)), "3.2 s");
        assert_eq!(human(Duration::from_secs(125)), "2 min 05 s");
    }
}
