//! Which cluster this node belongs to, and how it came to belong to it.
//!
//! A fresh node is alone: a cluster of one shard of one node, described by
//! [`Plan::alone`] with names derived from the node's own. `CLUSTER FORM` gives
//! it a plan of several nodes, which is kept in `<dir>/formation`, a file for
//! the owner's eyes only, because the plan holds the secret of the bus:
//!
//! ```text
//! {"format": 1, "stage": "accepted" | "formed", "plan": {…}}
//! ```
//!
//! The way from one to the other survives a crash at any point:
//!
//! ```text
//! (no file)   alone. Nothing has happened.
//! accepted    the plan counts. Whatever the groups of the lonely node have
//!             left behind is wiped at the next start, before a group starts;
//!             a wipe that a crash interrupts is begun again.
//! formed      there is nothing of the old groups left. What is on the disk
//!             now belongs to the groups of the plan.
//! ```
//!
//! What remains to be done is founding the groups, which [`super::founding`]
//! repeats until it is done.

use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use quoris_consensus::{GroupId, RaftId, Secret};
use quoris_storage::{DataDir, Disk, Meta, MetaError, read_file, replace_private_file};
use quoris_topology::{
    Address, ClusterId, NodeId, Plan, PlanError, PlannedShard, ShardId, Topology,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const FILE: &str = "formation";
const FORMAT: u32 = 1;
/// Where the newest topology that this node has seen is kept in the metadata.
const SEEN: &[u8] = b"cluster/topology";
/// Under which address the node last had itself recorded.
const LOCAL: &[u8] = b"node/local-address";
/// What the groups have in the metadata, and what was derived from it.
const WIPED: [&[u8]; 2] = [b"raft/", b"cluster/"];

/// Why a node does not know what it belongs to.
#[derive(Debug, thiserror::Error)]
pub enum FormationError {
    /// The operating system refused.
    #[error("{path}: cannot {action}: {source}; check the directory's permissions and device", path = path.display())]
    Io {
        /// What was attempted, as a verb phrase.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// The metadata could not be read or changed.
    #[error(transparent)]
    Meta(#[from] MetaError),
    /// The file is not what this program writes.
    #[error("{path}: {problem}; restore it from a backup, or empty the data directory and let the node join anew", path = path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The node cannot describe itself.
    #[error("the address of this node: {0}; check port, cluster-port and cluster-announce-*")]
    Address(PlanError),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    Accepted,
    Formed,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    format: u32,
    stage: Stage,
    plan: Plan,
}

/// The plan of this node's cluster, and its own place in it.
#[derive(Clone, Debug)]
pub struct Formation {
    me: NodeId,
    plan: Plan,
    is_alone: bool,
    secret: Option<Secret>,
}

impl Formation {
    /// What this node belongs to. Finishes what a crash has interrupted, so it
    /// is to be called before any group starts. `address` describes a node that
    /// is alone; `secret` comes before the plan's.
    ///
    /// # Errors
    /// One line that names the file and says what to do; see [`FormationError`].
    pub fn load(
        disk: &dyn Disk,
        meta: &dyn Meta,
        data: &DataDir,
        address: &Address,
        secret: Option<Secret>,
    ) -> Result<Self, FormationError> {
        let me = NodeId::from_str(data.node_id()).expect("an identity has 40 digits");
        let path = data.path().join(FILE);
        if !disk.exists(&path).map_err(io_error("look for the file", &path))? {
            let plan = alone(me, address)?;
            return Ok(Self { me, plan, is_alone: true, secret });
        }
        let mut record = read(disk, &path, me)?;
        if record.stage == Stage::Accepted {
            wipe(disk, meta, data)?;
            // The plan was made for a node that thinks that it is there.
            remember_local_address(meta, address)?;
            meta.flush()?;
            record.stage = Stage::Formed;
            write(disk, &path, &record)?;
        }
        let planned = record.plan.secret.as_ref().and_then(|secret| Secret::new(&*secret.0));
        Ok(Self { me, plan: record.plan, is_alone: false, secret: secret.or(planned) })
    }

    /// This node.
    pub fn me(&self) -> NodeId {
        self.me
    }

    /// The plan that the cluster was formed by.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Whether the node has never been told to form a cluster.
    pub fn is_alone(&self) -> bool {
        self.is_alone
    }

    /// The name of the cluster, which every message on the bus carries.
    pub fn cluster_id(&self) -> String {
        self.plan.cluster_id.to_string()
    }

    /// This node's shard as planned.
    pub fn shard(&self) -> &PlannedShard {
        let mut shards = self.plan.shards.iter();
        shards.find(|shard| shard.members.contains(&self.me)).expect("the plan was validated")
    }

    /// The shard's Raft group.
    pub fn shard_group(&self) -> GroupId {
        GroupId(self.shard().id.to_string())
    }

    /// What this node is called in Raft.
    pub fn raft_id(&self) -> RaftId {
        self.me.raft_id()
    }

    /// What the nodes of the cluster prove to each other; a node that is alone
    /// has no peers and needs none.
    pub fn secret(&self) -> Option<&Secret> {
        self.secret.as_ref()
    }

    /// The seed against hash flooding that all nodes of a cluster share; `None`
    /// for a node that is alone, which draws its own.
    pub fn hash_seed(&self) -> Option<[u8; 16]> {
        let secret = self.secret.as_ref().filter(|_| !self.is_alone)?;
        let digest = Sha256::new()
            .chain_update(b"quoris hash seed")
            .chain_update(self.plan.cluster_id.as_bytes())
            .chain_update(secret.reveal().as_bytes())
            .finalize();
        Some(digest[..16].try_into().expect("a digest has 32 bytes"))
    }

    /// The topology to begin with, until the group has told a newer one: what
    /// this node last saw or, before it has seen any, the plan.
    ///
    /// # Errors
    /// If the metadata cannot be read.
    pub fn first_topology(&self, meta: &dyn Meta) -> Result<Topology, MetaError> {
        let seen = meta.get(SEEN)?.and_then(|bytes| Topology::restore(&bytes).ok());
        let seen = seen.filter(|seen| seen.cluster_id() == Some(self.plan.cluster_id));
        Ok(seen.unwrap_or_else(|| Topology::of_plan(&self.plan)))
    }
}

/// Remembers a topology for the next start. It is a hint, and so not synced.
///
/// # Errors
/// If the metadata cannot be written.
pub fn remember_topology(meta: &dyn Meta, topology: &Topology) -> Result<(), MetaError> {
    meta.put(SEEN, &topology.snapshot())
}

/// Under which address the node last had itself recorded, if it ever had.
///
/// # Errors
/// If the metadata cannot be read.
pub fn last_local_address(meta: &dyn Meta) -> Result<Option<Address>, MetaError> {
    let bytes = meta.get(LOCAL)?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// Remembers the address that the node thinks it has, now that the cluster has
/// recorded one for it.
///
/// # Errors
/// If the metadata cannot be written.
pub fn remember_local_address(meta: &dyn Meta, address: &Address) -> Result<(), MetaError> {
    let bytes = serde_json::to_vec(address).expect("an address has only strings for keys");
    meta.put(LOCAL, &bytes)
}

/// Takes a plan durably. It takes effect at the next start.
///
/// # Errors
/// The file could not be written, and the node may or may not be formed after
/// its next start.
pub fn accept(disk: &dyn Disk, dir: &Path, plan: &Plan) -> Result<(), FormationError> {
    let record = Record { format: FORMAT, stage: Stage::Accepted, plan: plan.clone() };
    write(disk, &dir.join(FILE), &record)
}

/// Takes an acceptance back that may or may not have succeeded.
///
/// # Errors
/// If the file may still be there after the next start.
pub fn withdraw(disk: &dyn Disk, dir: &Path) -> Result<(), FormationError> {
    let path = dir.join(FILE);
    if disk.exists(&path).map_err(io_error("look for the file", &path))? {
        disk.remove_file(&path).map_err(io_error("remove the file", &path))?;
    }
    disk.sync_dir(dir).map_err(io_error("sync the directory", dir))
}

fn read(disk: &dyn Disk, path: &Path, me: NodeId) -> Result<Record, FormationError> {
    let corrupt = |problem: String| FormationError::Corrupt { path: path.to_owned(), problem };
    let bytes = read_file(disk, path).map_err(io_error("read the file", path))?;
    let record: Record =
        serde_json::from_slice(&bytes).map_err(|error| corrupt(error.to_string()))?;
    if record.format != FORMAT {
        return Err(corrupt(format!("format {} is not known to this release", record.format)));
    }
    record.plan.validate().map_err(|error| corrupt(error.to_string()))?;
    if record.plan.node(me).is_none() {
        return Err(corrupt(format!("the plan in it is not one of node {me}")));
    }
    Ok(record)
}

fn write(disk: &dyn Disk, path: &Path, record: &Record) -> Result<(), FormationError> {
    let bytes = serde_json::to_vec(record).expect("a record has only strings for keys");
    replace_private_file(disk, path, &bytes).map_err(io_error("write the file", path))
}

/// Removes what the groups of the lonely node have left. Nothing of it was ever
/// promised to anybody: the node held no key when it took the plan, and has
/// accepted no write since.
fn wipe(disk: &dyn Disk, meta: &dyn Meta, data: &DataDir) -> Result<(), FormationError> {
    for dir in [data.aof(), data.snapshots()] {
        if !disk.exists(&dir).map_err(io_error("look for the directory", &dir))? {
            continue;
        }
        for name in disk.list(&dir).map_err(io_error("list the directory", &dir))? {
            let path = dir.join(name);
            disk.remove_file(&path).map_err(io_error("remove the file", &path))?;
        }
        disk.sync_dir(&dir).map_err(io_error("sync the directory", &dir))?;
    }
    for prefix in WIPED {
        for (key, _) in meta.scan(prefix)? {
            meta.delete(&key)?;
        }
    }
    Ok(meta.flush()?)
}

fn alone(me: NodeId, address: &Address) -> Result<Plan, FormationError> {
    let cluster = ClusterId::new(derive("cluster", me));
    let shard = ShardId::new(derive("shard", me));
    Plan::alone(cluster, me, shard, address.clone()).map_err(FormationError::Address)
}

/// A name that follows from the node's own, so that a node that is alone has
/// the same names after every start.
fn derive(what: &str, me: NodeId) -> [u8; 20] {
    let digest = Sha256::new().chain_update(what).chain_update(me.as_bytes()).finalize();
    digest[..20].try_into().expect("a digest has 32 bytes")
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FormationError {
    move |source| FormationError::Io { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use quoris_storage::{DiskMeta, MemoryDisk, OpenMode};

    use super::*;
    use crate::cluster::fixture;

    struct Node {
        disk: MemoryDisk,
    }

    impl Node {
        fn new() -> Self {
            Self { disk: MemoryDisk::new() }
        }

        /// What a start of the process finds. The closure sees the disk, the
        /// metadata and the directory of that run.
        fn start<R>(&self, run: impl FnOnce(&Arc<dyn Disk>, &DiskMeta, &DataDir) -> R) -> R {
            self.try_start(run).unwrap()
        }

        fn try_start<R>(
            &self,
            run: impl FnOnce(&Arc<dyn Disk>, &DiskMeta, &DataDir) -> R,
        ) -> anyhow::Result<R> {
            let disk = self.disk.mount();
            let id = *fixture::node(1).as_bytes();
            let data = DataDir::open(&disk, Path::new("/node"), id)?;
            let meta = DiskMeta::open(Arc::clone(&disk), &data.meta())?;
            Ok(run(&disk, &meta, &data))
        }

        fn load(&self) -> anyhow::Result<Formation> {
            let address = fixture::address(1);
            Ok(self.try_start(|disk, meta, data| {
                Formation::load(&**disk, meta, data, &address, None)
            })??)
        }

        /// Leaves behind what the groups of a lonely node would.
        fn litter(&self) {
            self.start(|disk, meta, data| {
                for dir in [data.aof(), data.snapshots()] {
                    disk.create_dir_all(&dir).unwrap();
                    disk.open(&dir.join("left"), OpenMode::CreateNew).unwrap();
                    disk.sync_dir(&dir).unwrap();
                }
                meta.put(b"raft/topology/vote", b"1").unwrap();
                meta.put(b"node/hash-seed", b"1").unwrap();
                meta.flush().unwrap();
            });
        }

        fn litter_left(&self) -> usize {
            self.start(|disk, meta, data| {
                let files = [data.aof(), data.snapshots()]
                    .iter()
                    .map(|dir| disk.list(dir).map_or(0, |names| names.len()))
                    .sum::<usize>();
                files + meta.scan(b"raft/").unwrap().len()
            })
        }

        fn accept(&self, plan: &Plan) -> anyhow::Result<()> {
            Ok(self.try_start(|disk, _, data| accept(&**disk, data.path(), plan))??)
        }
    }

    #[test]
    fn a_fresh_node_is_a_whole_cluster_with_the_same_names_every_time() {
        let node = Node::new();
        let first = node.load().unwrap();
        assert!(first.is_alone());
        assert_eq!(first.shard().members, [fixture::node(1)]);
        assert!(first.secret().is_none());
        assert_eq!(first.plan(), node.load().unwrap().plan());
        let topology = node.start(|_, meta, _| first.first_topology(meta)).unwrap();
        assert_eq!(topology.assigned_slot_count(), 16384);
    }

    #[test]
    fn an_accepted_plan_counts_from_the_next_start_and_the_old_groups_are_gone() {
        let node = Node::new();
        node.litter();
        node.accept(&fixture::plan(3)).unwrap();
        let formed = node.load().unwrap();
        assert!(!formed.is_alone());
        assert_eq!(*formed.plan(), fixture::plan(3));
        assert_eq!(formed.shard_group().0, formed.plan().shards[0].id.to_string());
        assert!(formed.secret().is_some() && formed.hash_seed().is_some());
        assert_eq!(node.litter_left(), 0);
        let kept = node.start(|_, meta, _| meta.get(b"node/hash-seed").unwrap());
        assert!(kept.is_some(), "only the groups are wiped");
    }

    #[test]
    fn what_the_new_groups_write_survives_the_next_start() {
        let node = Node::new();
        node.accept(&fixture::plan(3)).unwrap();
        node.load().unwrap();
        node.litter();
        node.load().unwrap();
        assert_eq!(node.litter_left(), 3);
    }

    /// Cuts the power after every single change of the disk, from the moment
    /// that the plan arrives.
    #[test]
    fn a_crash_at_any_point_leaves_a_lonely_node_or_a_formed_one() {
        let mut was_formed = [false; 2];
        for changes in 0.. {
            let node = Node::new();
            node.litter();
            node.load().unwrap();
            node.disk.cut_power_after(changes);
            let accepted = node.accept(&fixture::plan(3)).is_ok();
            let finished = accepted && node.load().is_ok();
            node.disk.crash(changes);
            let after = node.load().unwrap();
            assert!(!(accepted && after.is_alone()), "an accepted plan was lost at {changes}");
            was_formed[usize::from(!after.is_alone())] = true;
            if after.is_alone() {
                assert_eq!(node.litter_left(), 3, "a lonely node lost its data at {changes}");
                node.accept(&fixture::plan(3)).unwrap();
            }
            assert_eq!(*node.load().unwrap().plan(), fixture::plan(3));
            assert_eq!(node.litter_left(), 0, "at {changes}");
            if finished {
                break;
            }
        }
        assert_eq!(was_formed, [true; 2]);
    }

    #[test]
    fn a_file_of_another_node_or_format_is_refused_by_name() {
        let refused = |bytes: &[u8]| {
            let node = Node::new();
            node.start(|disk, _, data| {
                replace_private_file(&**disk, &data.path().join(FILE), bytes).unwrap();
            });
            node.load().unwrap_err().to_string()
        };
        assert!(refused(b"{}").starts_with("/node/formation: missing field"));
        let mut foreign = Record { format: 1, stage: Stage::Formed, plan: fixture::plan(3) };
        foreign.plan = Plan::alone(
            ClusterId::new([9; 20]),
            fixture::node(9),
            ShardId::new([9; 20]),
            fixture::address(9),
        )
        .unwrap();
        let text = refused(&serde_json::to_vec(&foreign).unwrap());
        assert!(text.contains("is not one of node 0101"), "{text}");
        foreign.format = 2;
        let text = refused(&serde_json::to_vec(&foreign).unwrap());
        assert!(text.contains("format 2 is not known"), "{text}");
    }

    #[test]
    fn the_newest_topology_that_was_seen_is_where_the_next_start_begins() {
        let node = Node::new();
        node.accept(&fixture::plan(3)).unwrap();
        let formed = node.load().unwrap();
        node.start(|_, meta, _| {
            let mut topology = formed.first_topology(meta).unwrap();
            let mut moved = fixture::address(2);
            moved.port = 7777;
            let change = quoris_topology::Change::SetAddress {
                node: fixture::node(2),
                address: moved.clone(),
            };
            topology.apply(change);
            remember_topology(meta, &topology).unwrap();
            let again = formed.first_topology(meta).unwrap();
            assert_eq!(again.node(fixture::node(2)).unwrap().address(), moved);
            // Another cluster's is of no use.
            remember_topology(meta, &Topology::of_plan(&fixture::plan(6))).unwrap();
            let planned = formed.first_topology(meta).unwrap();
            assert_eq!(planned, Topology::of_plan(formed.plan()));
        });
    }
}
