//! What `CLUSTER` answers on a node that is alone, and what it refuses.

use crate::node::Machine;
use crate::{Fleet, plan};

#[test]
fn wrong_requests_are_refused_in_the_words_of_redis() {
    let machine = Machine::start(1, &[]);
    let mut client = machine.connect();
    let table: &[(&str, &str)] = &[
        ("CLUSTER", "-ERR wrong number of arguments for 'cluster' command"),
        ("CLUSTER FOO", "-ERR unknown subcommand 'FOO'. Try CLUSTER HELP."),
        ("CLUSTER MYID x", "-ERR wrong number of arguments for 'cluster|myid' command"),
        ("CLUSTER KEYSLOT", "-ERR wrong number of arguments for 'cluster|keyslot' command"),
        ("CLUSTER COUNTKEYSINSLOT abc", "-ERR value is not an integer or out of range"),
        ("CLUSTER COUNTKEYSINSLOT 16384", "-ERR Invalid slot"),
        ("CLUSTER COUNTKEYSINSLOT -1", "-ERR Invalid slot"),
        ("CLUSTER GETKEYSINSLOT 1 x", "-ERR value is not an integer or out of range"),
        ("CLUSTER GETKEYSINSLOT 1 -1", "-ERR Invalid slot or number of keys"),
        ("CLUSTER GETKEYSINSLOT 16384 1", "-ERR Invalid slot or number of keys"),
        ("CLUSTER REPLICAS x", "-ERR Unknown node x"),
        ("CLUSTER SLAVES x", "-ERR Unknown node x"),
        ("CLUSTER COUNT-FAILURE-REPORTS x", "-ERR Unknown node x"),
        ("CLUSTER FAILOVER", "-ERR You should send CLUSTER FAILOVER to a replica"),
        ("CLUSTER FAILOVER x", "-ERR syntax error"),
        (
            "CLUSTER failover FORCE x",
            "-ERR unknown subcommand or wrong number of arguments for 'failover'. Try CLUSTER HELP.",
        ),
        (
            "CLUSTER FORM {}",
            "-ERR the plan is not valid JSON for a plan: missing field `cluster_id` at line 1 column 2",
        ),
        (
            "CLUSTER MEET 127.0.0.1 7000",
            "-ERR nodes do not meet one by one here: make a cluster of empty nodes with cluster-cli create",
        ),
    ];
    for (request, reply) in table {
        let words: Vec<&str> = request.split(' ').collect();
        assert_eq!(client.ask(&words), *reply, "{request}");
    }
}

#[test]
fn a_lonely_node_is_a_whole_cluster() {
    let machine = Machine::start(1, &[]);
    let mut client = machine.connect();
    let (id, port) = (machine.id(), machine.port);
    assert_eq!(client.ask(&["MSET", "a", "1", "b", "2", "{a}x", "3"]), "OK");
    assert_eq!(client.ask(&["CLUSTER", "KEYSLOT", "{a}x"]), "15495");
    assert_eq!(client.ask(&["CLUSTER", "COUNTKEYSINSLOT", "15495"]), "2");
    assert_eq!(client.ask(&["CLUSTER", "GETKEYSINSLOT", "15495", "1"]).matches('a').count(), 1);
    assert_eq!(client.ask(&["CLUSTER", "GETKEYSINSLOT", "15495", "0"]), "[]");
    assert_eq!(client.ask(&["CLUSTER", "SLOTS"]), format!("[[0 16383 [ {port} {id} []]]]"));
    assert_eq!(client.ask(&["CLUSTER", "REPLICAS", &id]), "[]");
    assert_eq!(client.ask(&["CLUSTER", "COUNT-FAILURE-REPORTS", &id]), "0");
    assert_eq!(client.ask(&["CLUSTER", "LINKS"]), "[]");
    assert_eq!(client.ask(&["CLUSTER", "SAVECONFIG"]), "OK");
    assert_eq!(client.ask(&["CLUSTER", "MYSHARDID"]).len(), 40);
    let nodes = client.ask(&["CLUSTER", "NODES"]);
    assert!(nodes.starts_with(&format!("{id} :{port}@")), "{nodes}");
    assert!(nodes.ends_with(" connected 0-16383\n"), "{nodes}");
    assert!(client.ask(&["CLUSTER", "INFO"]).starts_with("cluster_state:ok\r\n"));
    assert!(client.ask(&["CLUSTER", "HELP"]).starts_with("[CLUSTER <subcommand> "));
}

#[test]
fn without_cluster_support_nothing_is_said_about_it() {
    let machine = Machine::start(1, &["--cluster-enabled", "no"]);
    let mut client = machine.connect();
    let disabled = "-ERR This instance has cluster support disabled";
    for words in ["INFO", "NODES", "MYID", "HELP", "SLOTS"] {
        assert_eq!(client.ask(&["CLUSTER", words]), disabled, "{words}");
    }
    assert_eq!(client.ask(&["CLUSTER", "FORM", "{}"]), disabled);
    assert_eq!(client.ask(&["SET", "a", "1"]), "OK");
}

#[test]
fn a_node_with_keys_takes_no_plan_and_keeps_them() {
    let fleet = Fleet::lonely(3, 2);
    let full = &fleet.machines[1];
    let mut client = full.connect();
    assert_eq!(client.ask(&["SET", "a", "1"]), "OK");
    let refused = client.ask(&["CLUSTER", "FORM", &fleet.plan.to_json()]);
    assert_eq!(
        refused,
        "-ERR this node holds 1 keys, and only an empty one can be given a plan: empty it with FLUSHALL"
    );
    // Nothing is held back any longer, and nothing was lost.
    assert_eq!(client.ask(&["GET", "a"]), "1");
    assert_eq!(client.ask(&["SET", "a", "2"]), "OK");
    assert_eq!(client.ask(&["FLUSHALL"]), "OK");
    assert_eq!(client.ask(&["CLUSTER", "FORM", &fleet.plan.to_json()]), "OK");
}

#[test]
fn a_plan_for_others_or_without_a_secret_is_refused() {
    let fleet = Fleet::lonely(2, 0);
    let form =
        |plan: &quoris_topology::Plan| fleet.machines[0].ask(&["CLUSTER", "FORM", &plan.to_json()]);
    let other = plan(&fleet.machines[1..], 0, 1);
    let id = fleet.machines[0].id();
    let expected = format!("-ERR this is node {id}, which the plan does not know");
    assert_eq!(form(&other), expected);
    let expected = "-ERR the plan needs a secret of visible ASCII characters";
    assert_eq!(form(&fleet.plan.without_secret()), expected);
    let mut strange = fleet.plan.clone();
    strange.secret = Some(quoris_topology::Secret("a b".into()));
    assert_eq!(form(&strange), expected);
}
