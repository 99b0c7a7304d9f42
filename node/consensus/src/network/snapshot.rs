//! A snapshot on the wire: a header, then the bytes in pieces, each sent when
//! the receiver has room for it.

use futures::stream::{self, Stream};
use quoris_proto::raft as wire;

use super::Snapshot;
use crate::codec;
use crate::types::Vote;

/// Small enough for many to fit the stream's window.
const CHUNK_BYTES: usize = 256 << 10;

pub(super) fn chunks(
    route: wire::Route,
    vote: &Vote,
    snapshot: Snapshot,
) -> impl Stream<Item = wire::SnapshotChunk> + Send + 'static {
    use wire::snapshot_chunk::Part;
    let membership = &snapshot.meta.last_membership;
    let header = wire::SnapshotHeader {
        route: Some(route),
        vote: Some(codec::vote_to_wire(vote)),
        last: snapshot.meta.last_log_id.map(codec::log_id_to_wire),
        membership_at: membership.log_id().map(codec::log_id_to_wire),
        membership: Some(codec::membership_to_wire(membership.membership())),
        total_bytes: snapshot.snapshot.0.len() as u64,
    };
    let mut parts = vec![Part::Header(header)];
    let mut rest = snapshot.snapshot.0;
    while !rest.is_empty() {
        parts.push(Part::Data(rest.split_to(CHUNK_BYTES.min(rest.len()))));
    }
    stream::iter(parts).map(|part| wire::SnapshotChunk { part: Some(part) })
}

use futures::StreamExt as _;
