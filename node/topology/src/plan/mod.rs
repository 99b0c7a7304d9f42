//! The plan of a cluster: what `cluster-cli create` sends to every node.
//!
//! As JSON, which is how `CLUSTER FORM` carries it:
//!
//! ```json
//! {"cluster_id": "40 hex", "secret": "hex",
//!  "nodes": [{"id": "40 hex", "host": "127.0.0.1", "port": 7000,
//!             "bus_port": 17000, "shard": "40 hex"}],
//!  "shards": [{"id": "40 hex", "slots": [[0, 16383]], "members": ["40 hex"]}],
//!  "topology_voters": ["40 hex"]}
//! ```
//!
//! The first node of the plan forms the topology group and the first member of
//! each shard forms that shard's group, so their places carry a meaning.
//! The secret of the bus travels in the plan but is never recorded in the
//! replicated topology: see [`Plan::without_secret`].

mod error;
mod planner;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};
use core::fmt;

use serde::{Deserialize, Serialize};

pub use error::{PlanError, PlanWarning};
pub use planner::{PlanOptions, choose_voters, even_slots};

use crate::id::{ClusterId, NodeId, ShardId};
use crate::node::Node;
use crate::slot::{SLOT_COUNT, SlotMap, SlotRange};

/// A shard has at most this many members.
pub const SHARD_MEMBERS_MAX: usize = 5;

/// The topology group has at most this many voters.
pub const TOPOLOGY_VOTERS_MAX: usize = 5;

/// A complete description of a cluster to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What the cluster will be known by.
    pub cluster_id: ClusterId,
    /// What its nodes prove to each other on the bus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// Every node; the first forms the topology group.
    pub nodes: Vec<Node>,
    /// Every shard; the first member of each forms its group.
    pub shards: Vec<PlannedShard>,
    /// The nodes that vote in the topology group; the others are learners.
    pub topology_voters: Vec<NodeId>,
}

/// One shard of a [`Plan`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedShard {
    /// Its name.
    pub id: ShardId,
    /// The slots that it will own.
    pub slots: Vec<SlotRange>,
    /// Its nodes, the first leader to be in front.
    pub members: Vec<NodeId>,
}

/// A text that must not show up in a log line.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Plan {
    /// Reads the JSON form and validates it.
    ///
    /// # Errors
    /// If it is not JSON of a plan, or is a plan with something wrong.
    pub fn from_json(json: &[u8]) -> Result<Self, PlanError> {
        let plan: Self =
            serde_json::from_slice(json).map_err(|error| PlanError::Json(format!("{error}")))?;
        plan.validate()?;
        Ok(plan)
    }

    /// The JSON form, on one line.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a plan has only strings for keys")
    }

    /// The same plan as it may be recorded where every node can read it.
    #[must_use]
    pub fn without_secret(&self) -> Self {
        Self { secret: None, ..self.clone() }
    }

    /// The node of this id.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.iter().find(|node| node.id == id)
    }

    /// Whether the plan describes a cluster: every node in exactly one shard,
    /// every slot given once, ids and addresses unique, voters among the nodes.
    /// The warnings are for a person to consider.
    ///
    /// # Errors
    /// The first thing wrong with it.
    pub fn validate(&self) -> Result<Vec<PlanWarning>, PlanError> {
        self.check_nodes()?;
        self.check_members()?;
        self.check_slots()?;
        self.check_voters()?;
        Ok(self.shards.iter().flat_map(|shard| self.warnings_of(shard)).collect())
    }

    fn check_nodes(&self) -> Result<(), PlanError> {
        if self.nodes.is_empty() {
            return Err(PlanError::NoNodes);
        }
        let mut raft_ids = BTreeMap::new();
        let mut addresses = BTreeMap::new();
        for node in &self.nodes {
            match raft_ids.insert(node.id.raft_id(), node.id) {
                Some(other) if other == node.id => return Err(PlanError::TwiceNode(node.id)),
                Some(other) => return Err(PlanError::SameRaftId(other, node.id)),
                None => {}
            }
            let alone = self.nodes.len() == 1;
            let address = node.address();
            let checked = if alone { address.check_unless_unknown() } else { address.check() };
            checked.map_err(|problem| PlanError::BadAddress(node.id, problem))?;
            for port in [node.port, node.tls_port, node.bus_port] {
                let taken = addresses.insert((&node.host, port), node.id);
                if let Some(other) = taken.filter(|other| port != 0 && *other != node.id) {
                    let address = format!("{}:{port}", node.host);
                    return Err(PlanError::TwiceAddress { address, nodes: [other, node.id] });
                }
            }
        }
        Ok(())
    }

    fn check_members(&self) -> Result<(), PlanError> {
        match self.shards.len() {
            0 => return Err(PlanError::NoShards),
            count if count > usize::from(SLOT_COUNT) => {
                return Err(PlanError::TooManyShards(count));
            }
            _ => {}
        }
        let homes: BTreeMap<NodeId, ShardId> =
            self.nodes.iter().map(|node| (node.id, node.shard)).collect();
        let mut shards = BTreeSet::new();
        let mut housed = BTreeSet::new();
        for shard in &self.shards {
            if !shards.insert(shard.id) {
                return Err(PlanError::TwiceShard(shard.id));
            }
            check_members_of(shard, &homes, &mut housed)?;
        }
        match self.nodes.iter().find(|node| !housed.contains(&node.id)) {
            Some(node) => Err(PlanError::HomelessNode(node.id)),
            None => Ok(()),
        }
    }

    fn check_slots(&self) -> Result<(), PlanError> {
        let mut map = SlotMap::empty();
        for (place, shard) in self.shards.iter().enumerate() {
            for slot in shard.slots.iter().flat_map(|range| range.slots()) {
                if let Some(owner) = map.owner(slot) {
                    let shards = [self.shards[owner].id, shard.id];
                    return Err(PlanError::TwiceSlot { slot, shards });
                }
                map.set(slot, Some(place));
            }
        }
        let mut uncovered = SlotRange::ALL.slots().filter(|slot| map.owner(*slot).is_none());
        match uncovered.next() {
            Some(first) => {
                Err(PlanError::UncoveredSlots { first, count: 1 + uncovered.count() as u16 })
            }
            None => Ok(()),
        }
    }

    fn check_voters(&self) -> Result<(), PlanError> {
        check_voters(&self.topology_voters, |node| self.node(node).is_some())?;
        let first = self.nodes[0].id;
        if !self.topology_voters.contains(&first) {
            return Err(PlanError::FirstNodeMustVote(first));
        }
        Ok(())
    }

    fn warnings_of(&self, shard: &PlannedShard) -> Vec<PlanWarning> {
        let members = shard.members.len();
        let mut warnings = vec![];
        if members.is_multiple_of(2) {
            warnings.push(PlanWarning::EvenShard { shard: shard.id, members });
        }
        let mut per_host: BTreeMap<&str, usize> = BTreeMap::new();
        for node in shard.members.iter().filter_map(|id| self.node(*id)) {
            *per_host.entry(&node.host).or_default() += 1;
        }
        let crowded =
            per_host.into_iter().find(|(_, count)| members > 1 && members - count <= members / 2);
        if let Some((host, _)) = crowded {
            warnings.push(PlanWarning::HostHoldsMajority { shard: shard.id, host: host.into() });
        }
        warnings
    }
}

/// `homes` says where each node says it is; `housed` collects the members.
fn check_members_of(
    planned: &PlannedShard,
    homes: &BTreeMap<NodeId, ShardId>,
    housed: &mut BTreeSet<NodeId>,
) -> Result<(), PlanError> {
    let shard = planned.id;
    match planned.members.len() {
        0 => return Err(PlanError::EmptyShard(shard)),
        1..=SHARD_MEMBERS_MAX => {}
        members => return Err(PlanError::CrowdedShard { shard, members }),
    }
    for &node in &planned.members {
        match homes.get(&node) {
            None => return Err(PlanError::UnknownMember { shard, node }),
            Some(home) if *home != shard => return Err(PlanError::ForeignMember { shard, node }),
            Some(_) if !housed.insert(node) => {
                return Err(PlanError::TwiceMember { shard, node });
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// The rules for topology voters, shared with the change that replaces them.
pub(crate) fn check_voters(
    voters: &[NodeId],
    is_known: impl Fn(NodeId) -> bool,
) -> Result<(), PlanError> {
    if voters.is_empty() || voters.len() > TOPOLOGY_VOTERS_MAX {
        return Err(PlanError::VoterCount(voters.len()));
    }
    let mut seen = BTreeSet::new();
    for &voter in voters {
        if !is_known(voter) {
            return Err(PlanError::UnknownVoter(voter));
        }
        if !seen.insert(voter) {
            return Err(PlanError::TwiceVoter(voter));
        }
    }
    Ok(())
}
