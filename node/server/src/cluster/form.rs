//! Taking a plan: the steps of `CLUSTER FORM`.
//!
//! The node must be empty, and must not accept a write between the moment it
//! looks and its restart, or that write would be wiped with the old groups. So
//! commands are held back first; then the writes under way are waited for; then
//! it looks; and then the plan is written.

use std::rc::Rc;
use std::time::Duration;

use quoris_engine::{CommandError, Result};
use quoris_topology::Plan;
use tokio::time::{Instant, sleep, timeout};

use super::{Cluster, formation};
use crate::session::Session;
use crate::shared::{Exit, Shared};
use crate::waits::Pause;

/// How long commands are held back at most.
const GATE: Duration = Duration::from_secs(30);
/// How long writes under way may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often they are looked at.
const LOOK: Duration = Duration::from_millis(2);
/// How long the reply may take to leave.
const FAREWELL: Duration = Duration::from_secs(1);

const BUSY: CommandError =
    CommandError::fixed("TRYAGAIN writes are under way on this node: send the plan again");

/// What came of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Formed {
    /// It was taken, and takes effect with a restart.
    Now,
    /// It had been taken before.
    Already,
}

/// Takes a plan, if it is one for this node and the node is free for it.
pub(super) async fn form(shared: &Rc<Shared>, plan: Plan) -> Result<Formed> {
    let cluster = shared.cluster();
    if cluster.check(&plan)? == Formed::Already {
        return Ok(Formed::Already);
    }
    shared.pause(Pause::All(Instant::now() + GATE));
    let taken = take(shared, &cluster, plan).await;
    if taken.is_err() {
        shared.unpause();
    }
    taken
}

async fn take(shared: &Shared, cluster: &Cluster, plan: Plan) -> Result<Formed> {
    timeout(PATIENCE, drained(shared)).await.map_err(|_| BUSY)?;
    let key_count = shared.key_count();
    if key_count > 0 {
        return Err(CommandError::text(format!(
            "ERR this node holds {key_count} keys, and only an empty one can be given a plan: \
             empty it with FLUSHALL"
        )));
    }
    // Another connection may have been faster.
    if cluster.check(&plan)? == Formed::Already {
        return Ok(Formed::Already);
    }
    cluster.accept(shared, plan)?;
    Ok(Formed::Now)
}

/// Completes when no write is under way.
async fn drained(shared: &Shared) {
    while shared.has_writes_under_way() {
        sleep(LOOK).await;
    }
}

impl Cluster {
    /// Whether this node can take the plan, or has.
    fn check(&self, plan: &Plan) -> Result<Formed> {
        let refuse = |problem: String| Err(CommandError::text(format!("ERR {problem}")));
        let me = self.formation.me();
        if plan.node(me).is_none() {
            return refuse(format!("this is node {me}, which the plan does not know"));
        }
        let secret = plan.secret.as_ref();
        let has_secret =
            secret.is_some_and(|secret| quoris_consensus::Secret::new(&*secret.0).is_some());
        if !has_secret {
            return refuse("the plan needs a secret of visible ASCII characters".to_owned());
        }
        let accepted = self.accepted.borrow();
        let current = match &*accepted {
            Some(accepted) => accepted,
            None if self.formation.is_alone() => return Ok(Formed::Now),
            None => self.formation.plan(),
        };
        if current == plan {
            return Ok(Formed::Already);
        }
        let cluster = current.cluster_id;
        refuse(format!(
            "this node belongs to cluster {cluster} already, and only a node that belongs to \
             none can be given a plan"
        ))
    }

    /// Takes the plan durably. If nobody knows whether that has succeeded, the
    /// node stops: what it accepted from now on might be wiped at its next start.
    fn accept(&self, shared: &Shared, plan: Plan) -> Result {
        let (disk, dir) = (&*self.disk, &*self.dir);
        let Err(problem) = formation::accept(disk, dir, &plan) else {
            tracing::info!("this node forms cluster {} with others", plan.cluster_id);
            *self.accepted.borrow_mut() = Some(plan);
            return Ok(());
        };
        if let Err(worse) = formation::withdraw(disk, dir) {
            tracing::error!("take a plan: {problem}; take it back: {worse}");
            shared.stop(Exit::Failed);
        }
        Err(CommandError::text(format!("ERR the plan was not taken: {problem}")))
    }
}

impl Shared {
    /// Whether a write has been accepted and is not answered yet.
    fn has_writes_under_way(&self) -> bool {
        !self.turn.borrow().is_empty() || self.pending.borrow().len() > 0
    }

    fn key_count(&self) -> usize {
        let engine = self.engine.borrow();
        let keyspace = engine.keyspace();
        (0..keyspace.database_count()).map(|number| keyspace.database(number).len()).sum()
    }

    /// Restarts the node once the client has its reply, or does not fetch it.
    pub(super) fn restart_after_reply(self: &Rc<Self>, session: &Rc<Session>) {
        let (shared, session) = (Rc::clone(self), Rc::clone(session));
        tokio::task::spawn_local(async move {
            let sent = async {
                // The reply leaves at the end of the turn.
                tokio::task::yield_now().await;
                while session.output_bytes() > 0 {
                    sleep(LOOK).await;
                }
            };
            let _ = timeout(FAREWELL, sent).await;
            shared.stop(Exit::Restart);
        });
    }
}
