//! What became of the records.

use examples::{say, step};
use state_runtime::{
    StateError,
    error::InvalidKey,
    key::KeyError,
    value::{DecodeKind, Report},
};

/// What became of the records of one file.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// How many are stored now that were not.
    pub(crate) stored: usize,
    /// How many an earlier run had stored.
    pub(crate) there_before: usize,
    /// How many have the title of an earlier record.
    pub(crate) duplicates: usize,
    /// Why others were not accepted.
    pub(crate) rejected: Vec<Rejection>,
}

/// Why a record was not accepted.
#[derive(Debug)]
pub(crate) struct Rejection {
    /// The record, counted from 0.
    index: usize,
    /// Where in the record, and why there: at least one.
    faults: Vec<(String, String)>,
}

impl Rejection {
    /// One field is wrong.
    pub(crate) fn at(index: usize, field: &str, reason: &str) -> Self {
        Self { index, faults: vec![(field.to_owned(), reason.to_owned())] }
    }

    /// What a typed error says of the record.
    pub(crate) fn of(index: usize, error: &StateError) -> Self {
        let one = |field: &str, reason: String| vec![(field.to_owned(), reason)];
        let rules = |report: &Report| {
            let rows = report.violations().iter();
            rows.map(|it| (it.path().to_string(), it.message().to_owned())).collect()
        };
        let faults = match error {
            StateError::Decode { kind: DecodeKind::MissingField(Some(name)), .. } => {
                one(name, "missing".to_owned())
            }
            StateError::Decode { path, kind, .. } => one(&path.to_string(), kind.to_string()),
            StateError::Invalid { report, .. } => rules(report),
            StateError::InvalidKey { reason, .. } => match &**reason {
                InvalidKey::Rules(report) => rules(report),
                InvalidKey::Encoding(KeyError::Empty { field }) => one(field, "empty".to_owned()),
                reason => one("title", reason.to_string()),
            },
            StateError::TooLarge { size, limit, .. } => {
                one("the record", format!("{size} bytes, {limit} are allowed"))
            }
            other => one("the record", other.to_string()),
        };
        Self { index, faults }
    }
}

impl Outcome {
    /// Prints the numbers, and every rejected record with its index, field and reason.
    pub(crate) fn print(&self, records: usize) {
        step("What became of the records");
        say("records", grouped(records));
        say("stored", grouped(self.stored));
        say("there before", grouped(self.there_before));
        say("duplicates", format!("{} (the first of a title wins)", grouped(self.duplicates)));
        say("rejected", grouped(self.rejected.len()));
        if self.rejected.is_empty() {
            return;
        }
        step("Rejected (records count from 0)");
        say("record", format!("{:<24}reason", "field"));
        for rejection in &self.rejected {
            let mut index = grouped(rejection.index);
            for (field, reason) in &rejection.faults {
                say(&format!("{index:>6}"), format!("{field:<24}{reason}"));
                index.clear();
            }
        }
    }

    /// How many records were looked at.
    pub(crate) fn sum(&self) -> usize {
        self.stored + self.there_before + self.duplicates + self.rejected.len()
    }
}

/// `3201` as `3,201`.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
