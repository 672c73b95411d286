//! What the proxy is told to do and what it has seen, counted in bytes.

use core::time::Duration;
use std::collections::HashMap;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

/// What happens to the byte that a fault waits for, and to those after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// The connection ends on both sides with a reset, as after a crash of the machine between them.
    Reset,
    /// The connection ends on both sides in order, as when a process ends.
    Close,
    /// Nothing passes in this direction any more, and nobody is told.
    Swallow,
    /// They wait until [`Proxy::release`](super::Proxy::release).
    Hold,
    /// They come this much later.
    Delay(Duration),
}

/// One fault, at an exact byte. It happens once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    direction: Direction,
    after: u64,
    action: Action,
    connection: Option<usize>,
}

impl Fault {
    /// Lets `after` more bytes pass in `direction`, on all connections together, and lets `action`
    /// happen when the next one arrives.
    #[must_use]
    pub const fn new(direction: Direction, after: u64, action: Action) -> Self {
        Self { direction, after, action, connection: None }
    }

    /// Counts only the bytes of connection number `connection`: the first that the proxy accepted is
    /// number 0.
    #[must_use]
    pub const fn on(mut self, connection: usize) -> Self {
        self.connection = Some(connection);
        self
    }

    /// Which way the bytes go that it waits for.
    #[must_use]
    pub const fn direction(self) -> Direction {
        self.direction
    }

    /// How many bytes pass before it.
    #[must_use]
    pub const fn place(self) -> u64 {
        self.after
    }

    /// The same fault among the first `len` bytes: where it is, or else at the last of them. Without any
    /// bytes it stays where it is.
    #[must_use]
    pub const fn within(mut self, len: u64) -> Self {
        if len > 0 && self.after >= len {
            self.after = len - 1;
        }
        self
    }

    fn concerns(&self, connection: usize, direction: Direction) -> bool {
        self.direction == direction && self.connection.is_none_or(|only| only == connection)
    }
}

/// Bytes that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// On which connection.
    pub connection: usize,
    /// Which way.
    pub direction: Direction,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// What passed while the proxy was recording, in the order in which it did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recording {
    /// What passed.
    pub chunks: Vec<Chunk>,
}

impl Recording {
    /// How many bytes passed in `direction`.
    #[must_use]
    pub fn bytes(&self, direction: Direction) -> u64 {
        let matching = self.chunks.iter().filter(|chunk| chunk.direction == direction);
        matching.map(|chunk| chunk.bytes.len() as u64).sum()
    }

    /// How many times the server answered after the client had sent something: round trips, as long
    /// as one connection is used.
    #[must_use]
    pub fn exchanges(&self) -> usize {
        let turns = self.chunks.windows(2).filter(|pair| {
            pair.first().is_some_and(|chunk| chunk.direction == Direction::ToServer)
                && pair.last().is_some_and(|chunk| chunk.direction == Direction::ToClient)
        });
        turns.count()
    }
}

/// How much passed since the proxy was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// How many connections clients made.
    pub connections: usize,
    /// How many bytes reached the server.
    pub to_server: u64,
    /// How many bytes reached the client.
    pub to_client: u64,
    /// How many faults happened.
    pub faults: usize,
}

impl Traffic {
    /// How many bytes passed in `direction`.
    #[must_use]
    pub const fn bytes(&self, direction: Direction) -> u64 {
        match direction {
            Direction::ToServer => self.to_server,
            Direction::ToClient => self.to_client,
        }
    }
}

/// What becomes of bytes that have arrived.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decision {
    /// So many of them pass.
    pub(super) pass: usize,
    /// And then this happens.
    pub(super) then: Option<Action>,
}

/// A fault that waits for a connection on which `mark` reaches the server.
#[derive(Debug)]
struct Marked {
    mark: Vec<u8>,
    fault: Fault,
}

#[derive(Debug, Default)]
pub(super) struct Script {
    armed: Vec<Fault>,
    marked: Vec<Marked>,
    /// Whether nothing passes to the server.
    pub(super) is_stalled: bool,
    /// What passed to the server last on each connection, while something waits for a mark: a mark may
    /// come in two portions.
    tails: HashMap<usize, Vec<u8>>,
    recording: Option<Recording>,
    pub(super) traffic: Traffic,
}

impl Script {
    pub(super) fn arm(&mut self, fault: Fault) {
        self.armed.push(fault);
    }

    pub(super) fn arm_after(&mut self, mark: Vec<u8>, fault: Fault) {
        self.marked.push(Marked { mark, fault });
    }

    pub(super) fn disarm(&mut self) {
        self.armed.clear();
        self.marked.clear();
        self.tails.clear();
    }

    pub(super) fn start_recording(&mut self) {
        self.recording = Some(Recording::default());
    }

    pub(super) fn stop_recording(&mut self) -> Recording {
        self.recording.take().unwrap_or_default()
    }

    /// Decides what becomes of `bytes`, and takes those that pass as passed.
    pub(super) fn decide(
        &mut self,
        connection: usize,
        direction: Direction,
        bytes: &[u8],
    ) -> Decision {
        if direction == Direction::ToServer && self.is_stalled {
            return Decision { pass: 0, then: Some(Action::Hold) };
        }
        let len = bytes.len() as u64;
        if direction == Direction::ToServer && !self.marked.is_empty() {
            self.look_for_marks(connection, bytes);
        }
        let hit = self
            .armed
            .iter()
            .enumerate()
            .filter(|(_, fault)| fault.concerns(connection, direction) && fault.after < len)
            .min_by_key(|(_, fault)| fault.after)
            .map(|(index, _)| index);
        let hit = hit.map(|index| self.armed.remove(index));
        let passed = hit.map_or(len, |fault| fault.after);
        for fault in self.armed.iter_mut().filter(|fault| fault.concerns(connection, direction)) {
            fault.after -= passed;
        }
        self.traffic.faults += usize::from(hit.is_some());
        let pass = usize::try_from(passed).unwrap_or(bytes.len());
        self.passed(connection, direction, bytes.get(..pass).unwrap_or(bytes));
        Decision { pass, then: hit.map(|fault| fault.action) }
    }

    /// Arms what waits for a mark that `bytes` complete, counted from the end of the mark.
    fn look_for_marks(&mut self, connection: usize, bytes: &[u8]) {
        let tail = self.tails.get(&connection).map(Vec::as_slice).unwrap_or_default();
        let seen = [tail, bytes].concat();
        let armed = &mut self.armed;
        self.marked.retain(|Marked { mark, fault }| {
            let found = seen.windows(mark.len()).position(|window| window == mark);
            let Some(start) = found else { return true };
            let end = (start + mark.len()).saturating_sub(tail.len()) as u64;
            let mut fault = fault.on(connection);
            if fault.direction == Direction::ToServer {
                fault.after += end;
            }
            armed.push(fault);
            false
        });
        if self.marked.is_empty() {
            self.tails.clear();
        }
    }

    fn passed(&mut self, connection: usize, direction: Direction, bytes: &[u8]) {
        match direction {
            Direction::ToServer => self.traffic.to_server += bytes.len() as u64,
            Direction::ToClient => self.traffic.to_client += bytes.len() as u64,
        }
        let longest = self.marked.iter().map(|marked| marked.mark.len()).max();
        if direction == Direction::ToServer
            && let Some(longest) = longest
        {
            let tail = self.tails.entry(connection).or_default();
            tail.extend_from_slice(bytes);
            tail.drain(..tail.len().saturating_sub(longest - 1));
        }
        if let Some(recording) = &mut self.recording
            && !bytes.is_empty()
        {
            recording.chunks.push(Chunk { connection, direction, bytes: bytes.to_vec() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Direction::*, *};

    fn decide(script: &mut Script, direction: Direction, bytes: &[u8]) -> (usize, Option<Action>) {
        let Decision { pass, then } = script.decide(0, direction, bytes);
        (pass, then)
    }

    #[test]
    fn a_fault_waits_for_its_byte_over_several_chunks() {
        let mut script = Script::default();
        script.arm(Fault::new(ToServer, 5, Action::Reset));
        assert_eq!(decide(&mut script, ToServer, b"abc"), (3, None));
        assert_eq!(decide(&mut script, ToClient, b"a reply"), (7, None));
        assert_eq!(decide(&mut script, ToServer, b"de"), (2, None));
        assert_eq!(decide(&mut script, ToServer, b"fg"), (0, Some(Action::Reset)));
        assert_eq!(decide(&mut script, ToServer, b"fg"), (2, None));
        assert_eq!(script.traffic.faults, 1);
    }

    #[test]
    fn of_two_faults_in_one_chunk_the_earlier_comes_first_and_the_later_still_comes() {
        let mut script = Script::default();
        script.arm(Fault::new(ToServer, 4, Action::Close));
        script.arm(Fault::new(ToServer, 1, Action::Hold));
        assert_eq!(decide(&mut script, ToServer, b"abcdef"), (1, Some(Action::Hold)));
        assert_eq!(decide(&mut script, ToServer, b"bcdef"), (3, Some(Action::Close)));
    }

    #[test]
    fn a_fault_of_one_connection_leaves_the_others_alone() {
        let mut script = Script::default();
        script.arm(Fault::new(ToServer, 0, Action::Reset).on(1));
        assert_eq!(decide(&mut script, ToServer, b"abc"), (3, None));
        assert_eq!(script.decide(1, ToServer, b"abc").then, Some(Action::Reset));
    }

    #[test]
    fn a_fault_with_a_mark_waits_for_it_and_stays_on_its_connection() {
        for split in 0..=6 {
            let mut script = Script::default();
            script.arm_after(b"mark".to_vec(), Fault::new(ToServer, 1, Action::Reset));
            assert_eq!(script.decide(0, ToServer, b"some mar").then, None);
            let (first, second) = b"<mark>".split_at(split);
            let marked = [script.decide(1, ToServer, first), script.decide(1, ToServer, second)];
            assert!(marked.iter().all(|decision| decision.then.is_none()), "split at {split}");
            assert_eq!(script.decide(0, ToServer, b"others").then, None);
            let hit = Decision { pass: 0, then: Some(Action::Reset) };
            assert_eq!(script.decide(1, ToServer, b"rest"), hit, "split at {split}");
        }
    }

    #[test]
    fn a_fault_of_the_answer_is_counted_from_the_mark_of_the_question() {
        let mut script = Script::default();
        script.arm_after(b"mark".to_vec(), Fault::new(ToClient, 1, Action::Close));
        assert_eq!(script.decide(0, ToClient, b"an answer to others").then, None);
        assert_eq!(script.decide(0, ToServer, b"a mark").then, None);
        assert_eq!(script.decide(1, ToClient, b"an answer").then, None);
        let hit = Decision { pass: 1, then: Some(Action::Close) };
        assert_eq!(script.decide(0, ToClient, b"ok"), hit);
    }

    #[test]
    fn while_it_is_stalled_nothing_passes_to_the_server_on_any_connection() {
        let mut script = Script { is_stalled: true, ..Script::default() };
        for connection in 0..2 {
            let held = Decision { pass: 0, then: Some(Action::Hold) };
            assert_eq!(script.decide(connection, ToServer, b"a question"), held);
            assert_eq!(script.decide(connection, ToClient, b"an answer").then, None);
        }
        script.is_stalled = false;
        assert_eq!(script.decide(0, ToServer, b"a question").then, None);
    }

    #[test]
    fn a_fault_is_brought_within_what_there_is() {
        let fault = |after| Fault::new(ToServer, after, Action::Reset);
        assert_eq!(fault(9).within(5), fault(4));
        assert_eq!(fault(4).within(5), fault(4));
        assert_eq!(fault(4).within(0), fault(4));
    }

    #[test]
    fn a_recording_counts_bytes_and_round_trips() {
        let mut script = Script::default();
        script.decide(0, ToServer, b"before");
        script.start_recording();
        for _ in 0..2 {
            script.decide(0, ToServer, b"ab");
            script.decide(0, ToServer, b"c");
            script.decide(0, ToClient, b"reply");
        }
        let recording = script.stop_recording();
        assert_eq!((recording.bytes(ToServer), recording.bytes(ToClient)), (6, 10));
        assert_eq!(recording.exchanges(), 2);
        assert_eq!((script.traffic.to_server, script.traffic.to_client), (12, 10));
    }
}
