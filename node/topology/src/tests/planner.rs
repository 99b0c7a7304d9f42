//! How nodes are spread over shards.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use proptest::prelude::*;

use super::{node, nodes, with_options};
use crate::{NodeId, Plan, PlanError, PlanWarning, even_slots};

fn plan(hosts: &[&str], replicas: usize) -> Result<Plan, PlanError> {
    with_options(replicas, |options| Plan::new(nodes(hosts), options))
}

fn members(plan: &Plan) -> Vec<Vec<NodeId>> {
    plan.shards.iter().map(|shard| shard.members.clone()).collect()
}

#[test]
fn slots_are_split_as_redis_cli_splits_them() {
    let shown = |count| even_slots(count).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(shown(1), ["0-16383"]);
    assert_eq!(shown(3), ["0-5460", "5461-10922", "10923-16383"]);
    assert_eq!(shown(5), ["0-3276", "3277-6553", "6554-9829", "9830-13106", "13107-16383"]);
    assert_eq!(even_slots(16384).len(), 16384);
}

#[test]
fn on_one_host_the_first_nodes_lead() {
    let plan = plan(&["h"; 9], 2).expect("nine nodes make three shards");
    let expected = [[1, 4, 7], [2, 5, 8], [3, 6, 9]].map(|shard| shard.map(node).to_vec());
    assert_eq!(members(&plan), expected);
    assert_eq!(plan.topology_voters, [1, 2, 3, 4, 5].map(node));
}

#[test]
fn on_three_hosts_each_has_one_member_and_one_leader_per_shard() {
    let hosts = ["a", "a", "a", "b", "b", "b", "c", "c", "c"];
    let plan = plan(&hosts, 2).expect("nine nodes make three shards");
    let expected = [[1, 4, 7], [5, 2, 8], [9, 3, 6]].map(|shard| shard.map(node).to_vec());
    assert_eq!(members(&plan), expected);
    assert_eq!(plan.validate(), Ok(Vec::<PlanWarning>::new()));
    assert_eq!(plan.topology_voters, [1, 5, 9, 2, 4].map(node));
}

#[test]
fn nodes_that_do_not_make_whole_shards_are_refused() {
    let told = |count, replicas| {
        plan(&["h"; 16][..count], replicas).expect_err("a bad number").to_string()
    };
    assert_eq!(told(0, 2), "the plan has no nodes");
    assert_eq!(told(2, 2), "2 nodes are too few for one shard of 3");
    assert_eq!(told(10, 2), "10 nodes cannot be split into shards of 3: add 2 or leave out 1");
    assert_eq!(told(16, 7), "7 replicas are too many: a shard has at most 5 members");
}

#[test]
fn doubled_nodes_are_refused() {
    let mut doubled = nodes(&["h"; 3]);
    doubled[2].0 = doubled[0].0;
    let refused = with_options(2, |options| Plan::new(doubled, options));
    assert_eq!(refused, Err(PlanError::TwiceNode(node(1))));
}

proptest! {
    /// Whatever the hosts: the plan is valid, no host holds more members of a
    /// shard than it must, and the voters are an odd number.
    #[test]
    fn members_are_spread_as_well_as_the_hosts_allow(
        shard_count in 1_usize..20,
        replicas in 0_usize..5,
        hosts in prop::collection::vec(0_u8..8, 100),
    ) {
        let count = shard_count * (1 + replicas);
        let hosts: Vec<String> = hosts[..count].iter().map(|host| alloc::format!("h{host}")).collect();
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let plan = plan(&hosts, replicas).expect("the nodes make whole shards");
        let mut on_host: BTreeMap<&str, usize> = BTreeMap::new();
        for host in &hosts {
            *on_host.entry(host).or_default() += 1;
        }
        for shard in &plan.shards {
            for (host, total) in &on_host {
                let lives_there = |member: &&NodeId| {
                    plan.node(**member).is_some_and(|node| node.host == *host)
                };
                let here = shard.members.iter().filter(lives_there).count();
                prop_assert!(here <= total.div_ceil(shard_count), "{here} of {total} on {host}");
            }
        }
        let voters = plan.topology_voters.len();
        prop_assert!(voters % 2 == 1 && voters <= 5 && voters * 2 >= count.min(5), "{voters}");
    }
}
