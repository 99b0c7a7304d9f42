//! Where the nodes are: the bus's address book.
//!
//! Two sources. The topology *records* an address, and is right in the long
//! run; but to agree on a new one the nodes must reach each other first. So a
//! node that has moved says where it is with every ping, and what was *heard*
//! counts until the record says something new.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use quoris_consensus::{AddressBook, RaftId};
use quoris_topology::{Address, Topology};

/// The address book. Cheap to clone; all clones are the same book.
#[derive(Clone, Debug, Default)]
pub struct Addresses(Arc<Mutex<BTreeMap<RaftId, Entry>>>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    recorded: String,
    heard: Option<String>,
}

impl Addresses {
    /// Notes what the topology says. Nodes that it does not know are forgotten.
    pub fn record(&self, topology: &Topology) {
        let mut book = self.0.lock().expect("no panic while held");
        let old = std::mem::take(&mut *book);
        for node in topology.nodes() {
            let raft_id = node.id.raft_id();
            let recorded = bus_address(&node.address());
            let known = old.get(&raft_id).filter(|known| known.recorded == recorded);
            let heard = known.and_then(|known| known.heard.clone());
            book.insert(raft_id, Entry { recorded, heard });
        }
    }

    /// Notes what a node says about itself.
    pub fn hear(&self, node: RaftId, address: &Address) {
        if let Some(entry) = self.0.lock().expect("no panic while held").get_mut(&node) {
            let heard = bus_address(address);
            entry.heard = (heard != entry.recorded).then_some(heard);
        }
    }
}

impl AddressBook for Addresses {
    fn bus_address(&self, node: RaftId) -> Option<String> {
        let book = self.0.lock().expect("no panic while held");
        let entry = book.get(&node)?;
        Some(entry.heard.as_ref().unwrap_or(&entry.recorded).clone())
    }
}

/// `host:port`, with brackets around an IPv6 address.
fn bus_address(address: &Address) -> String {
    let Address { host, bus_port, .. } = address;
    if host.contains(':') { format!("[{host}]:{bus_port}") } else { format!("{host}:{bus_port}") }
}

#[cfg(test)]
mod tests {
    use quoris_topology::Change;

    use super::*;
    use crate::cluster::fixture;

    #[test]
    fn what_was_heard_counts_until_the_record_changes() {
        let mut topology = Topology::of_plan(&fixture::plan(3));
        let node = fixture::node(2);
        let book = Addresses::default();
        let found = || book.bus_address(node.raft_id());
        assert_eq!(found(), None);
        book.record(&topology);
        assert_eq!(found().as_deref(), Some("127.0.0.1:17002"));

        let mut moved = fixture::address(2);
        moved.bus_port = 18000;
        book.hear(node.raft_id(), &moved);
        book.record(&topology);
        assert_eq!(found().as_deref(), Some("127.0.0.1:18000"), "an old record says nothing new");

        moved.host = "::1".into();
        topology.apply(Change::SetAddress { node, address: moved });
        book.record(&topology);
        assert_eq!(found().as_deref(), Some("[::1]:18000"));
    }

    #[test]
    fn strangers_are_not_listened_to() {
        let book = Addresses::default();
        book.record(&Topology::of_plan(&fixture::plan(3)));
        let stranger = fixture::node(9).raft_id();
        book.hear(stranger, &fixture::address(9));
        assert_eq!(book.bus_address(stranger), None);
    }
}
