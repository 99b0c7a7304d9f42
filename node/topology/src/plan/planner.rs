//! Turning a list of empty nodes into a [`Plan`].
//!
//! Members of one shard go to different hosts wherever the hosts allow it:
//! nodes are lined up host by host and dealt to the shards like cards, so a
//! host with `n` nodes gives any of `s` shards at most `n / s`, rounded up,
//! which no other arrangement can better. The first leaders and the topology's
//! voters are then spread over hosts one after the other, each to the host that
//! has the fewest so far.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::id::{ClusterId, NodeId, ShardId};
use crate::node::{Address, Node};
use crate::plan::{Plan, PlanError, PlannedShard, SHARD_MEMBERS_MAX, Secret, TOPOLOGY_VOTERS_MAX};
use crate::slot::{SLOT_COUNT, SlotRange};

/// What a plan is made from besides the nodes.
pub struct PlanOptions<'a> {
    /// The name of the new cluster.
    pub cluster_id: ClusterId,
    /// What its nodes will prove to each other on the bus.
    pub secret: Option<Secret>,
    /// Followers per shard; 2 makes shards of three.
    pub replicas_per_shard: usize,
    /// Draws a fresh name for each shard; this crate has no randomness.
    pub shard_id: &'a mut dyn FnMut() -> ShardId,
}

impl Plan {
    /// Plans a cluster of these empty nodes, as `redis-cli --cluster create`
    /// would: equal ranges of slots in order, the first given nodes lead.
    ///
    /// # Errors
    /// If the nodes cannot be split into whole shards, or one of them has a
    /// bad or doubled id or address.
    pub fn new(nodes: Vec<(NodeId, Address)>, options: PlanOptions<'_>) -> Result<Self, PlanError> {
        let per_shard = 1 + options.replicas_per_shard;
        let shard_count = shard_count(nodes.len(), per_shard)?;
        let dealt = deal(&nodes, shard_count);
        let shard_ids: Vec<ShardId> = (0..shard_count).map(|_| (options.shard_id)()).collect();
        let shards = shard_ids.iter().zip(even_slots(shard_count)).zip(&dealt);
        let shards = shards
            .map(|((id, slots), places)| PlannedShard {
                id: *id,
                slots: [slots].into(),
                members: places.iter().map(|place| nodes[*place].0).collect(),
            })
            .collect();
        let home = |place| dealt.iter().position(|places| places.contains(&place));
        let nodes = nodes.into_iter().enumerate().map(|(place, (id, address))| {
            let shard = shard_ids[home(place).expect("every node was dealt to a shard")];
            Node::new(id, shard, address)
        });
        let mut plan = Self {
            cluster_id: options.cluster_id,
            secret: options.secret,
            nodes: nodes.collect(),
            shards,
            topology_voters: Vec::new(),
        };
        plan.topology_voters = choose_voters(&plan.nodes);
        plan.validate()?;
        Ok(plan)
    }

    /// The plan of a fresh node: a whole cluster of one shard and one node.
    /// Its host may be empty.
    ///
    /// # Errors
    /// If the address is a bad one.
    pub fn alone(
        cluster_id: ClusterId,
        node: NodeId,
        shard: ShardId,
        address: Address,
    ) -> Result<Self, PlanError> {
        let plan = Self {
            cluster_id,
            secret: None,
            nodes: [Node::new(node, shard, address)].into(),
            shards: [PlannedShard {
                id: shard,
                slots: [SlotRange::ALL].into(),
                members: [node].into(),
            }]
            .into(),
            topology_voters: [node].into(),
        };
        plan.validate()?;
        Ok(plan)
    }
}

impl Node {
    /// A node of `shard` at `address`.
    pub fn new(id: NodeId, shard: ShardId, address: Address) -> Self {
        let Address { host, hostname, port, bus_port, tls_port } = address;
        Self { id, host, hostname, port, bus_port, tls_port, shard }
    }
}

fn shard_count(nodes: usize, per_shard: usize) -> Result<usize, PlanError> {
    if nodes == 0 {
        return Err(PlanError::NoNodes);
    }
    if per_shard > SHARD_MEMBERS_MAX {
        return Err(PlanError::TooManyReplicas(per_shard - 1));
    }
    if nodes < per_shard {
        return Err(PlanError::TooFewNodes { nodes, per_shard });
    }
    if !nodes.is_multiple_of(per_shard) {
        return Err(PlanError::UnevenNodes { nodes, per_shard });
    }
    match nodes / per_shard {
        count if count > usize::from(SLOT_COUNT) => Err(PlanError::TooManyShards(count)),
        count => Ok(count),
    }
}

/// `count` ranges of nearly equal length, rounded as `redis-cli` rounds them:
/// 0-5460, 5461-10922 and 10923-16383 for three.
pub fn even_slots(count: usize) -> Vec<SlotRange> {
    let total = usize::from(SLOT_COUNT);
    assert!((1..=total).contains(&count), "there are as many shards as slots at most");
    let start = |place: usize| (2 * place * total + count) / (2 * count);
    (0..count)
        .map(|place| SlotRange::new(start(place) as u16, (start(place + 1) - 1) as u16))
        .collect::<Result<_, _>>()
        .expect("each share is at least one slot long")
}

/// The places of the nodes of each shard, the first leader in front.
fn deal(nodes: &[(NodeId, Address)], shard_count: usize) -> Vec<Vec<usize>> {
    let mut hosts: Vec<(&str, Vec<usize>)> = Vec::new();
    for (place, (_, address)) in nodes.iter().enumerate() {
        match hosts.iter_mut().find(|(host, _)| *host == address.host) {
            Some((_, places)) => places.push(place),
            None => hosts.push((&address.host, [place].into())),
        }
    }
    let mut dealt = alloc::vec![Vec::new(); shard_count];
    for (turn, place) in hosts.into_iter().flat_map(|(_, places)| places).enumerate() {
        dealt[turn % shard_count].push(place);
    }
    let mut leaders_on: BTreeMap<&str, usize> = BTreeMap::new();
    for places in &mut dealt {
        let host = |place: usize| nodes[place].1.host.as_str();
        let load = |place: usize| leaders_on.get(host(place)).copied().unwrap_or(0);
        let best = (0..places.len())
            .min_by_key(|seat| load(places[*seat]))
            .expect("every shard was dealt a node");
        *leaders_on.entry(host(places[best])).or_default() += 1;
        places[..=best].rotate_right(1);
    }
    dealt
}

/// Up to five topology voters, an odd number where there are nodes for it:
/// first the first node, then always one from the shard and the host that have
/// the fewest voters so far.
pub fn choose_voters(nodes: &[Node]) -> Vec<NodeId> {
    let wanted = match nodes.len() {
        0 => 0,
        1 | 2 => 1,
        3 | 4 => 3,
        _ => TOPOLOGY_VOTERS_MAX,
    };
    let mut chosen: Vec<&Node> = Vec::new();
    while chosen.len() < wanted {
        let crowd = |candidate: &Node| {
            let shard = chosen.iter().filter(|voter| voter.shard == candidate.shard).count();
            let host = chosen.iter().filter(|voter| voter.host == candidate.host).count();
            (shard, host)
        };
        let free = nodes.iter().filter(|node| chosen.iter().all(|voter| voter.id != node.id));
        // An id that is given twice runs out early; the plan is then refused.
        let Some(next) = free.min_by_key(|node| crowd(node)) else { break };
        chosen.push(next);
    }
    chosen.into_iter().map(|node| node.id).collect()
}
