//! What is wrong with a cluster: a pure judgement of a survey, and the command
//! that prints it.

use std::cmp::Reverse;

use serde::Serialize;
use serde_json::json;

use crate::{
    address::Address,
    failure::{Code, Failure, Outcome},
    output::say,
    survey::Survey,
    table::counted,
    view::{Shard, slot_ranges},
};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Everything is served, with less redundancy than meant.
    Degraded,
    /// Some requests cannot be served.
    Broken,
}

impl Severity {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Degraded => "degraded",
            Self::Broken => "broken",
        }
    }
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What, and what to do.
    pub text: String,
}

impl Finding {
    fn broken(text: String) -> Self {
        Self { severity: Severity::Broken, text }
    }

    fn degraded(text: String) -> Self {
        Self { severity: Severity::Degraded, text }
    }
}

/// The worst of some findings: what `check` exits with and `status` is headed by.
pub fn worst(findings: &[Finding]) -> Option<Severity> {
    findings.iter().map(|finding| finding.severity).max()
}

/// Everything that is wrong in a survey, the worst first.
pub fn judge(survey: &Survey) -> Vec<Finding> {
    let mut findings = Vec::new();
    let gaps = survey.view.uncovered();
    if !gaps.is_empty() {
        let gaps = slot_ranges(&gaps);
        findings.push(Finding::broken(format!("no shard owns slots {gaps}")));
    }
    for shard in &survey.view.shards {
        findings.extend(judge_shard(shard, survey));
    }
    findings.extend(judge_agreement(survey));
    findings.sort_by_key(|finding| Reverse(finding.severity));
    findings
}

fn judge_shard(shard: &Shard, survey: &Survey) -> Vec<Finding> {
    let mut findings = Vec::new();
    let name = format!("the shard of slots {}", slot_ranges(&shard.slots));
    let answered = |id: &str| survey.answer(id).is_some_and(|answer| answer.report.is_ok());
    let silent: Vec<_> = shard.members.iter().filter(|member| !answered(&member.id)).collect();
    let alive = shard.members.len() - silent.len();
    if alive * 2 <= shard.members.len() {
        let size = shard.members.len();
        findings.push(Finding::broken(format!(
            "{name} has lost its majority ({alive} of {size} nodes answer); start its nodes again"
        )));
    } else {
        for member in &silent {
            let address = &member.address;
            findings.push(Finding::degraded(format!(
                "{address} of {name} does not answer; start it again"
            )));
        }
    }
    match shard.leader() {
        None => findings.push(Finding::broken(format!("{name} has no leader"))),
        Some(leader) if !answered(&leader.id) => findings.push(Finding::broken(format!(
            "the leader of {name}, {}, does not answer, and no other node took over",
            leader.address
        ))),
        Some(_) => {}
    }
    findings
}

fn judge_agreement(survey: &Survey) -> Vec<Finding> {
    let dissenters = survey.answers.iter().filter(|answer| {
        answer.report.as_ref().is_ok_and(|report| !report.view.agrees_with(&survey.view))
    });
    dissenters
        .map(|answer| {
            Finding::degraded(format!(
                "{} sees another topology than the newest one; \
                 if it stays so, its bus connection is cut",
                answer.member.address
            ))
        })
        .collect()
}

/// `cluster-cli check`.
pub async fn run(seed: &Address, password: Option<&str>, as_json: bool) -> Outcome {
    let survey = Survey::take(seed, password).await?;
    let findings = judge(&survey);
    let state = worst(&findings);
    let (shards, nodes) = (survey.view.shards.len() as u64, survey.answers.len() as u64);
    if as_json {
        let state = state.map_or("ok", Severity::name);
        say(json!({ "state": state, "shards": shards, "nodes": nodes, "findings": findings }));
    } else if state.is_none() {
        say(format_args!(
            "ok: {} on {}; every slot is owned, every shard has its leader and all its \
             followers, and all nodes agree",
            counted(shards, "shard"),
            counted(nodes, "node")
        ));
    } else {
        for finding in &findings {
            say(format_args!("{}: {}", finding.severity.name(), finding.text));
        }
    }
    let found = counted(findings.len() as u64, "finding");
    match state {
        None => Ok(()),
        Some(Severity::Degraded) => {
            Err(Failure::new(Code::Degraded, format!("{found}; every slot is served")))
        }
        Some(Severity::Broken) => {
            Err(Failure::new(Code::Broken, format!("{found}; part of the cluster is not served")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::survey::fixture::{survey, whole};
    use crate::view::Role;

    fn texts(survey: &Survey) -> Vec<String> {
        judge(survey)
            .iter()
            .map(|finding| format!("{:?}: {}", finding.severity, finding.text))
            .collect()
    }

    #[test]
    fn nothing_is_wrong_with_a_whole_cluster() {
        assert_eq!(judge(&survey(whole())), []);
    }

    #[test]
    fn a_dead_follower_costs_redundancy_only() {
        let mut view = whole();
        view.shards[1].members[2].id = "silent".into();
        let findings = texts(&survey(view));
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].starts_with("Degraded: 127.0.0.1:7005 "), "{findings:?}");
    }

    #[test]
    fn a_lost_majority_is_broken_and_said_once() {
        let mut view = whole();
        for member in &mut view.shards[0].members[1..] {
            member.id = format!("silent {}", member.address);
        }
        let findings = texts(&survey(view));
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].contains("slots 0-8191 has lost its majority (1 of 3"), "{findings:?}");
    }

    #[test]
    fn a_shard_without_a_leader_is_broken() {
        let mut view = whole();
        view.shards[0].members[0].role = Role::Follower;
        assert_eq!(texts(&survey(view)), ["Broken: the shard of slots 0-8191 has no leader"]);
    }

    #[test]
    fn a_leader_that_does_not_answer_is_broken() {
        let mut view = whole();
        view.shards[0].members[0].id = "silent".into();
        let findings = judge(&survey(view));
        assert_eq!(worst(&findings), Some(Severity::Broken));
        assert_eq!(findings.len(), 2, "{findings:?}");
    }

    #[test]
    fn slots_of_nobody_are_named() {
        let mut view = whole();
        view.shards[1].slots = vec![(8192, 9999), (10001, 16380)];
        let findings = texts(&survey(view));
        assert_eq!(findings, ["Broken: no shard owns slots 10000, 16381-16383"]);
    }

    #[test]
    fn a_node_that_sees_another_topology_is_named() {
        let mut survey = survey(whole());
        let stale = survey.answers[4].report.as_mut().expect("it answered");
        stale.view.shards[0].members.swap(0, 1);
        assert_eq!(judge(&survey), [], "the order of members says nothing");
        let stale = survey.answers[4].report.as_mut().expect("it answered");
        stale.view.shards[0].slots = vec![(0, 8190)];
        let findings = texts(&survey);
        assert!(findings[0].starts_with("Degraded: 127.0.0.1:7004 sees another"), "{findings:?}");
    }
}
