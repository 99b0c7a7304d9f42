//! Asks every node of a cluster, at the same time, what it is and what it sees.
//!
//! The node named by the user is asked first; its view says whom else to ask. A
//! node that does not answer is a finding, not a failure: `status` and `check`
//! exist for the days on which something is down.

use std::collections::BTreeMap;

use futures::future::join_all;
use quoris_resp::Reply;

use crate::{
    address::Address,
    failure::Outcome,
    view::{Member, View},
    wire::{Connection, Read},
};

/// What a node said about itself.
#[derive(Clone, Debug)]
pub struct Report {
    /// 40 hex digits.
    pub id: String,
    /// The release it runs.
    pub version: String,
    /// Keys over all its databases.
    pub key_count: u64,
    /// Bytes, as the node accounts for them.
    pub memory_bytes: u64,
    /// How it sees the cluster.
    pub view: View,
    /// `CLUSTER INFO`, field by field.
    pub info: BTreeMap<String, String>,
}

impl Report {
    /// The node's own line in its own view.
    pub fn own_entry(&self) -> Option<&Member> {
        self.view.members().find(|member| member.id == self.id)
    }

    /// The configuration epoch that the node has reached.
    pub fn epoch(&self) -> u64 {
        self.info.get("cluster_current_epoch").and_then(|text| text.parse().ok()).unwrap_or(0)
    }
}

/// A node of the cluster and what came of asking it.
#[derive(Debug)]
pub struct Answer {
    /// Its line in the view of the node that was asked first.
    pub member: Member,
    /// Its report, or why there is none.
    pub report: Result<Report, String>,
}

/// Everything that could be learnt about a cluster in one go.
#[derive(Debug)]
pub struct Survey {
    /// The view that the answers are ordered by: the one with the highest epoch
    /// among the nodes that answered.
    pub view: View,
    /// One for each member of the view.
    pub answers: Vec<Answer>,
}

impl Survey {
    /// Asks the cluster that `seed` belongs to.
    pub async fn take(seed: &Address, password: Option<&str>) -> Outcome<Self> {
        let first = report(seed, password).await?;
        let mut reports: BTreeMap<String, Result<Report, String>> = BTreeMap::new();
        let others: Vec<&Member> =
            first.view.members().filter(|member| member.id != first.id).collect();
        let asked = others.iter().map(|member| report(&member.address, password));
        for (member, outcome) in others.iter().zip(join_all(asked).await) {
            reports.insert(member.id.clone(), outcome.map_err(|failure| failure.to_string()));
        }
        let view = newest_view(&first, &reports);
        reports.insert(first.id.clone(), Ok(first));
        let unheard = || Err("not asked: it joined while the others were being asked".into());
        let answers = view
            .members()
            .map(|member| Answer {
                member: member.clone(),
                report: reports.remove(&member.id).unwrap_or_else(unheard),
            })
            .collect();
        Ok(Self { view, answers })
    }

    /// The answer of one member.
    pub fn answer(&self, id: &str) -> Option<&Answer> {
        self.answers.iter().find(|answer| answer.member.id == id)
    }

    /// The reports of the nodes that answered.
    pub fn reports(&self) -> impl Iterator<Item = &Report> {
        self.answers.iter().filter_map(|answer| answer.report.as_ref().ok())
    }

    /// The highest epoch that any node has reached.
    pub fn epoch(&self) -> u64 {
        self.reports().map(Report::epoch).max().unwrap_or(0)
    }
}

/// A node that lags behind must not decide what the table shows.
fn newest_view(first: &Report, others: &BTreeMap<String, Result<Report, String>>) -> View {
    let heard = others.values().filter_map(|outcome| outcome.as_ref().ok());
    let newest =
        heard.fold(first, |best, report| if report.epoch() > best.epoch() { report } else { best });
    newest.view.clone()
}

/// Asks one node.
pub async fn report(address: &Address, password: Option<&str>) -> Outcome<Report> {
    let mut node = Connection::open(address, password).await?;
    let id = node.call(&["CLUSTER", "MYID"]).await?.text().unwrap_or_default();
    let view = View::read(&node.call(&["CLUSTER", "SHARDS"]).await?, address)?;
    let info = fields(&node.call(&["CLUSTER", "INFO"]).await?);
    let general = fields(&node.call(&["INFO"]).await?);
    let version = general.get("quoris_version").cloned().unwrap_or_default();
    let memory = general.get("used_memory").and_then(|bytes| bytes.parse().ok());
    Ok(Report {
        id,
        version,
        key_count: key_count(&general),
        memory_bytes: memory.unwrap_or(0),
        view,
        info,
    })
}

/// `name:value` lines, as `INFO` and `CLUSTER INFO` write them.
pub fn fields(reply: &Reply) -> BTreeMap<String, String> {
    let text = reply.text().unwrap_or_default();
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs.map(|(name, value)| (name.into(), value.trim_end().into())).collect()
}

/// Sums `db0:keys=3,expires=0,…` over the databases.
pub fn key_count(info: &BTreeMap<String, String>) -> u64 {
    let databases = info.iter().filter(|(name, _)| {
        name.strip_prefix("db").is_some_and(|rest| rest.parse::<u32>().is_ok())
    });
    databases
        .filter_map(|(_, value)| {
            value.split(',').find_map(|part| part.strip_prefix("keys="))?.parse::<u64>().ok()
        })
        .sum()
}

#[cfg(test)]
pub mod fixture {
    //! A cluster of two shards of three nodes, for the tests of what reads surveys.

    use super::*;
    use crate::view::{Role, Shard};

    /// Ports 7000 to 7005, the first of each shard leads.
    pub fn whole() -> View {
        let member = |port: u16, role| Member {
            id: format!("{port:040}"),
            address: Address::new("127.0.0.1", port),
            role,
            offset: 10,
        };
        let shard = |slots, first: u16| Shard {
            slots: vec![slots],
            members: vec![
                member(first, Role::Leader),
                member(first + 1, Role::Follower),
                member(first + 2, Role::Follower),
            ],
        };
        View { shards: vec![shard((0, 8191), 7000), shard((8192, 16383), 7003)] }
    }

    /// What asking the nodes of this view gave; those whose id starts with
    /// `silent` did not answer.
    pub fn survey(view: View) -> Survey {
        let report = |member: &Member| Report {
            id: member.id.clone(),
            version: "0.1.0".into(),
            key_count: 1500,
            memory_bytes: 1 << 20,
            view: view.clone(),
            info: BTreeMap::from([("cluster_current_epoch".into(), "3".into())]),
        };
        let answer = |member: &Member| Answer {
            member: member.clone(),
            report: if member.id.starts_with("silent") {
                Err("no answer".into())
            } else {
                Ok(report(member))
            },
        };
        let answers = view.members().map(answer).collect();
        Survey { view, answers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_summed_over_databases_only() {
        let info =
            "# Keyspace\r\ndb0:keys=3,expires=1,avg_ttl=0\r\ndb12:keys=4\r\ndbsize:keys=9\r\n";
        assert_eq!(key_count(&fields(&Reply::Bulk(info.into()))), 7);
    }
}
