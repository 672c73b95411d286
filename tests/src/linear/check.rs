//! A checker of linearizability: whether some order of the calls explains every answer.
//!
//! A history is linearizable if each call can be given a moment between its beginning and its answer
//! such that the calls, carried out one after the other at these moments, give those answers
//! (M. P. Herlihy and J. M. Wing, "Linearizability: a correctness condition for concurrent objects",
//! 1990). The search is the one of J. M. Wing and C. Gong, "Testing and verifying concurrent
//! objects" (1993), with the memory of G. Lowe, "Testing for linearizability" (2017): what comes
//! next depends on nothing but which calls were carried out and what they left, so no such pair is
//! looked into twice.
//!
//! A call without an answer may take effect at any later moment or never. It is left out of the
//! order, or put where it changes something.

use core::hash::Hash;
use std::{collections::HashSet, vec};

/// What an object does when it is called by one caller at a time.
pub trait Call {
    /// What the object is in; the default is what it begins with.
    type State: Clone + Eq + Hash + Default;
    /// What a call answers.
    type Answer: PartialEq;

    /// The state and the answer that follow when the call is carried out in `state`.
    fn carry_out(&self, state: &Self::State) -> (Self::State, Self::Answer);
}

/// A call that was made.
#[derive(Debug, Clone)]
pub struct Event<C: Call> {
    /// Who made it.
    pub client: usize,
    /// When it began, on a clock whose readings all differ.
    pub began: u64,
    /// What was asked for.
    pub call: C,
    /// When it was answered, and what, if that is known.
    pub answer: Option<(u64, C::Answer)>,
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<S> {
    /// There is an order that explains all answers.
    Linearizable,
    /// There is none.
    Impossible(Stuck<S>),
    /// The search was given up after too many steps.
    Undecided,
}

/// How far the search came at best.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck<S> {
    /// The longest order that was found, as places in the history.
    pub order: Vec<usize>,
    /// What it leaves.
    pub state: S,
}

/// How many pairs of a set of calls and a state are looked into before the search is given up.
const MOST: usize = 1_000_000;

/// Checks the history of one object.
pub fn check<C: Call>(history: &[Event<C>]) -> Verdict<C::State> {
    let mut search = Search { history, seen: HashSet::new() };
    let start = Node { done: Done::none(history.len()), state: C::State::default() };
    let mut stuck = Stuck { order: Vec::new(), state: start.state.clone() };
    let mut order = Vec::new();
    let mut path = Vec::new();
    match search.enter(start) {
        Entered::Complete => return Verdict::Linearizable,
        Entered::New(next) => path.push(next),
        Entered::Known => {}
    }
    while let Some(next) = path.last_mut() {
        let Some((place, node)) = next.next() else {
            path.pop();
            order.pop();
            continue;
        };
        if search.seen.len() > MOST {
            return Verdict::Undecided;
        }
        let state = node.state.clone();
        match search.enter(node) {
            Entered::Complete => return Verdict::Linearizable,
            Entered::Known => {}
            Entered::New(next) => {
                order.push(place);
                path.push(next);
                if order.len() > stuck.order.len() {
                    stuck = Stuck { order: order.clone(), state };
                }
            }
        }
    }
    Verdict::Impossible(stuck)
}

/// The shortest beginning of a history that no order explains, for one that has no order: it ends
/// with the first answer that cannot be.
///
/// Every beginning of a linearizable history is linearizable, if the calls that were not answered
/// by then count as open. So the shortest one is found by halving.
pub fn shortest<C: Call + Clone>(history: &[Event<C>]) -> Vec<Event<C>>
where
    C::Answer: Clone,
{
    let mut answers: Vec<u64> =
        history.iter().filter_map(|event| event.answer.as_ref()).map(|(at, _)| *at).collect();
    answers.sort_unstable();
    let fails = |end: u64| matches!(check(&until(history, end)), Verdict::Impossible(_));
    let sound = answers.partition_point(|end| !fails(*end));
    until(history, answers.get(sound).copied().unwrap_or(u64::MAX))
}

/// What was known of a history at one moment.
fn until<C: Call + Clone>(history: &[Event<C>], end: u64) -> Vec<Event<C>>
where
    C::Answer: Clone,
{
    let begun = history.iter().filter(|event| event.began < end);
    let known = begun.map(|event| {
        let answer = event.answer.clone().filter(|(at, _)| *at <= end);
        Event { answer, ..event.clone() }
    });
    known.collect()
}

/// Which calls were carried out, by their places in the history.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Done(Box<[u64]>);

impl Done {
    fn none(len: usize) -> Self {
        Self(vec![0; len.div_ceil(64)].into())
    }

    fn has(&self, place: usize) -> bool {
        self.0.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    fn with(&self, place: usize) -> Self {
        let mut more = self.clone();
        if let Some(word) = more.0.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
        more
    }
}

/// The calls that were carried out, and what they left.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Node<S> {
    done: Done,
    state: S,
}

type Next<S> = vec::IntoIter<(usize, Node<S>)>;

enum Entered<S> {
    /// Every call that was answered is carried out.
    Complete,
    /// It was looked into before.
    Known,
    /// It was not, and these are the calls that can follow.
    New(Next<S>),
}

struct Search<'h, C: Call> {
    history: &'h [Event<C>],
    seen: HashSet<Node<C::State>>,
}

impl<C: Call> Search<'_, C> {
    fn enter(&mut self, node: Node<C::State>) -> Entered<C::State> {
        let left = || self.history.iter().enumerate().filter(|(place, _)| !node.done.has(*place));
        let answers = left().filter_map(|(_, event)| event.answer.as_ref());
        // A call that began after this one was answered has to wait for its turn.
        let Some(first) = answers.map(|(at, _)| *at).min() else { return Entered::Complete };
        let (mut answered, mut open) = (Vec::new(), Vec::new());
        for (place, event) in left().filter(|(_, event)| event.began < first) {
            let (state, answer) = event.call.carry_out(&node.state);
            let next = || Node { done: node.done.with(place), state: state.clone() };
            match &event.answer {
                Some((_, given)) if *given == answer => answered.push((place, next())),
                None if state != node.state => open.push((place, next())),
                _ => {}
            }
        }
        // Those without an answer come last: most of them never took effect.
        answered.append(&mut open);
        if self.seen.insert(node) { Entered::New(answered.into_iter()) } else { Entered::Known }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A register that holds a number and starts with 0.
    #[derive(Debug, Clone, Copy)]
    enum Register {
        Read,
        Write(u8),
        Swap { old: u8, new: u8 },
    }

    use Register::{Read, Swap, Write};

    impl Call for Register {
        type State = u8;
        /// What is read, or whether it was swapped.
        type Answer = u8;

        fn carry_out(&self, state: &u8) -> (u8, u8) {
            match *self {
                Read => (*state, *state),
                Write(new) => (new, 0),
                Swap { old, new } if old == *state => (new, 1),
                Swap { .. } => (*state, 0),
            }
        }
    }

    fn event(began: u64, call: Register, answer: Option<(u64, u8)>) -> Event<Register> {
        Event { client: 0, began, call, answer }
    }

    fn answered(began: u64, ended: u64, call: Register, answer: u8) -> Event<Register> {
        event(began, call, Some((ended, answer)))
    }

    fn open(began: u64, call: Register) -> Event<Register> {
        event(began, call, None)
    }

    fn is_linearizable(history: &[Event<Register>]) -> bool {
        let verdict = check(history);
        assert_ne!(verdict, Verdict::Undecided);
        verdict == Verdict::Linearizable
    }

    #[test]
    fn one_after_the_other_is_as_it_is_called() {
        assert!(is_linearizable(&[]));
        assert!(is_linearizable(&[answered(1, 2, Write(1), 0), answered(3, 4, Read, 1)]));
        assert!(!is_linearizable(&[answered(1, 2, Write(1), 0), answered(3, 4, Read, 0)]));
    }

    #[test]
    fn a_read_beside_a_write_sees_either() {
        for seen in [0, 1] {
            assert!(is_linearizable(&[answered(1, 4, Write(1), 0), answered(2, 3, Read, seen)]));
        }
        assert!(!is_linearizable(&[answered(1, 4, Write(1), 0), answered(2, 3, Read, 2)]));
    }

    #[test]
    fn two_reads_never_go_back() {
        let reads = |first, second| {
            let write = answered(1, 10, Write(1), 0);
            is_linearizable(&[write, answered(2, 3, Read, first), answered(4, 5, Read, second)])
        };
        assert!(reads(0, 0) && reads(0, 1) && reads(1, 1));
        assert!(!reads(1, 0));
    }

    #[test]
    fn writers_are_seen_in_one_order_by_all() {
        let history = |third, fourth| {
            [
                answered(1, 20, Write(1), 0),
                answered(2, 21, Write(2), 0),
                answered(3, 4, Read, 1),
                answered(5, 6, Read, 2),
                answered(7, 8, Read, third),
                answered(9, 10, Read, fourth),
            ]
        };
        assert!(is_linearizable(&history(2, 2)));
        assert!(!is_linearizable(&history(2, 1)));
    }

    #[test]
    fn of_two_swaps_of_the_same_value_one_succeeds() {
        let both = |first, second| {
            let first = answered(1, 4, Swap { old: 0, new: 1 }, first);
            is_linearizable(&[first, answered(2, 3, Swap { old: 0, new: 2 }, second)])
        };
        assert!(both(1, 0) && both(0, 1));
        assert!(!both(1, 1), "a lost update");
        assert!(!both(0, 0), "nobody else was there");
    }

    #[test]
    fn a_call_without_an_answer_takes_effect_late_or_never_and_once() {
        let after = |reads: &[u8]| {
            let mut history = vec![open(1, Write(1))];
            for (at, seen) in (10..).step_by(2).zip(reads) {
                history.push(answered(at, at + 1, Read, *seen));
            }
            is_linearizable(&history)
        };
        assert!(after(&[0, 0]) && after(&[1, 1]) && after(&[0, 1]));
        assert!(!after(&[1, 0]));
        let overwritten = [
            open(1, Write(1)),
            answered(10, 11, Read, 1),
            answered(12, 13, Write(2), 0),
            answered(14, 15, Read, 1),
        ];
        assert!(!is_linearizable(&overwritten));
        let early = [answered(1, 2, Read, 1), open(3, Write(1))];
        assert!(!is_linearizable(&early), "before it began");
    }

    #[test]
    fn a_search_with_many_open_calls_ends() {
        let mut history: Vec<_> =
            (0..9).map(|n| open(n, Write(u8::try_from(n).unwrap()))).collect();
        history.push(answered(100, 101, Read, 200));
        assert!(!is_linearizable(&history));
        history.pop();
        history.push(answered(100, 101, Read, 8));
        assert!(is_linearizable(&history));
    }

    #[test]
    fn more_calls_than_fit_a_word_are_told_apart() {
        let mut history: Vec<_> = (0..200_u8)
            .map(|n| answered(u64::from(n) * 2, u64::from(n) * 2 + 1, Write(n), 0))
            .collect();
        history.push(answered(1_000, 1_001, Read, 199));
        assert!(is_linearizable(&history));
        history.push(answered(1_002, 1_003, Read, 198));
        assert!(!is_linearizable(&history));
    }

    #[test]
    fn the_shortest_beginning_ends_with_the_answer_that_cannot_be() {
        let history = [
            answered(1, 2, Write(1), 0),
            answered(3, 9, Write(2), 0),
            answered(4, 5, Read, 7),
            answered(6, 7, Read, 1),
            answered(10, 11, Read, 9),
        ];
        let short = shortest(&history);
        let shown: Vec<_> = short.iter().map(|event| (event.began, event.answer)).collect();
        assert_eq!(shown, [(1, Some((2, 0))), (3, None), (4, Some((5, 7)))]);
        let Verdict::Impossible(stuck) = check(&short) else { panic!("it is impossible") };
        assert!(stuck.order.starts_with(&[0]), "{stuck:?}");
    }
}
