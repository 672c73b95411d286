//! A bar on a terminal, a few lines anywhere else.

use std::io::{self, IsTerminal as _, Write as _};

const BAR: usize = 32;

/// How far something is.
pub(crate) struct Progress {
    what: &'static str,
    total: usize,
    terminal: bool,
    /// How much of the bar, or how many quarters, have been shown.
    shown: Option<usize>,
}

impl Progress {
    pub(crate) fn new(what: &'static str, total: usize) -> Self {
        Self { what, total, terminal: io::stderr().is_terminal(), shown: None }
    }

    /// Shows that `done` of the total are done, unless that looks the same as before.
    pub(crate) fn at(&mut self, done: usize) {
        let steps = if self.terminal { BAR } else { 4 };
        let step = (done * steps).checked_div(self.total).unwrap_or(steps).min(steps);
        if self.shown.replace(step) == Some(step) {
            return;
        }
        let (what, total) = (self.what, self.total);
        // Nobody may be reading; that is no reason to stop.
        let _ = if self.terminal {
            let bar = format!("{}{}", "█".repeat(step), "░".repeat(BAR - step));
            write!(io::stderr(), "\r  {what:<17}{bar} {done} of {total}\x1b[K")
        } else {
            writeln!(io::stderr(), "  {what:<17}{done} of {total}")
        };
    }
}

/// Leaves the line of the bar.
impl Drop for Progress {
    fn drop(&mut self) {
        if self.terminal && self.shown.is_some() {
            let _ = writeln!(io::stderr());
        }
    }
}
