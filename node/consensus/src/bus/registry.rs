//! Which groups this node takes part in, so that a call finds its group.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use quoris_proto::raft::Route;
use tokio::sync::watch;
use tonic::Status;

use crate::quarantine::Quarantine;
use crate::runtime::Scope;
use crate::types::{GroupId, Raft, RaftId};

/// The groups of a node. Cheap to clone; all clones are the same registry.
#[derive(Clone, Default)]
pub struct Registry(Arc<Mutex<BTreeMap<GroupId, Member>>>);

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = self.0.lock().expect("no panic while held");
        f.debug_set().entries(groups.keys()).finish()
    }
}

/// This node as a member of one group.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) cluster_id: String,
    pub(crate) me: RaftId,
    pub(crate) raft: Raft,
    pub(crate) quarantine: Quarantine,
    pub(crate) scope: Scope,
    /// Turns true when the group leaves the registry.
    pub(crate) left: watch::Receiver<bool>,
}

/// Keeps a group in the registry until it is dropped.
#[derive(Debug)]
pub(crate) struct Registration {
    registry: Registry,
    group: GroupId,
    leave: watch::Sender<bool>,
}

impl Registry {
    /// A registry without groups.
    pub fn new() -> Self {
        Self::default()
    }

    /// Enters a group; `None` if it is there already.
    pub(crate) fn enter(
        &self,
        group: GroupId,
        member: impl FnOnce(watch::Receiver<bool>) -> Member,
    ) -> Option<Registration> {
        let mut groups = self.0.lock().expect("no panic while held");
        if groups.contains_key(&group) {
            return None;
        }
        let (leave, left) = watch::channel(false);
        groups.insert(group.clone(), member(left));
        Some(Registration { registry: self.clone(), group, leave })
    }

    /// The group that a call is for. A call that is for another cluster or
    /// node, or for a group that is not here, is refused.
    pub(super) fn find(&self, route: Option<Route>) -> Result<Member, Status> {
        let route = route.ok_or_else(|| Status::invalid_argument("route is missing"))?;
        let group = GroupId(route.group_id);
        let groups = self.0.lock().expect("no panic while held");
        let Some(member) = groups.get(&group) else {
            return Err(Status::not_found(format!("group {group} is not on this node")));
        };
        if member.cluster_id != route.cluster_id {
            return Err(Status::failed_precondition("this node is in another cluster"));
        }
        if member.me != route.to {
            let me = member.me;
            return Err(Status::failed_precondition(format!("this is node {me:016x}")));
        }
        Ok(member.clone())
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.registry.0.lock().expect("no panic while held").remove(&self.group);
        let _ = self.leave.send(true);
    }
}
