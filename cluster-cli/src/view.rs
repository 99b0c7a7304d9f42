//! How one node sees the cluster: its answer to `CLUSTER SHARDS`, as types.

use std::collections::BTreeMap;

use quoris_resp::Reply;
use serde::Serialize;

use crate::{
    address::Address,
    failure::{Failure, Outcome},
    wire::Read,
};

/// As an index.
const SLOT_COUNT: usize = quoris_topology::SLOT_COUNT as usize;

/// A node's part in its shard, as the answering node sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It takes the shard's commands.
    Leader,
    /// It applies the leader's log.
    Follower,
}

/// One node of a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// 40 hex digits.
    pub id: String,
    /// Where clients are sent.
    pub address: Address,
    /// Leader or follower.
    pub role: Role,
    /// How far its log is applied, in the unit that the node reports.
    pub offset: i64,
}

/// One shard: what it owns and who serves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Inclusive ranges, ascending.
    pub slots: Vec<(u16, u16)>,
    /// Its nodes, by address.
    pub members: Vec<Member>,
}

impl Shard {
    /// The member that leads, if the answering node knows one.
    pub fn leader(&self) -> Option<&Member> {
        self.members.iter().find(|member| member.role == Role::Leader)
    }

    /// How many slots it owns.
    pub fn slot_count(&self) -> usize {
        self.slots.iter().map(|(first, last)| usize::from(last - first) + 1).sum()
    }
}

/// The whole cluster in the eyes of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Ordered by first slot.
    pub shards: Vec<Shard>,
}

impl View {
    /// Reads a reply to `CLUSTER SHARDS`. A node that announces no address of
    /// its own is reached where it answered.
    pub fn read(reply: &Reply, answered_at: &Address) -> Outcome<Self> {
        let shards: Option<Vec<Shard>> =
            reply.items().iter().map(|shard| read_shard(shard, answered_at)).collect();
        let mut shards = shards.ok_or_else(|| {
            Failure::refused(format!(
                "{answered_at} gave an answer to CLUSTER SHARDS that cannot be read; \
                 is it a Quoris node of this release?"
            ))
        })?;
        shards.sort_by_key(|shard| shard.slots.first().map_or(u16::MAX, |range| range.0));
        Ok(Self { shards })
    }

    /// Every node of every shard.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.shards.iter().flat_map(|shard| &shard.members)
    }

    /// Slots that no shard owns, as inclusive ranges.
    pub fn uncovered(&self) -> Vec<(u16, u16)> {
        let mut owned = vec![false; SLOT_COUNT];
        for (first, last) in self.shards.iter().flat_map(|shard| &shard.slots) {
            owned[usize::from(*first)..=usize::from(*last)].fill(true);
        }
        let mut gaps: Vec<(u16, u16)> = Vec::new();
        for slot in (0..SLOT_COUNT).filter(|slot| !owned[*slot]) {
            match gaps.last_mut() {
                Some(gap) if usize::from(gap.1) + 1 == slot => gap.1 += 1,
                _ => gaps.push((slot as u16, slot as u16)),
            }
        }
        gaps
    }

    /// What two nodes must agree on: who owns which slots, who is in which
    /// shard, who leads it. Offsets and addresses may differ for a moment.
    pub fn agrees_with(&self, other: &Self) -> bool {
        let essence = |view: &Self| -> BTreeMap<String, (Role, Vec<(u16, u16)>)> {
            let place = |shard: &Shard, member: &Member| {
                (member.id.clone(), (member.role, shard.slots.clone()))
            };
            let shards = view.shards.iter();
            shards.flat_map(|shard| shard.members.iter().map(|m| place(shard, m))).collect()
        };
        essence(self) == essence(other)
    }
}

/// `0-5460 10000-10000` as a person reads it: `0-5460, 10000`.
pub fn slot_ranges(ranges: &[(u16, u16)]) -> String {
    if ranges.is_empty() {
        return "none".into();
    }
    let range = |(first, last): &(u16, u16)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    ranges.iter().map(range).collect::<Vec<_>>().join(", ")
}

fn read_shard(reply: &Reply, answered_at: &Address) -> Option<Shard> {
    let bounds: Option<Vec<u16>> = reply
        .field("slots")?
        .items()
        .iter()
        .map(|bound| bound.text()?.parse().ok().filter(|slot| usize::from(*slot) < SLOT_COUNT))
        .collect();
    let mut slots: Vec<(u16, u16)> =
        bounds?.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
    if slots.iter().any(|(first, last)| first > last) {
        return None;
    }
    slots.sort_unstable();
    let members: Option<Vec<Member>> =
        reply.field("nodes")?.items().iter().map(|node| read_member(node, answered_at)).collect();
    let mut members = members?;
    members.sort_by(|a, b| a.address.cmp(&b.address));
    Some(Shard { slots, members })
}

fn read_member(node: &Reply, answered_at: &Address) -> Option<Member> {
    let named = |field: &str| {
        let text = node.field(field)?.text()?;
        (!text.is_empty() && text != "?").then_some(text)
    };
    let host = named("endpoint").or_else(|| named("ip")).unwrap_or(answered_at.host.clone());
    let port = node.field("port").or_else(|| node.field("tls-port"))?.text()?.parse().ok()?;
    let role = match node.field("role")?.text()?.as_str() {
        "master" => Role::Leader,
        _ => Role::Follower,
    };
    let offset = node.field("replication-offset").and_then(|value| value.text()?.parse().ok());
    Some(Member {
        id: node.field("id")?.text()?,
        address: Address::new(host, port),
        role,
        offset: offset.unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Reply {
        Reply::Bulk(text.into())
    }

    fn node(fields: &[(&str, &str)]) -> Reply {
        Reply::Array(fields.iter().flat_map(|(name, value)| [text(name), text(value)]).collect())
    }

    fn shard(slots: &[i64], nodes: Vec<Reply>) -> Reply {
        let slots = slots.iter().map(|slot| Reply::Integer(*slot)).collect();
        Reply::Array(vec![text("slots"), Reply::Array(slots), text("nodes"), Reply::Array(nodes)])
    }

    fn read(shards: Vec<Reply>) -> Outcome<View> {
        View::read(&Reply::Array(shards), &Address::new("asked", 7))
    }

    #[test]
    fn a_node_without_an_address_is_where_it_answered() {
        let nodes = vec![
            node(&[("id", "b"), ("port", "2"), ("ip", ""), ("endpoint", ""), ("role", "master")]),
            node(&[
                ("id", "c"),
                ("port", "3"),
                ("endpoint", "?"),
                ("ip", "10.0.0.3"),
                ("role", "replica"),
            ]),
        ];
        let view = read(vec![shard(&[0, 16383], nodes)]).expect("it is well formed");
        let addresses: Vec<_> = view.members().map(|member| member.address.to_string()).collect();
        assert_eq!(addresses, ["10.0.0.3:3", "asked:2"]);
        assert_eq!(view.shards[0].leader().map(|leader| leader.id.as_str()), Some("b"));
        assert_eq!(view.uncovered(), []);
    }

    #[test]
    fn shards_are_ordered_by_their_slots_and_empty_ones_come_last() {
        let view = read(vec![
            shard(&[], vec![]),
            shard(&[100, 200], vec![]),
            shard(&[7, 7, 0, 5], vec![]),
        ]);
        let view = view.expect("it is well formed");
        let slots: Vec<_> = view.shards.iter().map(|shard| slot_ranges(&shard.slots)).collect();
        assert_eq!(slots, ["0-5, 7", "100-200", "none"]);
        assert_eq!(slot_ranges(&view.uncovered()), "6, 8-99, 201-16383");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for shards in [
            vec![text("nothing")],
            vec![shard(&[0, 16384], vec![])],
            vec![shard(&[9, 3], vec![])],
            vec![shard(&[0, 1], vec![node(&[("id", "a")])])],
        ] {
            assert!(read(shards).is_err());
        }
    }
}
