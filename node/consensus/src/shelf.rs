//! Where a group's newest snapshot lies: a shard's in a file, the topology's,
//! which is small, in the metadata store.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use prost::Message;
use quoris_proto::raft as wire;
use quoris_storage::{Meta, Snapshots};

use crate::codec::{self, Malformed};
use crate::state_machine::Image;
use crate::types::{GroupId, LogId, SnapshotMeta};
use crate::world::Offload;

/// The newest snapshot and the one before, in case the newest turns out to be
/// damaged while the log still reaches back that far.
const FILES_KEPT: usize = 2;

/// Puts snapshots away and fetches the newest. Cheap to clone.
#[derive(Clone)]
pub(crate) enum Shelf {
    Files { snapshots: Arc<Snapshots>, group: GroupId, offload: Offload },
    Meta { meta: Arc<dyn Meta>, key: Vec<u8> },
}

impl Shelf {
    pub(crate) fn in_files(snapshots: Snapshots, group: GroupId, offload: Offload) -> Self {
        Self::Files { snapshots: Arc::new(snapshots), group, offload }
    }

    pub(crate) fn in_meta(meta: Arc<dyn Meta>, group: &GroupId) -> Self {
        Self::Meta { meta, key: format!("raft/{group}/snapshot").into_bytes() }
    }

    /// Durable on return. The snapshot of an empty log is not worth keeping.
    pub(crate) async fn save(&self, meta: &SnapshotMeta, image: &Image) -> io::Result<()> {
        let Some(last) = meta.last_log_id else { return Ok(()) };
        match self {
            Self::Files { snapshots, group, offload } => {
                let meta = quoris_storage::SnapshotMeta {
                    group: group.0.clone(),
                    index: last.index,
                    term: last.leader_id.term,
                    membership: codec::stored_membership_to_bytes(&meta.last_membership).into(),
                };
                let (snapshots, image) = (Arc::clone(snapshots), image.clone());
                offload
                    .run(move || {
                        snapshots.save(&meta, &image.0)?;
                        snapshots.prune(FILES_KEPT)
                    })
                    .await?
                    .map_err(Into::into)
            }
            Self::Meta { meta: store, key } => {
                let value = encode(meta, image);
                Ok(store.put_durable(key, &value)?)
            }
        }
    }

    pub(crate) async fn newest(&self) -> io::Result<Option<(SnapshotMeta, Image)>> {
        match self {
            Self::Files { snapshots, offload, .. } => {
                let snapshots = Arc::clone(snapshots);
                let found = offload.run(move || {
                    let Some(file) = snapshots.latest()? else { return Ok(None) };
                    let payload = file.payload()?;
                    Ok::<_, quoris_storage::SnapshotError>(Some((file.meta().clone(), payload)))
                });
                let Some((meta, payload)) = found.await?? else { return Ok(None) };
                let meta = SnapshotMeta {
                    last_log_id: Some(LogId::new_term_index(meta.term, meta.index)),
                    last_membership: codec::stored_membership_from_bytes(&meta.membership)?,
                };
                Ok(Some((meta, Image(payload.into()))))
            }
            Self::Meta { meta, key } => match meta.get(key)? {
                Some(value) => Ok(Some(decode(value.into())?)),
                None => Ok(None),
            },
        }
    }
}

/// A snapshot in the metadata store: its header, preceded by its length, and
/// then the image.
fn encode(meta: &SnapshotMeta, image: &Image) -> Vec<u8> {
    let header = wire::SnapshotHeader {
        last: meta.last_log_id.map(codec::log_id_to_wire),
        membership_at: meta.last_membership.log_id().map(codec::log_id_to_wire),
        membership: Some(codec::membership_to_wire(meta.last_membership.membership())),
        total_bytes: image.0.len() as u64,
        ..Default::default()
    };
    let mut value = header.encode_length_delimited_to_vec();
    value.extend_from_slice(&image.0);
    value
}

fn decode(mut value: Bytes) -> Result<(SnapshotMeta, Image), Malformed> {
    let header = wire::SnapshotHeader::decode_length_delimited(&mut value)?;
    if header.total_bytes != value.len() as u64 {
        return Err(Malformed::Missing("part of the snapshot"));
    }
    let meta = SnapshotMeta {
        last_log_id: header.last.map(codec::log_id_from_wire),
        last_membership: codec::stored_membership_from_wire(
            header.membership_at,
            header.membership,
        )?,
    };
    Ok((meta, Image(value)))
}
