//! What the clients were told, in the order in which it happened.

use core::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::SeqCst},
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use super::{
    check::{Event, Verdict, check, shortest},
    register::Call,
};

/// Takes down calls and answers. Its clock counts readings, so no two are the same.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    clock: AtomicU64,
    registers: Mutex<BTreeMap<usize, Vec<Event<Call>>>>,
}

impl Recorder {
    pub(super) fn now(&self) -> u64 {
        self.clock.fetch_add(1, SeqCst)
    }

    /// Takes down a call to `register` that began at `began`.
    pub(super) fn record(&self, register: usize, event: Event<Call>) {
        let mut registers = self.registers.lock().unwrap_or_else(PoisonError::into_inner);
        registers.entry(register).or_default().push(event);
    }

    pub(super) fn into_histories(self) -> BTreeMap<usize, Vec<Event<Call>>> {
        self.registers.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks the history of one register.
///
/// # Errors
///
/// No order of the calls explains the answers; the text shows as much of the history as it takes to
/// see that.
pub(super) fn judge(register: usize, history: &[Event<Call>]) -> Result<(), String> {
    match check(history) {
        Verdict::Linearizable => return Ok(()),
        Verdict::Undecided => return Err(format!("register {register}: too many orders to try")),
        Verdict::Impossible(_) => {}
    }
    let mut history = shortest(history);
    history.sort_by_key(|event| event.began);
    let Verdict::Impossible(stuck) = check(&history) else {
        return Err(format!("register {register}: it is impossible, and its beginning is not"));
    };
    let lines = history.iter().enumerate().map(|(place, event)| {
        let order = stuck.order.iter().position(|other| *other == place);
        let order = order.map_or_else(|| "-".to_owned(), |order| (order + 1).to_string());
        format!("{order:>5} | {}\n", Line(event))
    });
    let lines: String = lines.collect();
    let state = stuck.state.map_or_else(|| "nothing".to_owned(), |number| number.to_string());
    Err(format!(
        "register {register}: no order of these calls explains the answers\n{lines}\
         after those of the first column, in its order, it holds {state}, and nothing can follow\n"
    ))
}

/// One line about a call.
struct Line<'e>(&'e Event<Call>);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Event { client, began, call, answer } = self.0;
        match answer {
            Some((ended, answer)) => {
                write!(f, "{began:>5} to {ended:<5} client {client}: {call}: {answer}")
            }
            None => write!(f, "{began:>5} on       client {client}: {call}: outcome unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::register::Answer, *};

    fn event(began: u64, call: Call, answer: Option<(u64, Answer)>) -> Event<Call> {
        Event { client: 1, began, call, answer }
    }

    #[test]
    fn a_failure_shows_each_call_in_a_line_as_far_as_it_matters() {
        let history = [
            event(0, Call::Set(1), Some((1, Answer::Done))),
            event(2, Call::Add(2), None),
            event(3, Call::Get, Some((4, Answer::Found(Some(9))))),
            event(5, Call::Get, Some((6, Answer::Found(Some(3))))),
        ];
        let text = judge(7, &history).unwrap_err();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 5, "{text}");
        assert!(lines[0].starts_with("register 7"), "{text}");
        assert_eq!(lines[1], "    1 |     0 to 1     client 1: set 1: done");
        assert_eq!(lines[2], "    2 |     2 on       client 1: add 2: outcome unknown");
        assert_eq!(lines[3], "    - |     3 to 4     client 1: get: found 9");
        assert!(lines[4].contains("it holds 3"), "{text}");
        assert_eq!(judge(7, &history[..2]), Ok(()));
    }
}
