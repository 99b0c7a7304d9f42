//! Leadership that moves because somebody asked for it.

use quoris_tests::tool::cli;
use quoris_tests::wait;
use quoris_tests::wire::{ask, text};

use super::CLUSTER;
use super::writer::Writer;

#[test]
fn leadership_moves_on_demand_under_a_writer() {
    CLUSTER.lend(|cluster| {
        let writer = Writer::start(cluster, "handed over");
        let key = "handed:over";
        let old = cluster.leader_of(key);
        let new = cluster.followers_of(key)[0];
        let target = cluster.nodes[new].address().to_string();
        let said = cli(&["failover", "--yes", &target]).success();
        assert!(said.contains(&format!("{target} leads slots")), "{said}");
        assert_eq!(cluster.leader_of(key), new);
        wait::until("the old leader redirects to the new one", || {
            let reply = ask(cluster.nodes[old].address(), &format!("GET {key}")).ok()?;
            text(&reply).ends_with(&target).then_some(())
        });
        writer.wait_for_rounds(1);
        writer.finish().is_all_there(cluster);
    });
}

#[test]
fn whoever_leads_already_is_not_promoted() {
    CLUSTER.lend(|cluster| {
        let leader = cluster.nodes[cluster.leader_of("foo")].address();
        let reply = ask(leader, "CLUSTER FAILOVER").expect("it answers");
        assert_eq!(text(&reply), "ERR You should send CLUSTER FAILOVER to a replica");
        let ended = cli(&["failover", "--yes", &leader.to_string()]);
        assert_eq!(ended.code, Some(4), "{ended:#?}");
        assert!(ended.stderr.contains("already leads"), "{ended:#?}");
    });
}
