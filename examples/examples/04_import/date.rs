//! A date as the file writes it (`Jun 12 1998`), stored as everybody else does (`1998-06-12`).

use std::{fmt, num::ParseIntError, str::FromStr};

use serde::{Deserialize, Serialize};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A year, a month and a day. Reading one checks how it is written, not that there is such a day:
/// that is a rule, and a broken rule says what is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    pub(crate) const fn new(year: u16, month: u8, day: u8) -> Self {
        Self { year, month, day }
    }

    pub(crate) const fn is_in_calendar(self) -> bool {
        let leap = self.year.is_multiple_of(4) && !self.year.is_multiple_of(100)
            || self.year.is_multiple_of(400);
        let days = match self.month {
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            1..=12 => 31,
            _ => 0,
        };
        1 <= self.day && self.day <= days
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for Date {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        if let [month, day, year] = text.split(' ').collect::<Vec<_>>()[..] {
            let month = (1..).zip(MONTHS).find(|(_, name)| *name == month).ok_or(NotADate)?.0;
            return Ok(Self::new(year.parse()?, month, day.parse()?));
        }
        if let [year, month, day] = text.split('-').collect::<Vec<_>>()[..] {
            return Ok(Self::new(year.parse()?, month.parse()?, day.parse()?));
        }
        Err(NotADate)
    }
}

impl TryFrom<String> for Date {
    type Error = NotADate;

    fn try_from(text: String) -> Result<Self, NotADate> {
        text.parse()
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

/// The text is not written like a date.
#[derive(Debug)]
pub(crate) struct NotADate;

impl fmt::Display for NotADate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a date like `Jun 12 1998` or `1998-06-12`")
    }
}

impl From<ParseIntError> for NotADate {
    fn from(_: ParseIntError) -> Self {
        Self
    }
}
