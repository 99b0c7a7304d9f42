//! Where a command for a slot is to be executed, as the dispatcher asks it.
//!
//! The topology answers: see [`crate::cluster`].

use quoris_consensus::RaftId;
use quoris_engine::{CommandError, SLOT_COUNT, Slot};

/// What to do with a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// Execute it here.
    Local,
    /// Send the client there. Never this node itself.
    Moved {
        /// The host as clients are to be told.
        host: String,
        /// The port.
        port: u16,
    },
    /// The shard has no leader that is known of: wait a little.
    LeaderUnknown,
    /// Nobody can execute it.
    Refused(CommandError),
}

/// Knows the topology.
pub trait Routes {
    /// Whether there is one shard, so that commands may have keys of different slots.
    fn is_single_shard(&self) -> bool;

    /// Whether this node's shard owns the slot.
    fn owns(&self, slot: Slot) -> bool;

    /// Where a command for `slot` goes. `leads`: this node leads its own shard. `readonly`: the
    /// connection has said `READONLY` and the command only reads.
    fn decide(&self, slot: Slot, leads: bool, readonly: bool) -> Route;

    /// Where clients reach a node.
    fn client_address(&self, node: RaftId) -> Option<(String, u16)>;
}

/// A set of slots, one bit each.
#[derive(Clone, Debug)]
pub(crate) struct SlotSet(Box<[u64; SLOT_COUNT / 64]>);

impl SlotSet {
    /// The slots that `routes` says this node's shard owns.
    pub(crate) fn owned(routes: &dyn Routes) -> Self {
        let mut set = SlotSet(Box::new([0; SLOT_COUNT / 64]));
        for slot in (0..SLOT_COUNT as u16).filter_map(Slot::new) {
            if routes.owns(slot) {
                set.0[slot.index() / 64] |= 1 << (slot.index() % 64);
            }
        }
        set
    }

    #[inline]
    pub(crate) fn has(&self, slot: Slot) -> bool {
        self.0[slot.index() / 64] & (1 << (slot.index() % 64)) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Even;

    impl Routes for Even {
        fn is_single_shard(&self) -> bool {
            false
        }

        fn owns(&self, slot: Slot) -> bool {
            slot.number().is_multiple_of(2)
        }

        fn decide(&self, _: Slot, _: bool, _: bool) -> Route {
            Route::LeaderUnknown
        }

        fn client_address(&self, _: RaftId) -> Option<(String, u16)> {
            None
        }
    }

    #[test]
    fn a_set_of_slots_is_what_the_routes_say() {
        let set = SlotSet::owned(&Even);
        for number in 0..SLOT_COUNT as u16 {
            let slot = Slot::new(number).unwrap();
            assert_eq!(set.has(slot), number % 2 == 0, "slot {number}");
        }
    }
}
