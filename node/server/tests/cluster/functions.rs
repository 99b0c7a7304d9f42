//! Functions are those of the whole cluster, whichever node heard of them, and whatever dies.

use crate::{Fleet, until};

const ONE: &str = "#!lua name=one\nredis.register_function('one', function() return 'first' end)";
const TWO: &str = "#!lua name=two\nredis.register_function('two', function() return 'second' end)";
const SHARDS: [usize; 3] = [0, 1, 2];

fn leaders(fleet: &Fleet) -> [usize; 3] {
    SHARDS.map(|shard| fleet.wait_for_leader(shard))
}

/// What the leaders of all shards answer.
fn ask_all(fleet: &Fleet, words: &[&str]) -> [String; 3] {
    SHARDS.map(|shard| insist_on(fleet, shard, words))
}

/// What the leader of a shard answers, if need be once an election is over: on a busy machine there
/// can be one at any time.
fn insist_on(fleet: &Fleet, shard: usize, words: &[&str]) -> String {
    const NOT_NOW: [&str; 4] = ["-TRYAGAIN", "-READONLY", "-CLUSTERDOWN", "-ERR outcome unknown"];
    until("the shard answers", || {
        let reply = fleet.try_ask(fleet.leader(shard)?, words)?;
        (!NOT_NOW.iter().any(|start| reply.starts_with(start))).then_some(reply)
    })
}

/// Waits until the leaders of these shards answer this.
fn await_all(fleet: &Fleet, shards: &[usize], words: &[&str], expected: &str) {
    for shard in shards {
        until("the shard has the functions of the cluster", || {
            let reply = fleet.try_ask(fleet.leader(*shard)?, words)?;
            (reply == expected).then_some(())
        });
    }
}

#[test]
fn a_library_that_any_shard_is_given_is_on_all_of_them() {
    let mut fleet = Fleet::formed(9, 2);
    assert_eq!(insist_on(&fleet, 0, &["FUNCTION", "LOAD", ONE]), "one");
    await_all(&fleet, &SHARDS, &["FCALL", "one", "0"], "first");

    // Clients send it to every shard. It is accepted where it came from elsewhere, and once.
    let again = ask_all(&fleet, &["FUNCTION", "LOAD", ONE]);
    let exists = "-ERR Library 'one' already exists";
    assert_eq!(again.map(|reply| reply == "one"), [false, true, true]);
    until("that has been noted", || {
        let again = ask_all(&fleet, &["FUNCTION", "LOAD", ONE]);
        again.iter().all(|reply| reply == exists).then_some(())
    });
    let other = ONE.replace("first", "other");
    assert_eq!(ask_all(&fleet, &["FUNCTION", "LOAD", &other]), [exists; 3]);
    assert_eq!(ask_all(&fleet, &["FUNCTION", "LOAD", "REPLACE", &other]), ["one"; 3]);
    await_all(&fleet, &SHARDS, &["FCALL", "one", "0"], "other");
    assert_eq!(ask_all(&fleet, &["FUNCTION", "LOAD", "REPLACE", ONE]), ["one"; 3]);

    // A new leader has it, and so has a node that was away.
    let dead = fleet.wait_for_leader(1);
    fleet.machines[dead].crash();
    await_all(&fleet, &SHARDS, &["FCALL", "one", "0"], "first");
    assert_eq!(insist_on(&fleet, 1, &["FUNCTION", "LOAD", TWO]), "two");
    await_all(&fleet, &SHARDS, &["FCALL", "two", "0"], "second");
    fleet.machines[dead].power_on();
    until("the node has caught up", || {
        (fleet.try_ask(dead, &["FCALL_RO", "one", "0"])?.contains("write flag")).then_some(())
    });
    until("all replicas have the same", || {
        let dump = |at: usize| fleet.try_ask(at, &["FUNCTION", "DUMP"]);
        (1..9).all(|at| dump(at) == dump(0)).then_some(())
    });
    // Deleting is answered like that too.
    assert_eq!(ask_all(&fleet, &["FUNCTION", "DELETE", "two"]), ["OK"; 3]);
    until("that has been noted", || {
        let again = ask_all(&fleet, &["FUNCTION", "DELETE", "two"]);
        again.iter().all(|reply| reply == "-ERR Library not found").then_some(())
    });
    await_all(&fleet, &SHARDS, &["FCALL", "two", "0"], "-ERR Function not found");
    assert_eq!(ask_all(&fleet, &["FUNCTION", "FLUSH"]), ["OK"; 3]);
    await_all(&fleet, &SHARDS, &["FUNCTION", "LIST"], "[]");
}

#[test]
fn a_shard_that_was_down_gets_what_it_missed() {
    let mut fleet = Fleet::formed(9, 2);
    let away: Vec<usize> = fleet.members(2).take(2).collect();
    for at in &away {
        fleet.machines[*at].crash();
    }
    assert_eq!(insist_on(&fleet, 0, &["FUNCTION", "LOAD", ONE]), "one");
    await_all(&fleet, &[0, 1], &["FCALL", "one", "0"], "first");
    for at in &away {
        fleet.machines[*at].power_on();
    }
    await_all(&fleet, &SHARDS, &["FCALL", "one", "0"], "first");
}

#[test]
fn changes_on_several_shards_at_once_leave_all_of_them_alike() {
    let fleet = Fleet::formed(3, 0);
    let library = |shard: usize, round: usize| {
        let name = format!("of_{shard}_{round}");
        format!("#!lua name={name}\nredis.register_function('{name}', function() return 1 end)")
    };
    let mut wires = leaders(&fleet).map(|at| fleet.machines[at].connect());
    for round in 0..5 {
        for (shard, wire) in wires.iter_mut().enumerate() {
            wire.send(&["FUNCTION", "LOAD", &library(shard, round)]);
        }
        for (shard, wire) in wires.iter_mut().enumerate() {
            assert_eq!(wire.next(), format!("of_{shard}_{round}"));
        }
    }
    until("all shards have the same", || {
        let dumps = ask_all(&fleet, &["FUNCTION", "DUMP"]);
        let is_whole = dumps[0].matches("#!lua").count() == 15;
        (is_whole && dumps.iter().all(|dump| *dump == dumps[0])).then_some(())
    });

    // Of two that want the same name for a function, one gets it.
    let rival = |name: &str| {
        format!("#!lua name={name}\nredis.register_function('rival', function() return 1 end)")
    };
    wires[0].send(&["FUNCTION", "LOAD", &rival("this")]);
    wires[1].send(&["FUNCTION", "LOAD", &rival("that")]);
    let replies = [wires[0].next(), wires[1].next()];
    let refused = replies.iter().filter(|reply| *reply == "-ERR Function rival already exists");
    assert_eq!(refused.count(), 1, "{replies:?}");
    await_all(&fleet, &SHARDS, &["FCALL", "rival", "0"], "1");

    // What the cluster has to agree upon is no part of a transaction of one shard.
    assert_eq!(wires[2].ask(&["MULTI"]), "OK");
    let refused = "-ERR This command cannot be part of a transaction";
    assert_eq!(wires[2].ask(&["FUNCTION", "LOAD", &rival("third")]), refused);
    assert!(wires[2].ask(&["EXEC"]).starts_with("-EXECABORT"));
}
