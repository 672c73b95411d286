//! What a check saw: how often each answer was given, and every answer that was not true.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

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
    pub skipped: BTreeSet<Operation>,
    /// How many faults of the connection there were to be.
    pub planned: usize,
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

    pub(super) fn of(several: Vec<Self>) -> Self {
        several.into_iter().fold(Self::default(), |mut all, each| {
            all.merge(each);
            all
        })
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (key, count) in other.answers {
            *self.answers.entry(key).or_default() += count;
        }
        self.exchanges.extend(other.exchanges);
        self.skipped.extend(other.skipped);
        self.planned += other.planned;
        self.happened += other.happened;
        self.faults.extend(other.faults);
    }

    /// How often `answer` was given to `operation`.
    #[must_use]
    pub fn count(&self, operation: Operation, answer: &str) -> usize {
        self.answers.get(&(operation, answer.to_owned())).copied().unwrap_or_default()
    }

    /// Checks that nothing was untrue, and that there was something to be untrue about: that all
    /// operations were carried out during a fault, and that all faults happened.
    ///
    /// # Panics
    ///
    /// Otherwise.
    pub fn assert_honest(&self) {
        self.assert_honest_but_for(&[]);
    }

    /// Like [`assert_honest`](Self::assert_honest) for a backend that does not support exactly these
    /// operations.
    ///
    /// # Panics
    ///
    /// If something was untrue or not tried, or if other operations than these were skipped.
    pub fn assert_honest_but_for(&self, skipped: &[Operation]) {
        println!("{self}");
        assert!(self.faults.is_empty(), "{self}");
        let skipped = skipped.iter().copied().collect();
        assert_eq!(self.skipped, skipped, "operations that are not supported: {self}");
        assert!(!self.exchanges.is_empty(), "no operation is supported: {self}");
        for operation in self.exchanges.keys() {
            let answered = self.answers.keys().any(|(answered, _)| answered == operation);
            assert!(answered, "{operation:?} was never carried out during a fault: {self}");
        }
        assert_eq!(self.happened, self.planned, "not all faults happened: {self}");
    }

    /// Checks that something was found.
    ///
    /// # Panics
    ///
    /// Otherwise.
    pub fn assert_caught(&self, what: &str) {
        self.assert_caught_of("", what);
    }

    /// Checks that it was found that writes were done which, as was said, never would be: at once or
    /// later, by how fast the looking was.
    ///
    /// # Panics
    ///
    /// Otherwise.
    pub fn assert_caught_late(&self) {
        let signs = ["changed after the backend was gone", "which means not applied, but it is"];
        let found = self.faults.iter().any(|fault| signs.iter().any(|sign| fault.contains(sign)));
        assert!(found, "nobody noticed the late writes: {self}");
    }

    /// Checks that something was found of `whom`: that is how the finding begins.
    ///
    /// # Panics
    ///
    /// Otherwise.
    pub fn assert_caught_of(&self, whom: &str, what: &str) {
        let is_it = |fault: &String| fault.starts_with(whom) && fault.contains(what);
        assert!(self.faults.iter().any(is_it), "nobody noticed of {whom:?} that {what}: {self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} of {} faults of the connection happened", self.happened, self.planned)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What a check saw that did everything it was to do.
    fn complete() -> Report {
        let mut report = Report { planned: 3, happened: 3, ..Report::default() };
        report.exchanges.insert(Operation::Get, None);
        report.answered(Operation::Get, "ok".to_owned());
        report
    }

    #[test]
    fn a_report_of_a_complete_check_is_honest() {
        complete().assert_honest();
        let skipped = BTreeSet::from([Operation::Apply]);
        Report { skipped, ..complete() }.assert_honest_but_for(&[Operation::Apply]);
    }

    #[test]
    #[should_panic(expected = "operations that are not supported")]
    fn an_operation_that_is_skipped_has_to_be_named() {
        Report { skipped: BTreeSet::from([Operation::Apply]), ..complete() }.assert_honest();
    }

    #[test]
    #[should_panic(expected = "operations that are not supported")]
    fn an_operation_that_is_named_has_to_be_skipped() {
        complete().assert_honest_but_for(&[Operation::Apply]);
    }

    #[test]
    #[should_panic(expected = "no operation is supported")]
    fn who_supports_nothing_is_not_honest() {
        let skipped = BTreeSet::from(Operation::ALL);
        Report { skipped, ..Report::default() }.assert_honest_but_for(&Operation::ALL);
    }

    #[test]
    #[should_panic(expected = "never carried out during a fault")]
    fn an_operation_without_an_answer_was_not_checked() {
        Report { answers: BTreeMap::new(), ..complete() }.assert_honest();
    }

    #[test]
    #[should_panic(expected = "not all faults happened")]
    fn a_fault_that_did_not_happen_is_missed() {
        Report { happened: 2, ..complete() }.assert_honest();
    }

    #[test]
    #[should_panic(expected = "a lie")]
    fn a_lie_is_not_honest() {
        let mut report = complete();
        report.fault("a lie");
        report.assert_honest();
    }
}
