//! When the entries that somebody watches expire, as far as there is room to remember it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::backend::Timestamp;

/// The most entries that are remembered, those that expire first.
const ROOM: usize = 10_000;

/// Entries in the order in which they expire.
#[derive(Debug, Default)]
pub(super) struct Expiries {
    of_key: HashMap<Arc<str>, Timestamp>,
    in_order: BTreeSet<(Timestamp, Arc<str>)>,
    /// The first expiry of those for which there was no room.
    unknown: Option<Timestamp>,
}

/// What has expired.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Key(String),
    /// Nobody knows which: they have to be listed again.
    Unknown,
}

impl Expiries {
    /// Remembers the expiry of an entry in place of what was known of it.
    pub(super) fn put(&mut self, key: &str, expiry: Option<Timestamp>) {
        if let Some((key, last)) = self.of_key.remove_entry(key) {
            self.in_order.remove(&(last, key));
        }
        let Some(expiry) = expiry else { return };
        let key: Arc<str> = Arc::from(key);
        self.of_key.insert(Arc::clone(&key), expiry);
        self.in_order.insert((expiry, key));
        if self.in_order.len() > ROOM
            && let Some((last, key)) = self.in_order.pop_last()
        {
            self.of_key.remove(&key);
            self.unknown = Some(self.unknown.map_or(last, |first| first.min(last)));
        }
    }

    /// When the next one expires.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let first = self.in_order.first().map(|(at, _)| *at);
        first.into_iter().chain(self.unknown).min()
    }

    /// Takes one that has expired at `now`.
    pub(super) fn due(&mut self, now: Timestamp) -> Due {
        if self.in_order.first().is_some_and(|(at, _)| *at <= now)
            && let Some((_, key)) = self.in_order.pop_first()
        {
            self.of_key.remove(&key);
            return Due::Key(key.to_string());
        }
        if self.unknown.is_some_and(|at| at <= now) {
            return Due::Unknown;
        }
        Due::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: usize) -> Timestamp {
        Timestamp::from_millis(millis as u64)
    }

    #[test]
    fn entries_expire_in_their_order() {
        let mut expiries = Expiries::default();
        expiries.put("late", Some(at(30)));
        expiries.put("soon", Some(at(10)));
        expiries.put("never", Some(at(20)));
        expiries.put("never", None);
        expiries.put("moved", Some(at(5)));
        expiries.put("moved", Some(at(40)));
        assert_eq!(expiries.next(), Some(at(10)));
        assert_eq!(expiries.due(at(9)), Due::Nothing);
        let keys = [(); 4].map(|()| expiries.due(at(40)));
        let named = |key: &str| Due::Key(key.to_owned());
        assert_eq!(keys, [named("soon"), named("late"), named("moved"), Due::Nothing]);
        assert!(expiries.of_key.is_empty() && expiries.next().is_none());
    }

    #[test]
    fn what_there_is_no_room_for_is_looked_up_when_it_is_due() {
        let mut expiries = Expiries::default();
        for i in (0..ROOM + 10).rev() {
            expiries.put(&i.to_string(), Some(at(i)));
        }
        assert_eq!(expiries.in_order.len(), ROOM);
        for i in 0..ROOM {
            assert_eq!(expiries.due(at(ROOM - 1)), Due::Key(i.to_string()));
        }
        assert_eq!(expiries.due(at(ROOM - 1)), Due::Nothing);
        assert_eq!(expiries.due(at(ROOM)), Due::Unknown);
    }
}
