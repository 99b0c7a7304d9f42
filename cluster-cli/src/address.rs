//! `HOST:PORT` as a person types it, IPv6 in brackets.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

/// Where a node answers RESP. Never its identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// A name or a numeric address, without brackets.
    pub host: String,
    /// The RESP port, 1 to 65535.
    pub port: u16,
}

impl Address {
    /// An address from parts that are already known to be good.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port }
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = "write it as HOST:PORT, for example 127.0.0.1:7000 or [::1]:7000";
        let (host, port) = text.rsplit_once(':').ok_or(wanted)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(wanted)?;
        let bracketed = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
        if bracketed.is_none() && host.contains(':') {
            return Err(wanted.into());
        }
        let host = bracketed.unwrap_or(host);
        if host.is_empty() || host.contains(char::is_whitespace) {
            return Err(wanted.into());
        }
        Ok(Self::new(host, port))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(out, "[{}]:{}", self.host, self.port)
        } else {
            write!(out, "{}:{}", self.host, self.port)
        }
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for text in ["127.0.0.1:7000", "node-1:6379", "[::1]:65535"] {
            assert_eq!(text.parse::<Address>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn refuses_what_is_no_address() {
        for text in [
            "",
            "7000",
            "host",
            ":7000",
            "host:",
            "host:0",
            "host:65536",
            "::1:7000",
            "a b:1",
            "[]:1",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text:?} was accepted");
        }
    }
}
