//! What the cluster knows about one node.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{NodeId, ShardId};

/// A node as the topology records it and as a [`Plan`](crate::Plan) lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Who it is, for good.
    pub id: NodeId,
    /// Where peers and clients reach it: an IP address or a name. Empty only
    /// on a node that has never been told its own address, as in Redis.
    pub host: String,
    /// `cluster-announce-hostname`, which clients may be shown instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// RESP port without TLS; 0 if it has none.
    pub port: u16,
    /// gRPC port of the bus.
    pub bus_port: u16,
    /// RESP port with TLS; 0 if it has none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tls_port: u16,
    /// The one shard it belongs to.
    pub shard: ShardId,
}

/// The part of a [`Node`] that may change over its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// See [`Node::host`].
    pub host: String,
    /// See [`Node::hostname`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// See [`Node::port`].
    pub port: u16,
    /// See [`Node::bus_port`].
    pub bus_port: u16,
    /// See [`Node::tls_port`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tls_port: u16,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(port: &u16) -> bool {
    *port == 0
}

/// `cluster-preferred-endpoint-type`: what a client is told to connect to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EndpointType {
    /// The address that peers use.
    #[default]
    Ip,
    /// The announced hostname, or `?` for a node without one.
    Hostname,
    /// Nothing: the client reuses the host that it has dialled.
    UnknownEndpoint,
}

/// A text that is not one of `ip`, `hostname`, `unknown-endpoint`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadEndpointType;

impl fmt::Display for BadEndpointType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("argument(s) must be one of the following: ip, hostname, unknown-endpoint")
    }
}

impl core::error::Error for BadEndpointType {}

impl FromStr for EndpointType {
    type Err = BadEndpointType;

    fn from_str(text: &str) -> Result<Self, BadEndpointType> {
        [Self::Ip, Self::Hostname, Self::UnknownEndpoint]
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(text))
            .ok_or(BadEndpointType)
    }
}

impl EndpointType {
    /// The directive's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Hostname => "hostname",
            Self::UnknownEndpoint => "unknown-endpoint",
        }
    }
}

impl Node {
    /// The changeable part, copied.
    pub fn address(&self) -> Address {
        Address {
            host: self.host.clone(),
            hostname: self.hostname.clone(),
            port: self.port,
            bus_port: self.bus_port,
            tls_port: self.tls_port,
        }
    }

    pub(crate) fn relocate(&mut self, address: Address) {
        let Address { host, hostname, port, bus_port, tls_port } = address;
        (self.host, self.hostname) = (host, hostname);
        (self.port, self.bus_port, self.tls_port) = (port, bus_port, tls_port);
    }

    /// The announced hostname, unless it is empty.
    pub fn announced_hostname(&self) -> Option<&str> {
        self.hostname.as_deref().filter(|name| !name.is_empty())
    }

    /// The host part of what a client is told, as in `MOVED`.
    pub fn endpoint(&self, preferred: EndpointType) -> &str {
        match preferred {
            EndpointType::Ip => &self.host,
            EndpointType::Hostname => self.announced_hostname().unwrap_or("?"),
            EndpointType::UnknownEndpoint => "",
        }
    }

    /// The port for a client that came with or without TLS; the other one if
    /// the node has only that.
    pub fn client_port(&self, tls: bool) -> u16 {
        let (wanted, other) =
            if tls { (self.tls_port, self.port) } else { (self.port, self.tls_port) };
        if wanted == 0 { other } else { wanted }
    }
}

/// Why an address cannot be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadAddress {
    /// The host is missing.
    EmptyHost,
    /// The host would break the lines of `CLUSTER NODES`.
    BadHost,
    /// The announced hostname is not one in Redis's sense.
    BadHostname,
    /// Neither a plain nor a TLS port, or both the same.
    BadPort,
    /// The bus has no port, or one that clients use.
    BadBusPort,
}

impl fmt::Display for BadAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmptyHost => "the host is empty",
            Self::BadHost => {
                "a host has at most 255 visible ASCII characters, none of them ',' or '@'"
            }
            Self::BadHostname => {
                "Hostnames may only contain alphanumeric characters, hyphens or dots"
            }
            Self::BadPort => "port and tls_port are the same, or both 0",
            Self::BadBusPort => "bus_port must not be 0, and not a port that clients use",
        })
    }
}

impl core::error::Error for BadAddress {}

impl Address {
    /// Checks that every text and number can be recorded and shown.
    ///
    /// # Errors
    /// The first thing wrong with it.
    pub fn check(&self) -> Result<(), BadAddress> {
        if self.host.is_empty() {
            return Err(BadAddress::EmptyHost);
        }
        self.check_unless_unknown()
    }

    /// The same for a node that may not know its own host yet.
    pub(crate) fn check_unless_unknown(&self) -> Result<(), BadAddress> {
        let visible = |byte: u8| byte.is_ascii_graphic() && byte != b',' && byte != b'@';
        if self.host.len() > 255 || !self.host.bytes().all(visible) {
            return Err(BadAddress::BadHost);
        }
        let hostname = self.hostname.as_deref().unwrap_or_default();
        let named = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        if hostname.len() > 255 || !hostname.bytes().all(named) {
            return Err(BadAddress::BadHostname);
        }
        if self.port == self.tls_port {
            return Err(BadAddress::BadPort);
        }
        if self.bus_port == 0 || self.bus_port == self.port || self.bus_port == self.tls_port {
            return Err(BadAddress::BadBusPort);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> Address {
        Address { host: "10.0.0.1".into(), hostname: None, port: 1, bus_port: 2, tls_port: 0 }
    }

    #[test]
    fn every_bad_address_is_refused_for_its_reason() {
        let with = |change: fn(&mut Address)| {
            let mut address = address();
            change(&mut address);
            address.check()
        };
        assert_eq!(with(|_| ()), Ok(()));
        assert_eq!(with(|a| a.host = "fe80::1".into()), Ok(()));
        assert_eq!(with(|a| a.hostname = Some("a-1.example".into())), Ok(()));
        assert_eq!(with(|a| a.host.clear()), Err(BadAddress::EmptyHost));
        assert_eq!(with(|a| a.host = "a b".into()), Err(BadAddress::BadHost));
        assert_eq!(with(|a| a.host = "a,b".into()), Err(BadAddress::BadHost));
        assert_eq!(with(|a| a.host = "a\n".into()), Err(BadAddress::BadHost));
        assert_eq!(with(|a| a.host = "a".repeat(256)), Err(BadAddress::BadHost));
        assert_eq!(with(|a| a.hostname = Some("a_b".into())), Err(BadAddress::BadHostname));
        assert_eq!(with(|a| a.port = 0), Err(BadAddress::BadPort));
        assert_eq!(with(|a| a.tls_port = 1), Err(BadAddress::BadPort));
        assert_eq!(with(|a| a.bus_port = 0), Err(BadAddress::BadBusPort));
        assert_eq!(with(|a| a.bus_port = 1), Err(BadAddress::BadBusPort));
    }

    #[test]
    fn endpoint_types_are_read_as_the_directive_spells_them() {
        for kind in [EndpointType::Ip, EndpointType::Hostname, EndpointType::UnknownEndpoint] {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        assert_eq!("IP".parse(), Ok(EndpointType::Ip));
        assert_eq!("name".parse::<EndpointType>(), Err(BadEndpointType));
    }
}
