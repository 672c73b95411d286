//! Which master of a cluster has which slots, as the cluster tells it.

use redis::Value;

use super::{super::config::Address, slot::SLOTS, view::Slots};

/// The owners of all slots at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SlotMap {
    /// For each slot the place of its owner among the masters.
    owners: Vec<Option<u16>>,
    masters: Vec<Address>,
}

impl SlotMap {
    /// Reads the answer to `CLUSTER SLOTS` of a server that was reached at `asked`.
    ///
    /// A part that cannot be read is left out: its slots then have no owner that is known.
    pub(super) fn parse(answer: &Value, asked: &Address) -> Self {
        let mut map = Self { owners: vec![None; usize::from(SLOTS)], masters: Vec::new() };
        for range in items(answer) {
            let [Value::Int(first), Value::Int(last), master, ..] = items(range) else { continue };
            let (Ok(first), Ok(last)) = (usize::try_from(*first), usize::try_from(*last)) else {
                continue;
            };
            if let (Some(address), Some(slots)) =
                (address(master, asked), map.owners.get_mut(first..last.saturating_add(1)))
            {
                let known = map.masters.iter().position(|master| *master == address);
                let place = known.unwrap_or_else(|| {
                    map.masters.push(address);
                    map.masters.len() - 1
                });
                slots.fill(u16::try_from(place).ok());
            }
        }
        map
    }

    /// The place among the masters of the one that owns `slot`.
    pub(super) fn owner(&self, slot: u16) -> Option<usize> {
        self.owners.get(usize::from(slot)).copied().flatten().map(usize::from)
    }

    /// All slots that have an owner.
    pub(super) fn slots(&self) -> Slots {
        let owned = (0..SLOTS).filter(|slot| self.owner(*slot).is_some());
        owned.fold(Slots::NONE, Slots::with)
    }

    /// All masters that own slots.
    pub(super) fn masters(&self) -> &[Address] {
        &self.masters
    }
}

/// The address of a master. A server that does not know its own leaves the host empty or out: it
/// is then the one at which it was reached. `?` stands for one that nobody knows.
fn address(value: &Value, asked: &Address) -> Option<Address> {
    let [host, Value::Int(port), ..] = items(value) else { return None };
    let host = match text(host) {
        Some("?") => return None,
        Some("") | None => &asked.host,
        Some(host) => host,
    };
    let port = u16::try_from(*port).ok().filter(|port| *port != 0)?;
    Some(Address { host: host.to_owned(), port })
}

fn items(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        _ => &[],
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => core::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    fn range(first: i64, last: i64, host: Value, port: i64) -> Value {
        let master = Value::Array(vec![host, Value::Int(port), bulk("id"), Value::Array(vec![])]);
        let replica = Value::Array(vec![bulk("10.0.0.9"), Value::Int(1), bulk("replica")]);
        Value::Array(vec![Value::Int(first), Value::Int(last), master, replica])
    }

    fn parse(ranges: Vec<Value>) -> SlotMap {
        let asked = Address { host: "asked".to_owned(), port: 6379 };
        SlotMap::parse(&Value::Array(ranges), &asked)
    }

    fn owner(map: &SlotMap, slot: u16) -> Option<String> {
        map.owner(slot).and_then(|place| map.masters().get(place)).map(ToString::to_string)
    }

    #[test]
    fn every_slot_has_the_owner_that_was_told() {
        let map = parse(vec![
            range(5461, 16_383, bulk("10.0.0.2"), 7002),
            range(0, 5459, bulk("10.0.0.1"), 7001),
            range(5460, 5460, bulk("10.0.0.2"), 7002),
        ]);
        for (slot, expected) in [(0, 1), (5459, 1), (5460, 2), (5461, 2), (16_383, 2)] {
            assert_eq!(owner(&map, slot), Some(format!("10.0.0.{expected}:700{expected}")));
        }
        assert_eq!(map.masters().len(), 2);
    }

    #[test]
    fn a_slot_in_a_gap_has_no_owner() {
        let map = parse(vec![range(0, 9, bulk("a"), 1), range(20, 29, bulk("b"), 2)]);
        for slot in [10, 19, 30, 16_383, 16_384, u16::MAX] {
            assert_eq!(owner(&map, slot), None, "{slot}");
        }
        assert_eq!(owner(&map, 20).as_deref(), Some("b:2"));
    }

    #[test]
    fn a_server_without_an_address_is_where_it_was_asked() {
        for host in [Value::Nil, bulk("")] {
            assert_eq!(owner(&parse(vec![range(0, 9, host, 1)]), 3).as_deref(), Some("asked:1"));
        }
        assert_eq!(owner(&parse(vec![range(0, 9, bulk("?"), 1)]), 3), None);
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        let broken = vec![
            Value::Nil,
            Value::Array(vec![]),
            range(-1, 9, bulk("h"), 1),
            range(9, 1, bulk("h"), 1),
            range(0, 16_384, bulk("h"), 1),
            range(0, i64::MAX, bulk("h"), 1),
            range(0, 9, bulk("h"), 70_000),
            range(0, 9, bulk("h"), 0),
            Value::Array(vec![Value::Int(0), Value::Int(9), Value::Array(vec![])]),
        ];
        assert!(parse(broken).masters().is_empty());
    }
}
