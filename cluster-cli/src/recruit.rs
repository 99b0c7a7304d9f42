//! The nodes that `create` is to make a cluster of, as they are found: who they
//! are, where they want to be reached, and whether they are empty and alone.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;
use quoris_topology::{Address as Place, NodeId};

use crate::{
    address::Address,
    failure::{Failure, Outcome},
    plan::Candidate,
    survey::{fields, key_count},
    table::counted,
    view::View,
    wire::{Connection, Read},
};

const BUS_PORT_OFFSET: u16 = 10_000;

/// A node as it was found.
pub struct Recruit {
    address: Address,
    candidate: Candidate,
    key_count: u64,
    view: View,
}

/// What the named nodes are, taken together.
pub enum Found {
    /// Each is empty and alone: they can be made one cluster.
    Fresh(Vec<Candidate>),
    /// They are one cluster already, with nobody else in it.
    Formed(View),
}

impl Found {
    /// The nodes to plan with; none if they already are the cluster asked for.
    pub fn into_candidates(self, replicas: usize) -> Outcome<Option<Vec<Candidate>>> {
        match self {
            Self::Fresh(candidates) => Ok(Some(candidates)),
            Self::Formed(view) => {
                let odd = view.shards.iter().find(|shard| shard.members.len() != replicas + 1);
                odd.map_or(Ok(None), |shard| {
                    Err(Failure::refused(format!(
                        "these nodes already form one cluster, with {} in a shard instead of {}",
                        counted(shard.members.len() as u64, "node"),
                        replicas + 1
                    )))
                })
            }
        }
    }
}

/// Asks every node, changing nothing.
pub async fn inspect(nodes: &[Address], password: Option<&str>) -> Outcome<Found> {
    let mut named = BTreeSet::new();
    if let Some(node) = nodes.iter().find(|node| !named.insert(*node)) {
        return Err(Failure::refused(format!("{node} is named twice; name each node once")));
    }
    judge(&try_join_all(nodes.iter().map(|node| ask(node, password))).await?)
}

fn judge(recruits: &[Recruit]) -> Outcome<Found> {
    let mut ids = BTreeMap::new();
    for Recruit { candidate, address, .. } in recruits {
        if let Some(other) = ids.insert(candidate.id.to_string(), address) {
            return Err(Failure::refused(format!(
                "{other} and {address} are the same node, or one's data directory is a copy of \
                 the other's; give each node its own --dir"
            )));
        }
    }
    let is_member = |recruit: &&Recruit| recruit.view.members().count() > 1;
    let members: Vec<&Recruit> = recruits.iter().filter(is_member).collect();
    for recruit in &members {
        let peers: BTreeSet<&str> = recruit.view.members().map(|peer| peer.id.as_str()).collect();
        if !ids.keys().map(String::as_str).eq(peers.iter().copied()) {
            return Err(Failure::refused(format!(
                "{} already belongs to a cluster of {}; name empty nodes only",
                recruit.address,
                counted(peers.len() as u64, "node")
            )));
        }
    }
    // One node by itself is a whole cluster from its first start on.
    if members.len() == recruits.len() || recruits.len() == 1 {
        return Ok(Found::Formed(recruits[0].view.clone()));
    }
    if let Some(member) = members.first() {
        return Err(Failure::refused(format!(
            "{} was told to form a cluster with these nodes, but not all of them were; stop them, \
             empty their data directories and create it anew",
            member.address
        )));
    }
    if let Some(full) = recruits.iter().find(|recruit| recruit.key_count > 0) {
        return Err(Failure::refused(format!(
            "{} holds {}; name empty nodes only, or empty it with FLUSHALL",
            full.address,
            counted(full.key_count, "key")
        )));
    }
    Ok(Found::Fresh(recruits.iter().map(|recruit| recruit.candidate.clone()).collect()))
}

async fn ask(address: &Address, password: Option<&str>) -> Outcome<Recruit> {
    let mut node = Connection::open(address, password).await?;
    let id = node.call(&["CLUSTER", "MYID"]).await?.text().unwrap_or_default();
    let id: NodeId = id.parse().map_err(|_| {
        Failure::refused(format!("{address} calls itself {id:?}, which is no node id"))
    })?;
    let view = View::read(&node.call(&["CLUSTER", "SHARDS"]).await?, address)?;
    let key_count = key_count(&fields(&node.call(&["INFO", "keyspace"]).await?));
    let place = place(address, &settings(&mut node).await?)?;
    Ok(Recruit { address: address.clone(), candidate: Candidate { id, place }, key_count, view })
}

/// Where the node is to be reached: what it was told to announce, else where it
/// was found.
fn place(found_at: &Address, settings: &BTreeMap<String, String>) -> Outcome<Place> {
    let text = |name: &str| settings.get(name).filter(|value| !value.is_empty()).cloned();
    let port = |name: &str| text(name)?.parse().ok().filter(|port| *port != 0);
    let bus_port = port("cluster-announce-bus-port")
        .or_else(|| port("cluster-port"))
        .or_else(|| found_at.port.checked_add(BUS_PORT_OFFSET))
        .ok_or_else(|| {
            Failure::refused(format!(
                "{found_at} has no room for a bus port {BUS_PORT_OFFSET} above; set cluster-port"
            ))
        })?;
    Ok(Place {
        host: text("cluster-announce-ip").unwrap_or_else(|| found_at.host.clone()),
        hostname: text("cluster-announce-hostname"),
        port: port("cluster-announce-port").unwrap_or(found_at.port),
        bus_port,
        tls_port: 0,
    })
}

/// What the node was told to announce.
async fn settings(node: &mut Connection) -> Outcome<BTreeMap<String, String>> {
    let names = [
        "cluster-announce-ip",
        "cluster-announce-hostname",
        "cluster-announce-port",
        "cluster-announce-bus-port",
        "cluster-port",
    ];
    let mut settings = BTreeMap::new();
    for name in names {
        let reply = node.call(&["CONFIG", "GET", name]).await?;
        if let Some(value) = reply.field(name).and_then(Read::text) {
            settings.insert(name.to_owned(), value);
        }
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::survey::fixture::whole;

    fn alone(number: u8) -> Recruit {
        let address = Address::new("127.0.0.1", 7000 + u16::from(number));
        let id = NodeId::new([number; 20]);
        let mut view = whole();
        view.shards.truncate(1);
        view.shards[0].members.truncate(1);
        view.shards[0].members[0].id = id.to_string();
        let place = place(&address, &BTreeMap::new()).expect("there is room for a bus port");
        Recruit { address, candidate: Candidate { id, place }, key_count: 0, view }
    }

    /// Nodes that see each other as one cluster.
    fn together(numbers: &[u8]) -> Vec<Recruit> {
        let mut recruits: Vec<Recruit> = numbers.iter().copied().map(alone).collect();
        let view = View {
            shards: recruits.iter().flat_map(|recruit| recruit.view.shards.clone()).collect(),
        };
        for recruit in &mut recruits {
            recruit.view = view.clone();
        }
        recruits
    }

    fn refusal(recruits: &[Recruit]) -> String {
        match judge(recruits) {
            Err(failure) => failure.to_string(),
            Ok(_) => panic!("they were not refused"),
        }
    }

    #[test]
    fn empty_nodes_are_fresh_and_a_whole_cluster_is_formed() {
        assert!(
            matches!(judge(&[alone(1), alone(2)]), Ok(Found::Fresh(nodes)) if nodes.len() == 2)
        );
        assert!(matches!(judge(&together(&[1, 2, 3])), Ok(Found::Formed(_))));
        assert!(matches!(judge(&[alone(1)]), Ok(Found::Formed(_))));
    }

    #[test]
    fn a_cluster_of_another_shape_is_not_the_one_asked_for() {
        let formed = || judge(&together(&[1, 2, 3])).expect("they are one cluster");
        assert!(matches!(formed().into_candidates(0), Ok(None)));
        assert!(formed().into_candidates(2).is_err());
    }

    #[test]
    fn nothing_else_is_touched() {
        assert!(refusal(&[alone(1), alone(1)]).contains("are the same node"));
        let mut full = alone(2);
        full.key_count = 1;
        assert!(refusal(&[alone(1), full]).contains("127.0.0.1:7002 holds 1 key;"));
        let mut part = together(&[1, 2, 3]);
        part.pop();
        assert!(refusal(&part).contains("already belongs to a cluster of 3 nodes"));
        let mut half = together(&[1, 2]);
        half[1] = alone(2);
        assert!(refusal(&half).contains("but not all of them were"));
    }

    #[test]
    fn what_a_node_announces_comes_before_where_it_was_found() {
        let found_at = Address::new("10.0.0.1", 7000);
        let set = |pairs: &[(&str, &str)]| {
            let own = pairs.iter().map(|(name, value)| ((*name).into(), (*value).into()));
            place(&found_at, &own.collect())
        };
        let plain = set(&[("cluster-announce-ip", ""), ("cluster-port", "0")]).expect("it fits");
        assert_eq!((plain.host.as_str(), plain.port, plain.bus_port), ("10.0.0.1", 7000, 17000));
        let told = set(&[
            ("cluster-announce-ip", "192.0.2.1"),
            ("cluster-announce-port", "1"),
            ("cluster-announce-bus-port", "2"),
            ("cluster-port", "3"),
        ]);
        let told = told.expect("it fits");
        assert_eq!((told.host.as_str(), told.port, told.bus_port), ("192.0.2.1", 1, 2));
        let high = Address::new("10.0.0.1", 60000);
        assert!(place(&high, &BTreeMap::new()).is_err());
    }
}
