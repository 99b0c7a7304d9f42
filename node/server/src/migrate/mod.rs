//! `MIGRATE`: gives keys to another server, and forgets them once it has them.
//!
//! While keys are on their way, writes of this node are held back, as Redis holds back everything:
//! so what is removed is what was given. The removal is an entry of the log that names the digest
//! of each key, for the case that leadership changes hands in between; then a key may end on both
//! servers, never on neither.

mod request;
mod target;

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use quoris_engine::spec::{
    Arg, Categories, Group, KeyAccess, KeySpec, Spec, block, integer, key, one_of, string, token,
};
use quoris_engine::{Args, CommandError, Result};
use quoris_resp::{Writer, encode_command};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use self::request::Request;
use self::target::Target;
pub(crate) use self::target::{Dial, dial};
use crate::flush;
use crate::registry::{NodeCommand, NodeCx, Outcome};
use crate::replies;
use crate::shared::Shared;

pub(crate) const COMMANDS: &[NodeCommand] = &[MIGRATE];

/// The tag of removals; client batches count from 1.
const TAG: u64 = u64::MAX - 2;
/// How often it is looked whether the log has come as far as wanted.
const LOOK: Duration = Duration::from_millis(1);
/// How long the log may take to come as far.
const PATIENCE: Duration = Duration::from_secs(3);

const TAKEN: KeyAccess = KeyAccess::TAKE;

const ARGS: &[Arg] = &[
    string("host"),
    integer("port"),
    one_of("key-selector", &[key("key"), token("empty-string", "\"\"")]),
    integer("destination-db"),
    integer("timeout"),
    token("copy", "COPY").optional(),
    token("replace", "REPLACE").optional(),
    one_of(
        "authentication",
        &[
            string("password").after("AUTH"),
            block("auth2", &[string("username"), string("password")]).after("AUTH2"),
        ],
    )
    .optional(),
    block("keys", &[key("key").multiple()]).after("KEYS").optional(),
];

/// MIGRATE host port key | "" destination-db timeout [COPY] [REPLACE]
/// [AUTH password | AUTH2 username password] [KEYS key [key …]]
const MIGRATE: NodeCommand = NodeCommand::new(
    Spec::new("migrate", Group::Generic, "2.6.0", "Moves keys to another server.")
        .args(ARGS)
        .keys([
            Some(KeySpec::selected(3).access(TAKEN)),
            Some(KeySpec::all_behind("KEYS", 6).access(TAKEN)),
            None,
        ])
        .arity(-6)
        .categories(Categories::WRITE.or(Categories::DANGEROUS))
        .differs("Reads go on meanwhile. Not in transactions and scripts. The values need Redis 7.2 or newer.")
        .complexity("O(N) where N is the number of bytes of the keys' values, once here and once there."),
    migrate,
);

fn migrate(cx: &mut NodeCx<'_>, args: Args<'_>, _: &mut Writer<'_>) -> Result<Outcome> {
    if cx.session.in_exec.get() {
        return Err(replies::NOT_IN_EXEC);
    }
    let job = Job {
        request: Request::parse(&args)?,
        db: cx.session.db.get(),
        shared: Rc::clone(cx.shared),
    };
    // It goes on if the client goes away: what the other server has by then is not to stay here.
    let (sender, answer) = oneshot::channel();
    tokio::task::spawn_local(async move {
        let _ = sender.send(job.run().await);
    });
    let (shared, session) = (Rc::clone(cx.shared), Rc::clone(cx.session));
    Ok(Outcome::Later(Box::pin(async move {
        let status = answer.await.unwrap_or(Err(replies::OUTCOME_UNKNOWN))?;
        shared.reply(&session, |reply| reply.simple(status));
        Ok(())
    })))
}

/// One call of `MIGRATE`.
struct Job {
    request: Request,
    db: u16,
    shared: Rc<Shared>,
}

/// A key that the other server has, and the digest of what it has.
type Given<'a> = (&'a [u8], u128);

impl Job {
    async fn run(self) -> Result<&'static str> {
        let _held = HeldWrites::new(&self.shared);
        self.come_to_rest().await?;
        let keys: Vec<&[u8]> = self.request.keys.iter().map(Vec::as_slice).collect();
        let is_there =
            |key| self.shared.engine.borrow().can_depart(self.db, key, self.shared.now_ms());
        if !keys.iter().copied().any(is_there) {
            return Ok("NOKEY");
        }
        let mut target = Target::open(&self.shared.dial, &self.request).await?;
        let (given, problem) = self.give(&keys, &mut target).await;
        if !self.request.copies && !given.is_empty() {
            self.remove(&given).await?;
        }
        problem.map_or(Ok("OK"), Err)
    }

    /// Waits until every write that was accepted has been applied, and this node is known to lead.
    async fn come_to_rest(&self) -> Result {
        let shared = &self.shared;
        let end = Instant::now() + PATIENCE;
        while !shared.turn.borrow().is_empty() || shared.pending.borrow().len() > 0 {
            if Instant::now() > end {
                return Err(replies::TRY_AGAIN);
            }
            sleep(LOOK).await;
        }
        shared.group().renew_lease().await.map_err(|_| replies::TRY_AGAIN)
    }

    fn departing(&self, key: &[u8]) -> Option<quoris_engine::Departing> {
        self.shared.engine.borrow().departing(self.db, key, self.shared.now_ms())
    }

    /// Gives what there is of `keys`; returns what the other server took, and what went wrong.
    async fn give<'a>(
        &self,
        keys: &[&'a [u8]],
        target: &mut Target,
    ) -> (Vec<Given<'a>>, Option<CommandError>) {
        let mut sent = Vec::new();
        for key in keys {
            let Some(departing) = self.departing(key) else { continue };
            let now_ms = self.shared.now_ms();
            let ttl_ms = departing.expire_at_ms.map_or(0, |at| at.saturating_sub(now_ms).max(1));
            if let Err(error) = target.restore(&self.request, key, ttl_ms, &departing).await {
                // What was sent may have arrived, but nobody says so.
                return (Vec::new(), Some(error));
            }
            sent.push((*key, departing.digest));
        }
        let (mut given, mut problem) = (Vec::new(), None);
        for one in sent {
            match target.taken().await {
                Ok(Ok(())) => given.push(one),
                Ok(Err(refused)) => problem = problem.or(Some(refused)),
                Err(broken) => return (given, Some(broken)),
            }
        }
        (given, problem)
    }

    /// Removes what was given, and waits until that is committed.
    async fn remove(&self, given: &[Given<'_>]) -> Result {
        let shared = &self.shared;
        flush::propose(shared, TAG, payload(self.db, given));
        let end = Instant::now() + PATIENCE;
        let is_there = |(key, digest): &Given<'_>| {
            shared.engine.borrow().is_unchanged(self.db, key, *digest, shared.now_ms())
        };
        while given.iter().any(is_there) {
            if !shared.group().is_leader() || Instant::now() > end {
                return Err(replies::OUTCOME_UNKNOWN);
            }
            sleep(LOOK).await;
        }
        Ok(())
    }
}

/// Holds back writes of clients while it is there.
struct HeldWrites<'a>(&'a Shared);

impl<'a> HeldWrites<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.hold_writes();
        HeldWrites(shared)
    }
}

impl Drop for HeldWrites<'_> {
    fn drop(&mut self) {
        self.0.let_writes_go();
    }
}

fn payload(db: u16, given: &[Given<'_>]) -> Bytes {
    let mut out = Vec::new();
    encode_command(&mut out, [b"SELECT" as &[u8], db.to_string().as_bytes()].into_iter());
    let mut words = vec![b"quoris.departed".to_vec()];
    for (key, digest) in given {
        words.extend([key.to_vec(), format!("{digest:032x}").into_bytes()]);
    }
    encode_command(&mut out, words.iter().map(Vec::as_slice));
    out.into()
}
