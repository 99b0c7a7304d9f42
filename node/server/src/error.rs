//! Why a node could not start: one line that names the file, the directive or the port, and says
//! what to do.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use quoris_consensus::GroupError;
use quoris_storage::{IdentityError, MetaError};

use crate::cluster::FormationError;

/// Why a node could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory was refused.
    #[error(transparent)]
    Directory(#[from] IdentityError),
    /// The metadata was refused.
    #[error(transparent)]
    Meta(#[from] MetaError),
    /// `bind` names something that is no address.
    #[error("bind: {0:?} is not an address; use addresses of this machine, or * for all")]
    Bind(String),
    /// An address cannot be opened.
    #[error("port {}: cannot listen at {address}: {source}; choose another with --port or --bind", address.port())]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The operating system's answer.
        source: io::Error,
    },
    /// The node does not know what it belongs to.
    #[error(transparent)]
    Formation(#[from] FormationError),
    /// The secret of the bus cannot be used.
    #[error("cluster-secret-file {path}: {problem}", path = path.display())]
    Secret {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The bus cannot be opened.
    #[error("cluster-port {}: cannot listen at {address}: {source}; choose another with --cluster-port", address.port())]
    Bus {
        /// The address.
        address: SocketAddr,
        /// The operating system's answer.
        source: io::Error,
    },
    /// The topology's group cannot start.
    #[error("{dir}: cannot start the topology: {source}", dir = dir.display())]
    Topology {
        /// The data directory.
        dir: PathBuf,
        /// What the group says.
        source: GroupError,
    },
    /// The shard's group cannot start.
    #[error("{dir}: cannot start the shard: {source}", dir = dir.display())]
    Shard {
        /// The data directory.
        dir: PathBuf,
        /// What the group says.
        source: GroupError,
    },
    /// The operating system refused something that a node cannot do without.
    #[error("cannot {doing}: {source}")]
    System {
        /// What was attempted, as a verb phrase.
        doing: &'static str,
        /// The operating system's answer.
        source: io::Error,
    },
}
