//! What a check saw: how often each answer was given, and every answer that was not true.

use core::fmt;
use std::collections::BTreeMap;

use super::Operation;

/// How many faults are printed; the others are only counted.
const SHOWN: usize = 30;

/// What a check saw.
#[derive(Debug, Default)]
pub struct Report {
    /// How often something was answered to an operation during a fault.
    pub answers: BTreeMap<(Operation, String), usize>,
    /// What each operation exchanges with the server, where that was measured.
    pub exchanges: BTreeMap<Operation, Option<Exchange>>,
    /// The operations that the backend does not support.
    pub skipped: Vec<Operation>,
    /// How many faults were armed.
    pub armed: usize,
    /// How many of them happened.
    pub happened: usize,
    /// Everything that was not true.
    pub faults: Vec<String>,
}

/// What an operation exchanges with the server when nothing goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// How many bytes reach the server.
    pub to_server: u64,
    /// How many bytes reach the client.
    pub to_client: u64,
    /// How often the server answers.
    pub round_trips: usize,
}

impl Report {
    pub(super) fn answered(&mut self, operation: Operation, answer: String) {
        *self.answers.entry((operation, answer)).or_default() += 1;
    }

    pub(super) fn fault(&mut self, fault: impl Into<String>) {
        self.faults.push(fault.into());
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (key, count) in other.answers {
            *self.answers.entry(key).or_default() += count;
        }
        self.exchanges.extend(other.exchanges);
        self.skipped.extend(other.skipped);
        self.armed += other.armed;
        self.happened += other.happened;
        self.faults.extend(other.faults);
    }

    /// How often `answer` was given to `operation`.
    #[must_use]
    pub fn count(&self, operation: Operation, answer: &str) -> usize {
        self.answers.get(&(operation, answer.to_owned())).copied().unwrap_or_default()
    }

    /// Checks that nothing was untrue, and that nearly all faults happened, so that there was
    /// something to be untrue about.
    ///
    /// # Panics
    ///
    /// Otherwise.
    pub fn assert_honest(&self) {
        println!("{self}");
        assert!(self.faults.is_empty(), "{self}");
        assert!(self.armed > 0 && self.happened * 10 >= self.armed * 9, "few faults: {self}");
    }

    /// Checks that something was found.
    ///
    /// # Panics
    ///
    /// Otherwise.
    pub fn assert_caught(&self, what: &str) {
        let found = self.faults.iter().any(|fault| fault.contains(what));
        assert!(found, "nobody noticed that {what}: {self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} of {} faults happened", self.happened, self.armed)?;
        for (operation, exchange) in &self.exchanges {
            write!(f, "  {operation:?}:")?;
            if let Some(Exchange { to_server, to_client, round_trips }) = exchange {
                write!(f, " {to_server} B up, {to_client} B down, {round_trips} round trips;")?;
            }
            for ((_, answer), count) in self.answers.iter().filter(|((of, _), _)| of == operation) {
                write!(f, " {answer} {count}")?;
            }
            writeln!(f)?;
        }
        for operation in &self.skipped {
            writeln!(f, "  {operation:?}: not supported")?;
        }
        writeln!(f, "{} answers were not true", self.faults.len())?;
        for fault in self.faults.iter().take(SHOWN) {
            writeln!(f, "  {fault}")?;
        }
        Ok(())
    }
}
