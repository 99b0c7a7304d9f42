//! The plan that `create` sends to every node: drawn by `quoris-topology`, which
//! the nodes use as well, from what they said and some randomness.

use std::collections::BTreeSet;

use quoris_topology::{
    Address as Place, ClusterId, NodeId, Plan, PlanError, PlanOptions, PlanWarning, Secret, ShardId,
};
use rand::{TryRngCore, rngs::OsRng};

use crate::{
    address::Address,
    failure::{Failure, Outcome},
    table::layout,
    view::slot_ranges,
};

const SECRET_BYTES: usize = 32;

/// What `create` learnt about a node before planning.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The id that the node gave itself.
    pub id: NodeId,
    /// Where clients and the other nodes reach it.
    pub place: Place,
}

/// Divides the nodes into shards of one leader and `replicas` followers.
pub fn draw(candidates: &[Candidate], replicas: usize) -> Outcome<Plan> {
    if !matches!(replicas, 0 | 2 | 4) {
        return Err(Failure::refused(
            "--replicas must be 0, 2 or 4: a shard has 1, 3 or 5 nodes, so that one or two may \
             fail and a majority is left",
        ));
    }
    let nodes = candidates.iter().map(|candidate| (candidate.id, candidate.place.clone()));
    let mut shard_ids = (0..candidates.len())
        .map(|_| random_bytes().map(ShardId::new))
        .collect::<Outcome<Vec<_>>>()?
        .into_iter();
    let options = PlanOptions {
        cluster_id: ClusterId::new(random_bytes()?),
        secret: Some(Secret(hex(&random_bytes::<SECRET_BYTES>()?))),
        replicas_per_shard: replicas,
        shard_id: &mut || shard_ids.next().expect("there are at most as many shards as nodes"),
    };
    Plan::new(nodes.collect(), options).map_err(|error| Failure::refused(way_out(&error)))
}

/// The plan as a person reads it, without the secret.
pub fn describe(plan: &Plan) -> String {
    let address = |id: &NodeId| {
        plan.node(*id)
            .map_or_else(String::new, |node| Address::new(&node.host, node.port).to_string())
    };
    let rows: Vec<Vec<String>> = plan
        .shards
        .iter()
        .enumerate()
        .map(|(index, shard)| {
            let slots: Vec<_> =
                shard.slots.iter().map(|range| (range.start().get(), range.end().get())).collect();
            let (leader, followers) = shard.members.split_first().expect("no shard is empty");
            let followers: Vec<String> = followers.iter().map(address).collect();
            let number = (index + 1).to_string();
            vec![number, slot_ranges(&slots), address(leader), followers.join("  ")]
        })
        .collect();
    layout(&["SHARD", "SLOTS", "FIRST LEADER", "FOLLOWERS"], &rows, &[])
}

/// What the plan's author may not have intended, each thing said once.
pub fn warnings(plan: &Plan) -> BTreeSet<String> {
    let warnings = plan.validate().expect("the planner checked it");
    let text = |warning: PlanWarning| match warning {
        PlanWarning::HostHoldsMajority { host, .. } => {
            format!("some shards have most of their nodes on host {host}, and stop with it")
        }
        PlanWarning::EvenShard { .. } => warning.to_string(),
    };
    warnings.into_iter().map(text).collect()
}

fn way_out(error: &PlanError) -> String {
    match error {
        PlanError::TooFewNodes { .. } | PlanError::UnevenNodes { .. } => {
            format!("{error}, or change --replicas")
        }
        _ => error.to_string(),
    }
}

fn random_bytes<const COUNT: usize>() -> Outcome<[u8; COUNT]> {
    let mut bytes = [0; COUNT];
    OsRng.try_fill_bytes(&mut bytes).map_err(|error| {
        Failure::refused(format!("the operating system gives no random bytes: {error}"))
    })?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).expect("half a byte is one digit");
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(count: u8) -> Vec<Candidate> {
        let candidate = |number: u8| Candidate {
            id: NodeId::new([number; 20]),
            place: Place {
                host: "127.0.0.1".into(),
                hostname: None,
                port: 7000 + u16::from(number),
                bus_port: 17000 + u16::from(number),
                tls_port: 0,
            },
        };
        (0..count).map(candidate).collect()
    }

    #[test]
    fn the_first_nodes_lead() {
        let plan = draw(&candidates(9), 2).expect("nine nodes make three shards");
        let text = describe(&plan);
        let first = text.lines().nth(1).expect("there is a first shard");
        assert_eq!(first, "1      0-5460       127.0.0.1:7000  127.0.0.1:7003  127.0.0.1:7006");
    }

    #[test]
    fn no_two_plans_share_a_secret_or_an_id() {
        let [one, other] = [(); 2].map(|()| draw(&candidates(3), 2).expect("three nodes suffice"));
        assert_ne!(one.cluster_id, other.cluster_id);
        assert_ne!(one.secret, other.secret);
        assert_ne!(one.shards[0].id, other.shards[0].id);
        assert_eq!(one.secret.expect("it has one").0.len(), 2 * SECRET_BYTES);
    }

    #[test]
    fn what_does_not_come_out_even_is_refused() {
        for (nodes, replicas) in [(9, 1), (9, 3), (9, 6), (8, 2), (2, 2), (0, 0)] {
            assert!(
                draw(&candidates(nodes), replicas).is_err(),
                "{nodes} nodes, {replicas} replicas"
            );
        }
    }

    #[test]
    fn hex_has_two_digits_a_byte() {
        assert_eq!(hex(&[0, 9, 0xab, 0xff]), "0009abff");
    }
}
