//! openraft's view of a [`Machine`]: applies what is committed, builds and
//! installs snapshots.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use openraft::storage::{EntryResponder, RaftStateMachine};
use openraft::{EntryPayload, OptionalSend, RaftSnapshotBuilder};
use send_wrapper::SendWrapper;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::audience::Audience;
use crate::fault::Fault;
use crate::machine::Machine;
use crate::outcome::CommittedTags;
use crate::shelf::Shelf;
use crate::types::{Committed, Entry, LogId, SnapshotMeta, StoredMembership, TypeConfig};

type Snapshot = openraft::alias::SnapshotOf<TypeConfig, Image>;

/// A run of applies gives way to other tasks, heartbeats above all, after this
/// long. A single entry is never interrupted.
const TURN: Duration = Duration::from_millis(1);

/// A machine's state as bytes.
#[derive(Clone, Debug)]
pub struct Image(pub(crate) Bytes);

/// Applies the log to a machine. Only ever used on the node thread, which
/// `SendWrapper` checks; openraft wants it `Send`.
pub struct StateMachine {
    machine: SendWrapper<Rc<RefCell<dyn Machine>>>,
    applied: Option<LogId>,
    membership: StoredMembership,
    tags: CommittedTags,
    growth: Growth,
    shelf: Shelf,
    audience: Audience,
    fault: Fault,
}

/// How much log has been applied since the last snapshot, and whom to tell when
/// it is time for another.
///
/// A big state waits for as much log as its last snapshot has bytes, so that keeping the log short
/// never costs more than writing it did.
pub(crate) struct Growth {
    bytes: u64,
    limit_min: u64,
    limit: u64,
    full: mpsc::Sender<()>,
}

impl Growth {
    /// What an entry costs beside its payload, roughly.
    const ENTRY_BYTES: u64 = 48;

    pub(crate) fn new(limit: u64, full: mpsc::Sender<()>) -> Self {
        Self { bytes: 0, limit_min: limit, limit, full }
    }

    /// A snapshot of this many bytes has been taken or installed.
    fn outgrow(&mut self, image_bytes: usize) {
        self.limit = self.limit_min.max(image_bytes as u64);
    }

    fn add(&mut self, payload: &Bytes) {
        self.bytes += Self::ENTRY_BYTES + payload.len() as u64;
        if self.bytes >= self.limit {
            self.bytes = 0;
            // If it has been told and has not acted yet, once is enough.
            let _ = self.full.try_send(());
        }
    }
}

impl StateMachine {
    pub(crate) fn new(
        machine: Rc<RefCell<dyn Machine>>,
        tags: CommittedTags,
        growth: Growth,
        shelf: Shelf,
        audience: Audience,
        fault: Fault,
    ) -> Self {
        let machine = SendWrapper::new(machine);
        let membership = StoredMembership::default();
        Self { machine, applied: None, membership, tags, growth, shelf, audience, fault }
    }

    fn apply_one(&mut self, entry: Entry) {
        let position = entry.log_id.into();
        match entry.payload {
            EntryPayload::Normal(batch) => {
                let tag = self.tags.take(entry.log_id.index);
                let payload = &batch.payload;
                let committed = Committed { position, stamp: batch.stamp, tag, payload };
                self.machine.borrow_mut().apply(committed);
                self.growth.add(payload);
            }
            EntryPayload::Blank => self.machine.borrow_mut().skip(position),
            EntryPayload::Membership(membership) => {
                self.audience.consists_of(&membership);
                self.membership = StoredMembership::new(Some(entry.log_id), membership);
                self.machine.borrow_mut().skip(position);
            }
        }
        self.applied = Some(entry.log_id);
        self.audience.applied(entry.log_id.index);
    }

    fn image(&mut self) -> io::Result<Image> {
        let bytes = self.machine.borrow_mut().snapshot();
        let bytes = bytes.map_err(|error| io::Error::other(format!("{error:#}")))?;
        self.growth.outgrow(bytes.len());
        Ok(Image(bytes.into()))
    }
}

impl RaftStateMachine<TypeConfig> for StateMachine {
    type SnapshotData = Image;
    type SnapshotBuilder = Builder;

    async fn applied_state(&mut self) -> io::Result<(Option<LogId>, StoredMembership)> {
        Ok((self.applied, self.membership.clone()))
    }

    async fn apply<Strm>(&mut self, mut entries: Strm) -> io::Result<()>
    where
        Strm: Stream<Item = io::Result<EntryResponder<TypeConfig>>> + Unpin + OptionalSend,
    {
        let mut turn_ends = Instant::now() + TURN;
        while let Some(item) = entries.next().await {
            let (entry, responder) = item?;
            poll_fn(|cx| self.machine.borrow_mut().poll_free(cx)).await;
            self.apply_one(entry);
            if let Some(responder) = responder {
                responder.send(());
            }
            if Instant::now() >= turn_ends {
                self.machine.borrow_mut().apply_done();
                tokio::task::yield_now().await;
                turn_ends = Instant::now() + TURN;
            }
        }
        self.machine.borrow_mut().apply_done();
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Builder {
        let meta =
            SnapshotMeta { last_log_id: self.applied, last_membership: self.membership.clone() };
        let image = Some(self.image());
        Builder { meta, image, shelf: self.shelf.clone(), fault: self.fault.clone() }
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta, image: Image) -> io::Result<()> {
        let saved = self.shelf.save(meta, &image).await;
        saved.map_err(|error| self.fault.raise("write the snapshot", error))?;
        let position = meta.last_log_id.map(Into::into);
        poll_fn(|cx| self.machine.borrow_mut().poll_free(cx)).await;
        let restored = self.machine.borrow_mut().restore(position, &image.0);
        restored.map_err(|error| {
            let error = io::Error::new(io::ErrorKind::InvalidData, format!("{error:#}"));
            self.fault.raise("restore the snapshot", error)
        })?;
        self.growth.bytes = 0;
        self.growth.outgrow(image.0.len());
        self.applied = meta.last_log_id;
        if let Some(applied) = self.applied {
            self.audience.applied(applied.index);
        }
        self.audience.consists_of(meta.last_membership.membership());
        self.membership = meta.last_membership.clone();
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> io::Result<Option<Snapshot>> {
        let newest = self.shelf.newest().await?;
        Ok(newest.map(|(meta, snapshot)| Snapshot { meta, snapshot }))
    }
}

/// Puts an image that has already been taken on the shelf.
pub struct Builder {
    meta: SnapshotMeta,
    image: Option<io::Result<Image>>,
    shelf: Shelf,
    fault: Fault,
}

impl RaftSnapshotBuilder<TypeConfig> for Builder {
    type SnapshotData = Image;

    async fn build_snapshot(&mut self) -> io::Result<Snapshot> {
        let image = self.image.take().expect("a builder builds once");
        let image = image.map_err(|error| self.fault.raise("take a snapshot", error))?;
        let saved = self.shelf.save(&self.meta, &image).await;
        saved.map_err(|error| self.fault.raise("write the snapshot", error))?;
        Ok(Snapshot { meta: self.meta.clone(), snapshot: image })
    }
}
