//! `cluster-cli status`: the cluster at a glance.

use serde_json::{Value, json};

use crate::{
    address::Address,
    check::{Finding, Severity, judge, worst},
    failure::Outcome,
    output::{say, show},
    survey::{Answer, Survey},
    table::{bytes, counted, grouped, layout},
    view::{Role, Shard, slot_ranges},
};

/// Prints the state of the cluster that `seed` belongs to.
pub async fn run(seed: &Address, password: Option<&str>, as_json: bool) -> Outcome {
    let survey = Survey::take(seed, password).await?;
    if as_json {
        say(document(&survey));
    } else {
        show(text(&survey));
    }
    Ok(())
}

/// The table that a person reads.
pub fn text(survey: &Survey) -> String {
    let findings = judge(survey);
    let heading = ["SHARD", "SLOTS", "NODE", "ROLE", "HEALTH", "KEYS", "MEMORY"];
    let rows: Vec<Vec<String>> = survey
        .view
        .shards
        .iter()
        .enumerate()
        .flat_map(|(index, shard)| shard_rows(index + 1, shard, survey))
        .collect();
    let mut text = summary(survey, &findings) + "\n\n" + &layout(&heading, &rows, &[5, 6]);
    if !findings.is_empty() {
        text.push('\n');
    }
    for finding in &findings {
        text.extend([finding.severity.name(), ": ", finding.text.as_str(), "\n"]);
    }
    text
}

fn summary(survey: &Survey, findings: &[Finding]) -> String {
    format!(
        "{}: {}, {}, {}, epoch {}",
        worst(findings).map_or("healthy", Severity::name),
        counted(survey.view.shards.len() as u64, "shard"),
        counted(survey.answers.len() as u64, "node"),
        counted(leader_keys(survey), "key"),
        survey.epoch()
    )
}

/// Keys as their leaders count them: followers hold copies, not more keys.
fn leader_keys(survey: &Survey) -> u64 {
    let leaders = survey.answers.iter().filter(|answer| answer.member.role == Role::Leader);
    leaders.filter_map(|answer| Some(answer.report.as_ref().ok()?.key_count)).sum()
}

fn shard_rows(number: usize, shard: &Shard, survey: &Survey) -> Vec<Vec<String>> {
    let mut members: Vec<_> = shard.members.iter().collect();
    members.sort_by_key(|member| member.role);
    let leader_offset = shard.leader().and_then(|leader| own_offset(survey.answer(&leader.id)?));
    let row = |(place, answer): (usize, &Answer)| {
        let first = place == 0;
        let name = if first { number.to_string() } else { String::new() };
        let slots = if first { slot_ranges(&shard.slots) } else { String::new() };
        let role = match answer.member.role {
            Role::Leader => "leader",
            Role::Follower => "follower",
        };
        let mut row = vec![name, slots, answer.member.address.to_string(), role.into()];
        row.extend(match &answer.report {
            Ok(report) => [
                health(answer, leader_offset),
                grouped(report.key_count),
                bytes(report.memory_bytes),
            ],
            Err(_) => ["no answer".into(), "-".into(), "-".into()],
        });
        row
    };
    members.iter().filter_map(|member| survey.answer(&member.id)).enumerate().map(row).collect()
}

/// A node's own account of how far it is.
fn own_offset(answer: &Answer) -> Option<i64> {
    Some(answer.report.as_ref().ok()?.own_entry()?.offset)
}

/// How far a follower is behind; under load a little is no illness.
fn health(answer: &Answer, leader_offset: Option<i64>) -> String {
    let behind = leader_offset.zip(own_offset(answer)).map_or(0, |(leader, own)| leader - own);
    if behind > 0 { format!("ok, {} behind", grouped(behind as u64)) } else { "ok".into() }
}

/// The same for a program.
pub fn document(survey: &Survey) -> Value {
    let findings = judge(survey);
    let shards: Vec<Value> =
        survey.view.shards.iter().map(|shard| shard_value(shard, survey)).collect();
    json!({
        "state": worst(&findings).map_or("ok", Severity::name),
        "epoch": survey.epoch(),
        "keys": leader_keys(survey),
        "shards": shards,
        "findings": findings,
    })
}

fn shard_value(shard: &Shard, survey: &Survey) -> Value {
    let node = |answer: &Answer| {
        let report = answer.report.as_ref();
        json!({
            "id": answer.member.id,
            "address": answer.member.address,
            "role": answer.member.role,
            "answers": report.is_ok(),
            "error": report.err(),
            "version": report.ok().map(|report| &report.version),
            "keys": report.ok().map(|report| report.key_count),
            "memory_bytes": report.ok().map(|report| report.memory_bytes),
            "offset": own_offset(answer),
        })
    };
    let nodes: Vec<Value> =
        shard.members.iter().filter_map(|member| survey.answer(&member.id)).map(node).collect();
    json!({ "slots": shard.slots, "slot_count": shard.slot_count(), "nodes": nodes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::survey::fixture::{survey, whole};

    #[test]
    fn the_table_shows_who_does_what() {
        let mut view = whole();
        view.shards[1].members[2].id = "silent".into();
        let mut survey = survey(view);
        let slow = survey.answers[1].report.as_mut().expect("it answered");
        slow.view.shards[0].members[1].offset = 7;
        let expected = "\
degraded: 2 shards, 6 nodes, 3,000 keys, epoch 3

SHARD  SLOTS       NODE            ROLE      HEALTH         KEYS   MEMORY
1      0-8191      127.0.0.1:7000  leader    ok            1,500  1.0 MiB
                   127.0.0.1:7001  follower  ok, 3 behind  1,500  1.0 MiB
                   127.0.0.1:7002  follower  ok            1,500  1.0 MiB
2      8192-16383  127.0.0.1:7003  leader    ok            1,500  1.0 MiB
                   127.0.0.1:7004  follower  ok            1,500  1.0 MiB
                   127.0.0.1:7005  follower  no answer         -        -

degraded: 127.0.0.1:7005 of the shard of slots 8192-16383 does not answer; start it again
";
        assert_eq!(text(&survey), expected);
    }

    #[test]
    fn the_document_says_the_same() {
        let document = document(&survey(whole()));
        assert_eq!(document["state"], "ok");
        assert_eq!(document["keys"], 3000);
        assert_eq!(document["shards"][1]["slots"], json!([[8192, 16383]]));
        assert_eq!(document["shards"][1]["nodes"][0]["role"], "leader");
    }
}
