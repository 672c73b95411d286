//! How a node of a cluster sees itself and the others: `CLUSTER NODES`.

use std::collections::BTreeMap;

use super::{super::config::Address, slot::SLOTS};

/// A set of slots.
#[derive(Clone, PartialEq, Eq)]
pub(in super::super) struct Slots([u64; SLOTS as usize / 64]);

impl Slots {
    /// None of them.
    pub(in super::super) const NONE: Self = Self([0; SLOTS as usize / 64]);
    /// All of them.
    pub(in super::super) const ALL: Self = Self([u64::MAX; SLOTS as usize / 64]);

    /// The set with one more.
    pub(super) fn with(mut self, slot: u16) -> Self {
        self.insert(slot);
        self
    }

    fn insert(&mut self, slot: u16) {
        if let Some(word) = self.0.get_mut(usize::from(slot / 64)) {
            *word |= 1 << (slot % 64);
        }
    }

    /// Those that are in this set or in the other.
    pub(in super::super) fn or(mut self, other: &Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(mine, theirs)| *mine |= theirs);
        self
    }

    /// Whether all of these are in the other set.
    pub(in super::super) fn are_in(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).all(|(mine, theirs)| mine & !theirs == 0)
    }
}

/// Tells how many there are.
impl core::fmt::Debug for Slots {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let count: u32 = self.0.iter().map(|word| word.count_ones()).sum();
        write!(f, "<{count} slots>")
    }
}

/// What a node says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct View {
    /// The name that it keeps for life.
    pub(super) id: String,
    /// The slots that it owns.
    pub(super) owned: Slots,
    /// Those whose keys are on their way to it.
    pub(super) importing: Slots,
    /// Whose keys are on their way from it to another node: where that one is.
    pub(super) targets: BTreeMap<String, Address>,
    /// The configuration epoch of each node, as far as this one has heard. A node that takes a slot
    /// from another gets an epoch that is greater than all others.
    pub(super) epochs: BTreeMap<String, u64>,
}

impl View {
    /// Reads the answer of a node; `None` if it does not tell of itself.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (mut addresses, mut epochs) = (BTreeMap::new(), BTreeMap::new());
        let mut myself = None;
        for line in text.lines() {
            let mut fields = line.split(' ');
            let (Some(id), Some(address), Some(flags)) =
                (fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            addresses.extend(location(address).map(|address| (id.to_owned(), address)));
            // Between the flags and the epoch: master, ping, pong.
            let epoch = fields.nth(3).and_then(|epoch| epoch.parse().ok());
            epochs.extend(epoch.map(|epoch| (id.to_owned(), epoch)));
            if flags.split(',').any(|flag| flag == "myself") {
                // Before the slots: state of the link.
                myself = Some((id, fields.skip(1)));
            }
        }
        let (id, slots) = myself?;
        let mut view = Self {
            id: id.to_owned(),
            owned: Slots::NONE,
            importing: Slots::NONE,
            targets: BTreeMap::new(),
            epochs,
        };
        for slot in slots {
            view.add(slot, &addresses);
        }
        Some(view)
    }

    /// Takes `7`, `7-9`, `[7-<-id]` (it comes from there) or `[7->-id]` (it goes there).
    fn add(&mut self, slot: &str, addresses: &BTreeMap<String, Address>) {
        if let Some(moving) = slot.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            if let Some((slot, _)) = moving.split_once("-<-") {
                slot.parse().into_iter().for_each(|slot| self.importing.insert(slot));
            } else if let Some((_, id)) = moving.split_once("->-")
                && let Some(address) = addresses.get(id)
            {
                self.targets.insert(id.to_owned(), address.clone());
            }
            return;
        }
        let (first, last) = slot.split_once('-').unwrap_or((slot, slot));
        if let (Ok(first), Ok(last)) = (first.parse::<u16>(), last.parse::<u16>()) {
            (first..=last.min(SLOTS - 1)).for_each(|slot| self.owned.insert(slot));
        }
    }
}

/// The address in `10.0.0.1:7000@17000,name.example`: by name where there is one, as servers that
/// have names want to be called by them.
fn location(text: &str) -> Option<Address> {
    let (address, rest) = text.split_once('@').unwrap_or((text, ""));
    let (ip, port) = address.rsplit_once(':')?;
    let name = rest.split(',').nth(1).filter(|name| !name.is_empty() && !name.contains('='));
    let port = port.parse().ok().filter(|port| *port != 0)?;
    let host = name.unwrap_or(ip);
    (!host.is_empty()).then(|| Address { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(numbers: &[u16]) -> Slots {
        numbers.iter().copied().fold(Slots::NONE, Slots::with)
    }

    #[test]
    fn a_node_tells_what_it_has_and_what_is_moving() {
        let view = View::parse(
            "aa 10.0.0.1:7001@17001 myself,master - 0 0 3 connected 0-2 9 [7-<-bb] [9->-cc]\n\
             bb 10.0.0.2:7002@17002,,shard-id=x master - 0 1795386604593 2 connected 3-8\n\
             cc 10.0.0.3:7003@17003,c.example master - 0 1795386604593 4 connected\n",
        )
        .expect("a node that tells of itself");
        assert_eq!(view.id, "aa");
        assert_eq!(view.owned, slots(&[0, 1, 2, 9]));
        assert_eq!(view.importing, slots(&[7]));
        let target = Address { host: "c.example".to_owned(), port: 7003 };
        assert_eq!(view.targets, BTreeMap::from([("cc".to_owned(), target)]));
        let epochs = [("aa", 3), ("bb", 2), ("cc", 4)].map(|(id, epoch)| (id.to_owned(), epoch));
        assert_eq!(view.epochs, BTreeMap::from(epochs));
    }

    #[test]
    fn an_address_is_by_name_where_there_is_one() {
        let read = |text| location(text).map(|address| address.to_string());
        assert_eq!(read("10.0.0.1:7001@17001").as_deref(), Some("10.0.0.1:7001"));
        assert_eq!(read("10.0.0.1:7001").as_deref(), Some("10.0.0.1:7001"));
        assert_eq!(read("::1:7001@17001").as_deref(), Some("[::1]:7001"));
        assert_eq!(read("10.0.0.1:7001@17001,a.example").as_deref(), Some("a.example:7001"));
        assert_eq!(read("10.0.0.1:7001@17001,,shard-id=x").as_deref(), Some("10.0.0.1:7001"));
        for text in [":0@0", "", "a", ":7001@17001", "a:b"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn sets_of_slots_are_compared() {
        assert!(slots(&[0, 16_383]).are_in(&Slots::ALL));
        assert!(slots(&[5]).are_in(&slots(&[4, 5])));
        assert!(!slots(&[4, 5]).are_in(&slots(&[5])));
        assert_eq!(slots(&[1]).or(&slots(&[2])), slots(&[1, 2]));
        assert!(Slots::NONE.are_in(&Slots::NONE));
    }

    #[test]
    fn what_is_not_of_this_form_is_passed_over() {
        assert_eq!(View::parse(""), None);
        assert_eq!(View::parse("a b\nc 1:2@3 master - 0 0 1 connected 1"), None);
        let odd = View::parse("a 1:2@3 myself,master - 0 0 1 up x 1-y [7] [z-<-b] 16384 9-70000");
        assert_eq!(odd.map(|view| (view.owned, view.importing)), Some((Slots::NONE, Slots::NONE)));
    }
}
