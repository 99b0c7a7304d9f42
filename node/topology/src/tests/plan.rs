//! Every plan that is refused, and why.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};

use super::{address, nine_nodes, node, range, shard};
use crate::{ClusterId, Plan, PlanError, PlanWarning, Secret};

fn refused(spoil: impl FnOnce(&mut Plan)) -> String {
    let mut plan = nine_nodes();
    assert_eq!(plan.validate(), Ok(all_on_one_host()));
    spoil(&mut plan);
    plan.validate().expect_err("the plan was spoilt").to_string()
}

fn all_on_one_host() -> Vec<PlanWarning> {
    let warning =
        |number| PlanWarning::HostHoldsMajority { shard: shard(number), host: "10.0.0.1".into() };
    [1, 2, 3].map(warning).into()
}

#[test]
fn every_spoilt_plan_is_refused_for_its_reason() {
    let n = |number| node(number).to_string();
    let s = |number| shard(number).to_string();
    let cases = [
        (refused(|plan| plan.nodes.clear()), "the plan has no nodes".into()),
        (refused(|plan| plan.shards.clear()), "the plan has no shards".into()),
        (
            refused(|plan| plan.shards = vec![plan.shards[0].clone(); 70_000]),
            "70000 shards are too many for 16384 slots".into(),
        ),
        (
            refused(|plan| plan.nodes.push(plan.nodes[0].clone())),
            format!("node {} is listed twice", n(1)),
        ),
        (
            refused(|plan| plan.nodes[1].host = "a b".into()),
            format!(
                "node {}: a host has at most 255 visible ASCII characters, none of them ',' or '@'",
                n(2)
            ),
        ),
        (refused(|plan| plan.nodes[1].host.clear()), format!("node {}: the host is empty", n(2))),
        (
            refused(|plan| plan.nodes[1].port = plan.nodes[0].bus_port),
            format!("nodes {} and {} both have the address 10.0.0.1:17001", n(1), n(2)),
        ),
        (refused(|plan| plan.shards[1].id = shard(1)), format!("shard {} is listed twice", s(1))),
        (refused(|plan| plan.shards[1].members.clear()), format!("shard {} has no members", s(2))),
        (
            refused(|plan| plan.shards[1].members = [node(2); 6].into()),
            format!("shard {} has 6 members, and 5 are the most it may", s(2)),
        ),
        (
            refused(|plan| plan.shards[1].members.push(node(200))),
            format!("shard {} has the member {}, which is not a node of the plan", s(2), n(200)),
        ),
        (
            refused(|plan| plan.shards[1].members.push(node(1))),
            format!("shard {} has the member {}, which says it is in another shard", s(2), n(1)),
        ),
        (
            refused(|plan| plan.shards[1].members.push(node(2))),
            format!("shard {} lists its member {} twice", s(2), n(2)),
        ),
        (
            refused(|plan| plan.shards[1].members.retain(|member| *member != node(5))),
            format!("node {} is not a member of the shard that it names", n(5)),
        ),
        (
            refused(|plan| plan.shards[1].slots.push(range(7, 7))),
            format!("slot 7 is given to shard {} and to shard {}", s(1), s(2)),
        ),
        (
            refused(|plan| plan.shards[1].slots[0] = range(5461, 10000)),
            "922 slots are given to no shard, the first is 10001".into(),
        ),
        (
            refused(|plan| plan.topology_voters.clear()),
            "the topology has 1 to 5 voters, not 0".into(),
        ),
        (
            refused(|plan| plan.topology_voters.push(node(9))),
            "the topology has 1 to 5 voters, not 6".into(),
        ),
        (
            refused(|plan| plan.topology_voters[1] = node(200)),
            format!("the topology voter {} is not a node of the plan", n(200)),
        ),
        (
            refused(|plan| plan.topology_voters[1] = node(1)),
            format!("the topology voter {} is listed twice", n(1)),
        ),
        (
            refused(|plan| plan.topology_voters = vec![node(2)]),
            format!("node {} comes first and so forms the topology: it must be a voter", n(1)),
        ),
    ];
    for (told, expected) in cases {
        assert_eq!(told, expected);
    }
}

#[test]
fn nodes_that_raft_could_not_tell_apart_are_refused() {
    let mut plan = nine_nodes();
    let mut bytes = *node(1).as_bytes();
    bytes[19] = 1;
    plan.nodes[1].id = crate::NodeId::new(bytes);
    assert_eq!(plan.validate(), Err(PlanError::SameRaftId(node(1), plan.nodes[1].id)));
}

#[test]
fn a_shard_of_two_is_accepted_with_a_warning() {
    let mut plan = nine_nodes();
    plan.shards[0].members.retain(|member| *member != node(7));
    plan.nodes.retain(|planned| planned.id != node(7));
    plan.topology_voters = vec![node(1)];
    let warnings = plan.validate().expect("two members are allowed");
    assert_eq!(
        warnings[0].to_string(),
        format!("shard {} has 2 members and survives the loss of 0, as 1 would", shard(1))
    );
}

#[test]
fn a_node_alone_need_not_know_its_host() {
    let cluster = ClusterId::new([1; 20]);
    let plan = Plan::alone(cluster, node(1), shard(1), address("", 6379));
    assert_eq!(plan.expect("an empty host is fine here").validate(), Ok(vec![]));
    let no_port = crate::Address { port: 0, ..address("", 6379) };
    assert!(Plan::alone(cluster, node(1), shard(1), no_port).is_err());
}

#[test]
fn plans_are_read_and_written_as_the_tools_send_them() {
    let plan = Plan::alone(ClusterId::new([0xab; 20]), node(1), shard(2), address("h", 7000));
    let mut plan = plan.expect("a good address");
    plan.secret = Some(Secret("c0ffee".into()));
    let (ab, n, s) = ("ab".repeat(20), node(1), shard(2));
    let json = format!(
        r#"{{"cluster_id":"{ab}","secret":"c0ffee","nodes":[{{"id":"{n}","host":"h","port":7000,"bus_port":17000,"shard":"{s}"}}],"shards":[{{"id":"{s}","slots":[[0,16383]],"members":["{n}"]}}],"topology_voters":["{n}"]}}"#
    );
    assert_eq!(plan.to_json(), json);
    assert_eq!(Plan::from_json(json.as_bytes()), Ok(plan.clone()));
    assert!(!format!("{plan:?}").contains("c0ffee"), "a secret must not reach a log");
    assert_eq!(plan.without_secret().secret, None);

    let unknown = json.replace("bus_port", "busport");
    let error = Plan::from_json(unknown.as_bytes()).expect_err("a field is misspelt").to_string();
    assert!(error.contains("unknown field `busport`"), "{error}");
    let backwards = json.replace("[0,16383]", "[16383,0]");
    let error = Plan::from_json(backwards.as_bytes()).expect_err("it ends before it starts");
    assert!(error.to_string().contains("a range starts before it ends"), "{error}");
}
