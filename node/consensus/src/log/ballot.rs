//! A group's vote: the one thing that must never be forgotten or go back.

use std::io;
use std::sync::Arc;

use prost::Message;
use quoris_proto::raft as wire;
use quoris_storage::Meta;

use crate::codec;
use crate::fault::Fault;
use crate::lease::Lease;
use crate::types::{GroupId, Vote};

/// Reads and writes a group's vote.
#[derive(Clone)]
pub(crate) struct Ballot {
    meta: Arc<dyn Meta>,
    key: Vec<u8>,
    lease: Lease,
    fault: Fault,
}

impl Ballot {
    pub(crate) fn new(meta: Arc<dyn Meta>, group: &GroupId, lease: Lease, fault: Fault) -> Self {
        Self { meta, key: format!("raft/{group}/vote").into_bytes(), lease, fault }
    }

    pub(crate) fn read(&self) -> io::Result<Option<Vote>> {
        let Some(bytes) = self.meta.get(&self.key)? else { return Ok(None) };
        let vote = wire::Vote::decode(&bytes[..]).map_err(codec::Malformed::from)?;
        Ok(Some(codec::vote_from_wire(Some(vote))?))
    }

    /// Durable on return, whatever the durability of entries: a node that
    /// forgets its vote may vote twice in a term.
    pub(crate) fn save(&self, vote: &Vote) -> io::Result<()> {
        self.lease.vote_saved(vote);
        let bytes = codec::vote_to_wire(vote).encode_to_vec();
        let written = self.meta.put(&self.key, &bytes).and_then(|()| self.meta.flush());
        written.map_err(|error| self.fault.raise("write the vote", error))
    }
}
