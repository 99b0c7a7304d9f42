//! What directives mean to the crates below.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use quoris_consensus::{Durability, Timing};

use crate::config::{AppendFsync, Config};

/// `appendfsync`.
pub fn durability_of(config: &Config) -> Durability {
    match config.appendfsync() {
        AppendFsync::Always => Durability::Always,
        AppendFsync::EverySecond => Durability::EverySec,
        AppendFsync::Never => Durability::No,
    }
}

/// `cluster-node-timeout`: followers stand for election after half to all of it.
pub fn timing_of(config: &Config) -> Timing {
    let timeout = config.cluster_node_timeout().max(Duration::from_millis(8));
    Timing { heartbeat: timeout / 8, election_min: timeout / 2, election_max: timeout }
}

/// The addresses that `bind` names, each with whether it may be missing.
///
/// # Errors
/// The word that is no address.
pub(crate) fn addresses_of(config: &Config) -> Result<Vec<(IpAddr, bool)>, String> {
    config.bind().iter().map(|word| address_of(word)).collect()
}

fn address_of(word: &str) -> Result<(IpAddr, bool), String> {
    let (name, may_miss) = match word.strip_prefix('-') {
        Some(name) => (name, true),
        None => (word, false),
    };
    let address = match name {
        "*" => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        "::*" => IpAddr::from(Ipv6Addr::UNSPECIFIED),
        "localhost" => IpAddr::from(Ipv4Addr::LOCALHOST),
        _ => name.parse().map_err(|_| word.to_owned())?,
    };
    Ok((address, may_miss))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bind_understands_what_redis_does() {
        let table = [
            ("127.0.0.1", Some(("127.0.0.1", false))),
            ("-::1", Some(("::1", true))),
            ("*", Some(("0.0.0.0", false))),
            ("-::*", Some(("::", true))),
            ("example", None),
        ];
        for (word, expected) in table {
            let expected = expected.map(|(text, may_miss)| (text.parse().unwrap(), may_miss));
            assert_eq!(address_of(word).ok(), expected, "{word}");
        }
    }

    #[test]
    fn the_default_timeout_gives_the_default_timing() {
        assert_eq!(timing_of(&Config::default()), Timing::default());
    }
}
