//! What a node is told about its part in a cluster.

use std::time::Duration;

use quoris_topology::{Address, EndpointType};

use crate::config::{self, Config};

/// A silent node counts as failed no sooner than this. A leader is replaced much
/// sooner, which does not depend on what others think of it.
const NODE_TIMEOUT_MIN: Duration = Duration::from_secs(2);

/// The directives of the cluster.
#[derive(Clone, Debug)]
pub struct ClusterOptions {
    /// `cluster-enabled`: answer `CLUSTER …`.
    pub is_enabled: bool,
    /// Where this node is to be reached.
    pub address: LocalAddress,
    /// `cluster-preferred-endpoint-type`.
    pub preferred: EndpointType,
    /// `cluster-require-full-coverage`.
    pub require_full_coverage: bool,
    /// A node that is silent for longer has failed: `cluster-node-timeout`, but
    /// at least two pings.
    pub node_timeout: Duration,
}

impl ClusterOptions {
    /// What `config` says about a node whose clients connect to `port`.
    pub fn of(config: &Config, port: u16) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        // Port 0 stands for whichever the operating system gave.
        let or_actual = |told: u16| if config.port() == 0 { port } else { told };
        Self {
            is_enabled: config.cluster_enabled(),
            address: LocalAddress {
                host: owned(config.cluster_announce_ip()),
                hostname: owned(config.cluster_announce_hostname()),
                port: or_actual(config.announced_port()),
                bus_port: announced_bus_port(config, port),
            },
            preferred: match config.cluster_preferred_endpoint_type() {
                config::EndpointType::Ip => EndpointType::Ip,
                config::EndpointType::Hostname => EndpointType::Hostname,
                config::EndpointType::Unknown => EndpointType::UnknownEndpoint,
            },
            require_full_coverage: config.cluster_require_full_coverage(),
            node_timeout: config.cluster_node_timeout().max(NODE_TIMEOUT_MIN),
        }
    }
}

/// Where the node thinks it is: what it listens at, or was told to announce.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalAddress {
    /// `cluster-announce-ip`; a node that was not told does not know.
    pub host: Option<String>,
    /// `cluster-announce-hostname`.
    pub hostname: Option<String>,
    /// `cluster-announce-port` or the port that clients connect to.
    pub port: u16,
    /// `cluster-announce-bus-port` or the port of the bus.
    pub bus_port: u16,
}

impl LocalAddress {
    /// As an address; the host is empty if it is not known.
    pub fn to_address(&self) -> Address {
        Address {
            host: self.host.clone().unwrap_or_default(),
            hostname: self.hostname.clone(),
            port: self.port,
            bus_port: self.bus_port,
            tls_port: 0,
        }
    }

    /// The address that the cluster is to record. `recorded` is what it has
    /// recorded, and `last` what this node thought when that was done.
    ///
    /// The two may differ for good: behind a translation of addresses the
    /// cluster was formed with those that work, and the node cannot see them.
    /// So each part that has not changed here stays as it is recorded.
    pub fn resolved(&self, last: Option<&Address>, recorded: Option<&Address>) -> Address {
        let mut address = self.to_address();
        let Some(recorded) = recorded else { return address };
        if address.host.is_empty() || last.is_some_and(|last| last.host == address.host) {
            address.host.clone_from(&recorded.host);
        }
        let Some(last) = last else { return address };
        if last.port == address.port {
            address.port = recorded.port;
        }
        if last.bus_port == address.bus_port {
            address.bus_port = recorded.bus_port;
        }
        address
    }
}

/// The port that the bus listens at: `cluster-port` or 10000 above `port`, which
/// clients connect to. There is no room above the highest ports; a node that is
/// alone then takes one below, since it needs a port but no particular one.
pub fn bus_port(config: &Config, port: u16) -> u16 {
    const OFFSET: u16 = 10_000;
    let told = config.bus_port();
    let is_default = told == config.port().wrapping_add(OFFSET);
    if is_default { port.checked_add(OFFSET).unwrap_or(port.wrapping_sub(OFFSET)) } else { told }
}

fn announced_bus_port(config: &Config, port: u16) -> u16 {
    match config.announced_bus_port() {
        told if told == config.bus_port() => bus_port(config, port),
        told => told,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(host: &str, port: u16) -> LocalAddress {
        let host = (!host.is_empty()).then(|| host.to_owned());
        LocalAddress { host, hostname: None, port, bus_port: port + 10_000 }
    }

    #[test]
    fn only_what_has_changed_here_is_announced_anew() {
        let recorded = local("192.0.2.1", 30000).to_address();
        let last = local("", 7000).to_address();
        let table = [
            ("nothing has changed", local("", 7000), Some(&last), ("192.0.2.1", 30000)),
            ("another port", local("", 7001), Some(&last), ("192.0.2.1", 7001)),
            ("told its host", local("10.0.0.1", 7000), Some(&last), ("10.0.0.1", 30000)),
            ("first time", local("", 7000), None, ("192.0.2.1", 7000)),
        ];
        for (name, now, last, (host, port)) in table {
            let resolved = now.resolved(last, Some(&recorded));
            assert_eq!((resolved.host.as_str(), resolved.port), (host, port), "{name}");
            assert_eq!(resolved.bus_port, port + 10_000, "{name}");
        }
        assert_eq!(local("", 7000).resolved(None, None).host, "");
    }
}
