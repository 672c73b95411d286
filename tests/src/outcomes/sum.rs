//! A number to which several added one at once: what it may be by what they were told.

use core::ops::RangeInclusive;
use std::collections::BTreeSet;

use state_runtime::{
    backend::{ErrorKind, Result},
    key::Key,
};

use super::Target;

/// A number to which several added one at once, from nothing.
#[derive(Debug)]
pub(super) struct Sum {
    key: Key,
    /// What it may be.
    range: RangeInclusive<usize>,
    /// What those were told whose additions were done.
    told: Vec<i128>,
}

impl Sum {
    /// What was said of each addition, where `None` means that it did not return.
    pub(super) fn new(key: Key, said: &[Option<Result<i128>>]) -> Self {
        let told: Vec<_> = said.iter().flatten().flatten().copied().collect();
        let is_open = |said: &&Option<Result<i128>>| match said {
            Some(Err(error)) => error.kind() == ErrorKind::Indeterminate,
            _ => false,
        };
        let most = told.len() + said.iter().filter(is_open).count();
        Self { key, range: told.len()..=most, told }
    }

    /// Compares it with what is stored.
    pub(super) async fn check<T: Target>(&self, target: &T) -> Result<(), String> {
        let stored = target.stored(&self.key).await.map_err(super::unseen)?;
        let text = String::from_utf8(stored.unwrap_or_else(|| b"0".to_vec()));
        let stored = text.ok().and_then(|text| text.parse().ok());
        self.allows(stored.ok_or("what is stored is no number")?)
    }

    fn allows(&self, stored: usize) -> Result<(), String> {
        if !self.range.contains(&stored) {
            let (done, most) = (self.range.start(), self.range.end());
            return Err(format!("{done} to {most} were said to be done, and {stored} are"));
        }
        let different: BTreeSet<_> = self.told.iter().collect();
        let is_one =
            |sum: &i128| usize::try_from(*sum).is_ok_and(|sum| (1..=stored).contains(&sum));
        if different.len() < self.told.len() || !self.told.iter().all(is_one) {
            return Err(format!("of {stored} additions somebody was told another sum"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use state_runtime::backend::BackendError;

    use super::*;

    fn sum<const N: usize>(said: [Result<i128>; N]) -> Sum {
        Sum::new(Key::from_stored("number"), &said.map(Some))
    }

    fn failed(kind: ErrorKind) -> Result<i128> {
        Err(BackendError::new(kind, "a test"))
    }

    #[test]
    fn it_is_what_was_acknowledged_give_or_take_what_was_not() {
        let [lost, open] = [ErrorKind::Unavailable, ErrorKind::Indeterminate].map(failed);
        let sum = sum([Ok(1), lost, open, Ok(2)]);
        let allowed: Vec<_> = (0..6).filter(|stored| sum.allows(*stored).is_ok()).collect();
        assert_eq!(allowed, [2, 3]);
    }

    #[test]
    fn nobody_is_told_the_sum_of_another_or_one_that_never_was() {
        assert!(sum([Ok(1), Ok(2)]).allows(2).is_ok());
        assert!(sum([Ok(2), Ok(2)]).allows(2).is_err());
        assert!(sum([Ok(1), Ok(3)]).allows(2).is_err());
        assert!(sum([Ok(1), Ok(0)]).allows(2).is_err());
    }
}
