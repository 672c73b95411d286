//! What the proxy is told to do and what it has seen, counted in bytes.

use core::time::Duration;

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

/// What becomes of bytes that have arrived.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decision {
    /// So many of them pass.
    pub(super) pass: usize,
    /// And then this happens.
    pub(super) then: Option<Action>,
}

#[derive(Debug, Default)]
pub(super) struct Script {
    armed: Vec<Fault>,
    recording: Option<Recording>,
    pub(super) traffic: Traffic,
}

impl Script {
    pub(super) fn arm(&mut self, fault: Fault) {
        self.armed.push(fault);
    }

    pub(super) fn disarm(&mut self) {
        self.armed.clear();
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
        let len = bytes.len() as u64;
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

    fn passed(&mut self, connection: usize, direction: Direction, bytes: &[u8]) {
        match direction {
            Direction::ToServer => self.traffic.to_server += bytes.len() as u64,
            Direction::ToClient => self.traffic.to_client += bytes.len() as u64,
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
