//! The entries of a scan that its walk has not met, by their names.
//!
//! The server tells all names at one moment, however fast they are rewritten, and a name does not
//! move. Where there are very many, it tells them in parts, in the order of the names, each by its
//! number in that order. Numbers shift when names before them come or go, so a part is asked for
//! that begins with names which are known.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};

use super::{AT_ONCE, Looked, PAGE_BYTES, Place, Session};
use crate::{
    backend::{ErrorKind, Result},
    backends::nats::session::json,
};

/// Of so many names of a part, one is in the part before it, too.
const COMMON: usize = 64;

/// Names that are yet to be read, and where to ask for more.
#[derive(Clone)]
pub(super) struct Names {
    /// What has a lower sequence was met.
    behind: u64,
    /// Those of one part.
    some: Arc<[String]>,
    /// How many of them are done.
    done: usize,
    /// The next part; `None` after the last.
    more: Option<Part>,
}

/// Where a part begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Part {
    offset: usize,
    /// The last name that is known; empty before the first.
    after: String,
}

/// Asks for the names under a filter.
#[derive(Serialize)]
struct ListNames<'a> {
    subjects_filter: &'a str,
    offset: usize,
}

/// Some names, in order.
#[derive(Debug, Deserialize)]
struct Listed {
    /// How many there are in all.
    #[serde(default)]
    total: usize,
    state: State,
}

#[derive(Debug, Default, Deserialize)]
struct State {
    #[serde(default)]
    /// And how many messages each has.
    subjects: BTreeMap<String, u64>,
}

impl Names {
    /// All that a walk up to this sequence may have missed.
    pub(super) fn behind(sequence: u64) -> Self {
        Self { behind: sequence, some: Arc::default(), done: 0, more: Some(Part::default()) }
    }

    /// The next entries whose names are new, and how to go on.
    pub(super) async fn page(
        mut self,
        session: &Session,
        filter: &str,
        limit: usize,
        is_new: impl Fn(&str) -> bool,
    ) -> Result<Looked> {
        if let (true, Some(part)) = (self.done == self.some.len(), &self.more) {
            let mut offset = part.offset;
            let (names, more) = loop {
                match part.names(offset, session.names(filter, offset).await?) {
                    Outcome::Names(names, more) => break (names, more),
                    Outcome::Elsewhere(other) => offset = other,
                }
            };
            self.some = names.into_iter().filter(|name| is_new(name)).collect();
            (self.done, self.more) = (0, more);
        }
        let left = self.some.get(self.done..).unwrap_or_default();
        let reads: Vec<_> = left.iter().take(limit).map(|name| session.last(name)).collect();
        let mut reads = stream::iter(reads).buffered(AT_ONCE).zip(stream::iter(left));
        let (mut found, mut bytes) = (Vec::new(), 0);
        while bytes < PAGE_BYTES
            && let Some((last, name)) = reads.next().await
        {
            self.done += 1;
            match last {
                Ok(Some(stored)) if stored.sequence >= self.behind => {
                    bytes += stored.value.len();
                    found.push((name.clone(), stored));
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Foreign => {
                    let stream = &session.bucket.stream;
                    tracing::warn!(stream, %error, "a scan leaves an entry out");
                }
                Err(error) => return Err(error),
            }
        }
        drop(reads);
        let is_over = self.done == self.some.len() && self.more.is_none();
        Ok((found, (!is_over).then_some(Place::Names(self))))
    }
}

/// What is known after a part was asked for.
enum Outcome {
    /// The names behind the last one that was known, and where the next part begins.
    Names(Vec<String>, Option<Part>),
    /// The part begins at another offset by now.
    Elsewhere(usize),
}

impl Part {
    /// Takes the names that the server told from an `offset` on, as many as it tells at once.
    fn names(&self, offset: usize, Listed { total, state }: Listed) -> Outcome {
        let subjects = state.subjects;
        // Names before these have gone: others may have slipped to where they were.
        if offset > 0 && subjects.first_key_value().is_none_or(|(first, _)| *first > self.after) {
            return Outcome::Elsewhere(offset / 2);
        }
        let end = offset.saturating_add(subjects.len());
        let next = end.saturating_sub(common(subjects.len()));
        let has_more = !subjects.is_empty() && end < total;
        let names: Vec<_> = subjects.into_keys().filter(|name| *name > self.after).collect();
        match names.last() {
            // So many have come before these that there is nothing new among them.
            None if has_more => Outcome::Elsewhere(next),
            Some(last) if has_more => {
                let next = Self { offset: next, after: last.clone() };
                Outcome::Names(names, Some(next))
            }
            _ => Outcome::Names(names, None),
        }
    }
}

/// How many names of a part are asked for again with the next one; never all.
const fn common(length: usize) -> usize {
    match length {
        0 | 1 => 0,
        2..COMMON => 1,
        _ => length / COMMON,
    }
}

impl Session {
    async fn names(&self, filter: &str, offset: usize) -> Result<Listed> {
        let request = json(&ListNames { subjects_filter: filter, offset })?;
        self.connection.ask(&format!("STREAM.INFO.{}", self.bucket.stream), request).await
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// How many names the server of these tests tells at once.
    const AT_A_TIME: usize = 8;

    /// Asks for all names, and does something to them before each answer.
    fn all(
        names: &mut BTreeSet<String>,
        meanwhile: impl Fn(usize, &mut BTreeSet<String>),
    ) -> Vec<String> {
        let (mut found, mut part, mut offset) = (Vec::new(), Part::default(), 0);
        for asked in 1..1000 {
            meanwhile(asked, names);
            let some = names.iter().skip(offset).take(AT_A_TIME);
            let subjects = some.map(|name| (name.clone(), 1)).collect();
            let listed = Listed { total: names.len(), state: State { subjects } };
            match part.names(offset, listed) {
                Outcome::Elsewhere(other) => offset = other,
                Outcome::Names(names, more) => {
                    found.extend(names);
                    let Some(more) = more else { return found };
                    (offset, part) = (more.offset, more);
                }
            }
        }
        panic!("it does not end");
    }

    fn numbers(range: core::ops::Range<u32>) -> BTreeSet<String> {
        range.map(|number| format!("{number:03}")).collect()
    }

    #[test]
    fn all_parts_together_hold_every_name_once() {
        for count in [0, 1, 7, 8, 9, 15, 16, 17, 100] {
            let mut names = numbers(0..count);
            assert!(all(&mut names, |_, _| {}).into_iter().eq(names), "{count}");
        }
    }

    #[test]
    fn what_stays_is_there_once_whatever_goes_before_it() {
        for goes in [1, 3, 20, 60] {
            let found = all(&mut numbers(0..100), |asked, names| {
                if asked == 9 {
                    *names = numbers(goes..100);
                }
            });
            let stays = found.into_iter().filter(|name| *name >= format!("{goes:03}"));
            assert!(stays.eq(numbers(goes..100)), "{goes}");
        }
    }

    #[test]
    fn what_stays_is_there_once_whatever_comes_before_it() {
        let found = all(&mut numbers(50..100), |asked, names| {
            if asked == 4 {
                names.extend(numbers(0..50));
            }
        });
        assert!(found.into_iter().eq(numbers(50..100)));
    }

    #[test]
    fn all_names_may_go_meanwhile() {
        let found = all(&mut numbers(0..100), |asked, names| {
            if asked == 3 {
                names.clear();
            }
        });
        assert!(found.into_iter().eq(numbers(0..15)));
    }

    #[test]
    fn a_list_is_read_and_may_be_empty() -> serde_json::Result<()> {
        let text = r#"{"total":2,"offset":0,"limit":100000,"state":{"messages":3,"subjects":{"b":1,"a":2}}}"#;
        let listed: Listed = serde_json::from_str(text)?;
        assert_eq!(listed.total, 2);
        assert!(listed.state.subjects.into_keys().eq(["a", "b"]));
        let listed: Listed = serde_json::from_str(r#"{"state":{"messages":0}}"#)?;
        assert!(listed.state.subjects.is_empty());
        Ok(())
    }
}
