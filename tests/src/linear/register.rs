//! `Register`: a number that may be absent, and everything that can be asked of it.
//!
//! Every number that is written is another one, so that each read names the write that it saw, and a
//! revision that is a digest of the value stands for one state only.

use core::fmt;

use state_runtime::prelude::*;

use super::check;

/// What the clients share.
#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "linear:{name}", persistent)]
pub struct Register {
    /// Its name.
    #[garde(skip)]
    pub name: String,
    /// What it holds.
    #[state(value)]
    #[garde(skip)]
    pub number: i64,
}

/// What is asked of a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Read it.
    Get,
    /// Read it among others.
    GetMany,
    /// Ask whether there is a number.
    Exists,
    /// Read it and remove it.
    Take,
    /// Write a number.
    Set(i64),
    /// Write a number where there is none.
    Create(i64),
    /// Write a number in place of one that was seen.
    Replace {
        /// What was seen.
        seen: i64,
        /// What is to be there.
        new: i64,
    },
    /// Halve a number and add this one.
    Update(i64),
    /// The same, beginning with 0 where there is no number.
    Upsert(i64),
    /// Add a number; an absent one is 0.
    Add(i64),
    /// Remove it.
    Remove,
    /// Remove a number that was seen.
    RemoveIf {
        /// What was seen.
        seen: i64,
    },
    /// Write it in a batch, which may hold others, too.
    Commit(Write),
}

/// A write in a batch: each is what the call of the same name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// [`Call::Set`].
    Set(i64),
    /// [`Call::Create`].
    Create(i64),
    /// [`Call::Replace`].
    Replace {
        /// What was seen.
        seen: i64,
        /// What is to be there.
        new: i64,
    },
}

impl Write {
    /// The same without a batch.
    pub(super) const fn alone(self) -> Call {
        match self {
            Self::Set(new) => Call::Set(new),
            Self::Create(new) => Call::Create(new),
            Self::Replace { seen, new } => Call::Replace { seen, new },
        }
    }
}

/// What was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is done.
    Done,
    /// Whether there is one.
    There(bool),
    /// This is what is there, or was.
    Found(Option<i64>),
    /// This is what was written.
    Wrote(i64),
    /// What was there did not allow it.
    Refused,
}

impl Call {
    /// Whether it can change the register.
    pub(super) const fn is_write(self) -> bool {
        !matches!(self, Self::Get | Self::GetMany | Self::Exists)
    }
}

/// What an update makes of a number. The order of two updates makes a difference.
#[must_use]
pub(super) const fn mix(number: i64, with: i64) -> i64 {
    number / 2 + with
}

impl check::Call for Call {
    type State = Option<i64>;
    type Answer = Answer;

    fn carry_out(&self, state: &Option<i64>) -> (Option<i64>, Answer) {
        let wrote = |number| (Some(number), Answer::Wrote(number));
        let refused = (*state, Answer::Refused);
        match (*self, *state) {
            (Self::Get | Self::GetMany, _) => (*state, Answer::Found(*state)),
            (Self::Exists, _) => (*state, Answer::There(state.is_some())),
            (Self::Commit(one), _) => one.alone().carry_out(state),
            (Self::Take, _) => (None, Answer::Found(*state)),
            (Self::Set(new), _) | (Self::Create(new), None) => (Some(new), Answer::Done),
            (Self::Replace { seen, new }, Some(now)) if now == seen => (Some(new), Answer::Done),
            (Self::Update(with), Some(now)) => wrote(mix(now, with)),
            (Self::Upsert(with), now) => wrote(mix(now.unwrap_or(0), with)),
            (Self::Add(delta), now) => wrote(now.unwrap_or(0) + delta),
            (Self::Remove, _) => (None, Answer::Done),
            (Self::RemoveIf { seen }, Some(now)) if now == seen => (None, Answer::Done),
            (
                Self::Create(_) | Self::Replace { .. } | Self::Update(_) | Self::RemoveIf { .. },
                _,
            ) => refused,
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Get => f.write_str("get"),
            Self::GetMany => f.write_str("get many"),
            Self::Exists => f.write_str("exists"),
            Self::Commit(write) => write!(f, "commit: {}", write.alone()),
            Self::Take => f.write_str("take"),
            Self::Set(new) => write!(f, "set {new}"),
            Self::Create(new) => write!(f, "create {new}"),
            Self::Replace { seen, new } => write!(f, "replace {seen} by {new}"),
            Self::Update(with) => write!(f, "update: half of it and {with}"),
            Self::Upsert(with) => write!(f, "update or insert: half of it and {with}"),
            Self::Add(delta) => write!(f, "add {delta}"),
            Self::Remove => f.write_str("remove"),
            Self::RemoveIf { seen } => write!(f, "remove if {seen}"),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::There(true) => f.write_str("there is one"),
            Self::There(false) => f.write_str("there is none"),
            Self::Found(None) => f.write_str("nothing"),
            Self::Found(Some(number)) => write!(f, "found {number}"),
            Self::Wrote(number) => write!(f, "wrote {number}"),
            Self::Refused => f.write_str("refused"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{check::Call as _, *};

    #[test]
    fn conditions_hold_for_what_was_seen_alone() {
        let replace = Call::Replace { seen: 1, new: 2 };
        assert_eq!(replace.carry_out(&Some(1)), (Some(2), Answer::Done));
        assert_eq!(replace.carry_out(&Some(3)), (Some(3), Answer::Refused));
        assert_eq!(replace.carry_out(&None), (None, Answer::Refused));
        assert_eq!(Call::Create(5).carry_out(&None), (Some(5), Answer::Done));
        assert_eq!(Call::Create(5).carry_out(&Some(1)), (Some(1), Answer::Refused));
        assert_eq!(Call::RemoveIf { seen: 1 }.carry_out(&Some(1)), (None, Answer::Done));
        for write in [Write::Set(5), Write::Create(5), Write::Replace { seen: 1, new: 5 }] {
            for state in [None, Some(1), Some(2)] {
                let alone = write.alone().carry_out(&state);
                assert_eq!(Call::Commit(write).carry_out(&state), alone);
            }
        }
        assert_eq!(Call::RemoveIf { seen: 1 }.carry_out(&Some(2)), (Some(2), Answer::Refused));
    }

    #[test]
    fn an_absent_number_counts_as_nothing_where_it_may() {
        assert_eq!(Call::Add(5).carry_out(&None), (Some(5), Answer::Wrote(5)));
        assert_eq!(Call::Add(5).carry_out(&Some(2)), (Some(7), Answer::Wrote(7)));
        assert_eq!(Call::Upsert(5).carry_out(&None), (Some(5), Answer::Wrote(5)));
        assert_eq!(Call::Update(5).carry_out(&None), (None, Answer::Refused));
        assert_eq!(Call::Update(5).carry_out(&Some(4)), (Some(7), Answer::Wrote(7)));
        assert_eq!(Call::Take.carry_out(&Some(4)), (None, Answer::Found(Some(4))));
        for (state, there) in [(None, false), (Some(4), true)] {
            assert_eq!(Call::Exists.carry_out(&state), (state, Answer::There(there)));
            assert_eq!(Call::GetMany.carry_out(&state), (state, Answer::Found(state)));
        }
    }
}
