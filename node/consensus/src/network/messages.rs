//! The sending side of what clients publish: one stream to each peer.

use std::io;

use futures::stream::{self, Stream, StreamExt as _};
use quoris_proto::messages as wire;
use tonic::Code;

use super::peers::{Lane, Peers};
use crate::bus::Interests;
use crate::types::RaftId;

impl Peers {
    /// Opens a stream to `target` and sends `parcels` on it. Returns what the
    /// other wants to be sent, which ends when the connection does.
    ///
    /// # Errors
    /// If it cannot be reached or does not want to hear.
    pub async fn converse(
        &self,
        (me, target): (RaftId, RaftId),
        cluster_id: &str,
        parcels: impl Stream<Item = wire::Parcel> + Send + 'static,
    ) -> io::Result<Interests> {
        let cluster_id = cluster_id.to_owned();
        let introduction = Some(wire::Introduction { cluster_id, from: me, to: target });
        let first = wire::Parcel { introduction, ..wire::Parcel::default() };
        let outbound = stream::once(std::future::ready(first)).chain(parcels);
        let answer = self.messages(target)?.converse(outbound).await;
        let answer = answer.map_err(|status| {
            if status.code() == Code::FailedPrecondition {
                self.forget(target, Lane::Messages);
            }
            io::Error::other(format!("{:?}: {}", status.code(), status.message()))
        })?;
        let interests = answer.into_inner();
        let interests = interests.take_while(|one| std::future::ready(one.is_ok()));
        Ok(interests.filter_map(|one| std::future::ready(one.ok())).boxed_local())
    }
}
