//! The state machine: scenarios, refusals, and what holds after any history.

use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};

use proptest::prelude::*;

use super::{address, job, nine_node_topology, nine_nodes, node, range, shard, told};
use crate::migration::{Phase, Side, Step};
use crate::{
    Change, Epoch, FINISHED_JOBS_MAX, Functions, Node, Outcome, Plan, ShardId, Slot, SlotRange,
    Source, Term, Topology,
};

fn owner(topology: &Topology, number: u16) -> Option<ShardId> {
    topology.shard_of(Slot::new(number).expect("a slot")).map(|shard| shard.id)
}

fn start(number: u8, slots: &[SlotRange], from: u8, to: u8) -> Change {
    Change::StartMigration {
        id: job(number),
        slots: slots.into(),
        from: shard(from),
        to: shard(to),
    }
}

fn advance(number: u8, step: Step) -> Change {
    Change::AdvanceMigration { id: job(number), step }
}

fn settle(number: u8, side: Side) -> Change {
    Change::SettleMigration { id: job(number), side }
}

fn lead(number: u8, leader: u8, term: u64) -> Change {
    Change::SetLeader { shard: shard(number), node: node(leader), term: Term(term) }
}

#[test]
fn forming_takes_the_plan_over_once() {
    let mut topology = Topology::unformed();
    assert_eq!(told(&topology.apply(lead(1, 1, 1))), "the cluster is not formed yet");
    let plan = nine_nodes();
    let outcome = topology.apply(Change::form(&plan));
    assert_eq!(outcome, Outcome::Applied { epoch: Epoch(3) });
    assert_eq!(topology.cluster_id(), Some(plan.cluster_id));
    assert_eq!(topology.slots_of(shard(2)), [range(5461, 10922)]);
    assert_eq!(topology.home_of(node(5)).map(|home| home.id), Some(shard(2)));
    assert_eq!(topology.node_by_raft_id(node(5).raft_id()).map(|found| found.id), Some(node(5)));
    assert_eq!(topology.node_by_raft_id(5), None);
    assert_eq!(topology.apply(Change::form(&plan)), Outcome::Unchanged);
    let other = Plan { cluster_id: crate::ClusterId::new([8; 20]), ..plan };
    assert_eq!(told(&topology.apply(Change::form(&other))), "the cluster is formed already");
    let mut spoilt = nine_nodes();
    spoilt.nodes.clear();
    let refused = Topology::unformed().apply(Change::form(&spoilt));
    assert_eq!(told(&refused), "the plan has no nodes");
}

#[test]
fn only_a_newer_term_changes_the_leader() {
    let mut topology = nine_node_topology();
    let epoch = |outcome| match outcome {
        Outcome::Applied { epoch } => Some(epoch.0),
        _ => None,
    };
    assert_eq!(epoch(topology.apply(lead(1, 4, 2))), Some(4));
    assert_eq!(topology.apply(lead(1, 4, 2)), Outcome::Unchanged);
    assert_eq!(topology.apply(lead(1, 1, 1)), Outcome::Unchanged);
    assert_eq!(
        told(&topology.apply(lead(1, 1, 2))),
        format!("node {} leads shard {} in term 2", node(4), shard(1))
    );
    assert_eq!(epoch(topology.apply(lead(1, 4, 3))), Some(4), "nothing a client could see");
    assert_eq!(epoch(topology.apply(lead(1, 7, 4))), Some(5));
    let led = topology.shard(shard(1)).expect("it is there");
    assert_eq!((led.leader, led.term, led.config_epoch), (Some(node(7)), Term(4), Epoch(5)));
    assert_eq!(
        told(&topology.apply(lead(1, 2, 9))),
        format!("node {} is not a member of shard {}", node(2), shard(1))
    );
    topology.apply(Change::RemoveNode { node: node(7) });
    let led = topology.shard(shard(1)).expect("it is there");
    assert_eq!((led.leader, led.term), (None, Term(4)));
}

#[test]
fn nodes_and_shards_come_move_and_go() {
    let mut topology = nine_node_topology();
    let new = |number, home| Node::new(node(number), shard(home), address("10.0.0.9", 7050));
    let mut refused: Vec<(Change, String)> = vec![
        (Change::AddNode(new(50, 4)), format!("shard {} is not known", shard(4))),
        (Change::AddNode(new(1, 1)), format!("node {} is in the cluster already", node(1))),
        (
            Change::AddShard { shard: shard(1) },
            format!("shard {} is in the cluster already", shard(1)),
        ),
        (
            Change::RemoveShard { shard: shard(1) },
            format!("shard {} still has members, slots or a migration", shard(1)),
        ),
        (
            Change::SetAddress { node: node(50), address: address("h", 1) },
            format!("node {} is not known", node(50)),
        ),
        (
            Change::SetVoters { voters: vec![node(50)] },
            format!("the topology voter {} is not a node of the plan", node(50)),
        ),
    ];
    let mut twin = *node(1).as_bytes();
    twin[19] = 1;
    let twin = crate::NodeId::new(twin);
    refused.push((
        Change::AddNode(Node::new(twin, shard(1), address("h", 1))),
        format!("nodes {} and {twin} start with the same 16 digits", node(1)),
    ));
    for (change, expected) in refused {
        let before = topology.clone();
        assert_eq!(told(&topology.apply(change)), expected);
        assert_eq!(topology, before);
    }
    let accepted = [
        Change::AddShard { shard: shard(4) },
        Change::AddNode(new(50, 4)),
        Change::SetAddress { node: node(50), address: address("10.0.0.10", 7051) },
        Change::SetVoters { voters: vec![node(50)] },
    ];
    for change in accepted {
        assert!(matches!(topology.apply(change.clone()), Outcome::Applied { .. }), "{change:?}");
    }
    assert_eq!(topology.node(node(50)).map(|node| node.port), Some(7051));
    let leave = Change::RemoveNode { node: node(50) };
    assert!(told(&topology.apply(leave.clone())).contains("the only voter"));
    topology.apply(Change::SetVoters { voters: vec![node(1), node(50)] });
    assert!(matches!(topology.apply(leave.clone()), Outcome::Applied { .. }));
    assert_eq!(topology.voters(), [node(1)]);
    assert_eq!(topology.apply(leave), Outcome::Unchanged);
    let dissolve = Change::RemoveShard { shard: shard(4) };
    assert!(matches!(topology.apply(dissolve.clone()), Outcome::Applied { .. }));
    assert_eq!(topology.apply(dissolve), Outcome::Unchanged);
}

#[test]
fn the_last_member_of_an_owner_stays() {
    let mut topology = nine_node_topology();
    for number in [1, 4] {
        topology.apply(Change::RemoveNode { node: node(number) });
    }
    let leave = Change::RemoveNode { node: node(7) };
    assert_eq!(
        told(&topology.apply(leave.clone())),
        format!("node {} is the last member of shard {}, which owns slots", node(7), shard(1))
    );
    topology.apply(Change::ReleaseSlots { shard: shard(1), slots: vec![range(0, 5460)] });
    assert!(matches!(topology.apply(leave), Outcome::Applied { .. }));
    let dissolve = Change::RemoveShard { shard: shard(1) };
    assert!(matches!(topology.apply(dissolve), Outcome::Applied { .. }));
    assert_eq!(topology.slots_of(shard(3)), [range(10923, 16383)], "the others keep theirs");
    assert_eq!(topology.assigned_slot_count(), 16384 - 5461);
}

#[test]
fn slots_are_given_only_when_free() {
    let mut topology = nine_node_topology();
    let assign = |number, slots: &[SlotRange]| Change::AssignSlots {
        shard: shard(number),
        slots: slots.into(),
    };
    assert_eq!(told(&topology.apply(assign(2, &[]))), "no slots are given");
    let all_twice = [SlotRange::ALL, SlotRange::ALL];
    assert_eq!(told(&topology.apply(assign(2, &all_twice))), "slots are given more than once");
    let taken = format!("slot 5 is owned by shard {}", shard(1));
    assert_eq!(told(&topology.apply(assign(2, &[range(5, 6)]))), taken);
    assert_eq!(topology.apply(assign(1, &[range(5, 6)])), Outcome::Unchanged);
    let release =
        |number| Change::ReleaseSlots { shard: shard(number), slots: [range(5, 6)].into() };
    let foreign = format!("slot 5 is not owned by shard {}", shard(2));
    assert_eq!(told(&topology.apply(release(2))), foreign);
    topology.apply(release(1));
    assert_eq!((owner(&topology, 5), owner(&topology, 7)), (None, Some(shard(1))));
    topology.apply(assign(2, &[range(5, 6)]));
    assert_eq!(owner(&topology, 5), Some(shard(2)));
    assert_eq!(topology.epoch(), Epoch(5));
    assert_eq!(topology.shard(shard(2)).map(|owner| owner.config_epoch), Some(Epoch(5)));
}

#[test]
fn a_migration_moves_its_slots_in_one_step() {
    let mut topology = nine_node_topology();
    let slots = [range(100, 199), range(50, 50), range(200, 299)];
    topology.apply(start(1, &slots, 1, 2));
    let moving = topology.migrations()[0].slots.clone();
    assert_eq!(moving, [range(50, 50), range(100, 299)], "in order and joined");
    assert_eq!(topology.apply(start(1, &slots, 1, 2)), Outcome::Unchanged, "a retry");
    let script = [
        (advance(1, Step::Move), "cannot be moved"),
        (advance(1, Step::Seal), "Applied"),
        (advance(1, Step::Seal), "Unchanged"),
        (settle(1, Side::Source), "has no outcome yet"),
        (advance(1, Step::Ready), "Applied"),
        (advance(1, Step::Move), "Applied"),
        (advance(1, Step::Cancel), "is moved and cannot be cancelled"),
        (start(2, &[range(100, 100)], 2, 1), "slot 100 is part of migration"),
        (settle(1, Side::Target), "Applied"),
        (settle(1, Side::Target), "Unchanged"),
        (settle(1, Side::Source), "Applied"),
        (settle(1, Side::Source), "Unchanged"),
        (advance(1, Step::Move), "Unchanged"),
        (start(1, &slots, 1, 2), "Unchanged"),
        (start(1, &slots, 2, 1), "exists and is another one"),
        (start(2, &[range(100, 100)], 2, 1), "Applied"),
    ];
    for (change, expected) in script {
        let moved_before = owner(&topology, 100) == Some(shard(2));
        let said = told(&topology.apply(change.clone()));
        assert!(said.contains(expected), "{change:?}: {said}");
        let moved = owner(&topology, 100) == Some(shard(2));
        assert_eq!(
            moved != moved_before,
            change == advance(1, Step::Move) && said.contains("Applied")
        );
    }
    assert_eq!(topology.slots_of(shard(2)), [range(50, 50), range(100, 299), range(5461, 10922)]);
    assert_eq!(topology.finished_migrations().len(), 1);
    assert_eq!(topology.epoch(), Epoch(4));
}

#[test]
fn a_cancelled_migration_leaves_everything_where_it_was() {
    for steps in [&[][..], &[Step::Seal], &[Step::Seal, Step::Ready]] {
        let mut topology = nine_node_topology();
        topology.apply(start(1, &[range(0, 9)], 1, 2));
        for step in steps {
            topology.apply(advance(1, *step));
        }
        topology.apply(advance(1, Step::Cancel));
        let refused = topology.apply(advance(1, Step::Move));
        assert!(told(&refused).contains("is cancelled and cannot be moved"));
        assert_eq!(owner(&topology, 0), Some(shard(1)));
        assert_eq!(topology.epoch(), Epoch(3));
        assert_eq!(topology.migrations()[0].phase, Phase::Cancelled);
    }
}

#[test]
fn migrations_that_make_no_sense_are_refused() {
    let mut topology = nine_node_topology();
    topology.apply(Change::AddShard { shard: shard(4) });
    topology.apply(start(1, &[range(0, 9)], 1, 2));
    let table = [
        (start(2, &[range(20, 20)], 1, 1), "is both source and target"),
        (start(2, &[range(20, 20)], 1, 5), "is not known"),
        (start(2, &[range(20, 20)], 1, 4), "has no members"),
        (start(2, &[range(20, 20)], 2, 1), "slot 20 is not owned by shard"),
        (start(2, &[range(9, 20)], 1, 3), "slot 9 is part of migration"),
        (start(2, &[], 1, 3), "no slots are given"),
        (advance(2, Step::Seal), "is not known"),
        (settle(2, Side::Source), "is not known"),
        (
            Change::ReleaseSlots { shard: shard(1), slots: vec![range(9, 9)] },
            "is part of migration",
        ),
    ];
    for (change, expected) in table {
        let before = topology.clone();
        let said = told(&topology.apply(change.clone()));
        assert!(said.contains(expected), "{change:?}: {said}");
        assert_eq!(topology, before);
    }
}

#[test]
fn only_the_latest_finished_jobs_are_remembered() {
    let mut topology = nine_node_topology();
    for number in 0..=FINISHED_JOBS_MAX as u8 {
        topology.apply(start(number, &[range(0, 0)], 1, 2));
        topology.apply(advance(number, Step::Cancel));
        topology.apply(settle(number, Side::Source));
        topology.apply(settle(number, Side::Target));
    }
    assert_eq!(topology.finished_migrations().len(), FINISHED_JOBS_MAX);
    assert_eq!(topology.finished_migrations()[0].id, job(1));
}

#[test]
fn functions_are_those_of_who_came_first() {
    let mut topology = nine_node_topology();
    let set = |version, origin, text: &str| {
        let libraries = vec![Source(text.as_bytes().into())];
        Change::SetFunctions(Functions { version, origin: shard(origin), libraries })
    };
    let follow = |number, version| Change::FollowFunctions { shard: shard(number), version };
    assert_eq!(told(&topology.apply(set(2, 1, "a"))), "the functions have number 0 now");
    assert_eq!(told(&topology.apply(follow(1, 1))), "the functions have number 0 now");
    assert!(told(&topology.apply(set(1, 9, "a"))).contains("is not known"));
    assert_eq!(topology.apply(set(1, 1, "a")), Outcome::Applied { epoch: Epoch(3) });
    // Who does not know whether that went through may say it again, and nobody else.
    assert_eq!(topology.apply(set(1, 1, "a")), Outcome::Unchanged);
    assert_eq!(told(&topology.apply(set(1, 2, "a"))), "the functions have number 1 now");
    assert_eq!(told(&topology.apply(set(1, 1, "b"))), "the functions have number 1 now");
    assert_eq!(topology.apply(follow(2, 1)), Outcome::Applied { epoch: Epoch(3) });
    assert_eq!(topology.apply(follow(2, 1)), Outcome::Unchanged);
    assert_eq!(topology.apply(set(2, 2, "b")), Outcome::Applied { epoch: Epoch(3) });
    assert_eq!(topology.apply(follow(2, 1)), Outcome::Unchanged);
    let versions: Vec<u64> = topology.shards().iter().map(|shard| shard.function_version).collect();
    assert_eq!((topology.function_version(), versions), (2, vec![0, 1, 0]));
}

/// Changes over few enough names that many of them fit.
pub(super) fn any_change() -> impl Strategy<Value = Change> {
    let shards = || (1_u8..=5).prop_map(shard);
    let nodes = || (1_u8..=11).prop_map(node);
    let jobs = || (1_u8..=4).prop_map(job);
    let slots = || {
        let range = (0_u16..16, 0_u16..16, prop::sample::select(&[0_u16, 5455, 16300][..]))
            .prop_map(|(one, other, base)| range(base + one.min(other), base + one.max(other)));
        prop::collection::vec(range, 0..3)
    };
    let steps = prop::sample::select(&[Step::Seal, Step::Ready, Step::Move, Step::Cancel][..]);
    let sides = prop::sample::select(&[Side::Source, Side::Target][..]);
    let addresses = || (0_u16..3).prop_map(|number| address("10.0.0.2", 8000 + number));
    prop_oneof![
        Just(Change::form(&nine_nodes())),
        (nodes(), addresses()).prop_map(|(node, address)| Change::SetAddress { node, address }),
        (shards(), nodes(), 0_u64..6).prop_map(|(shard, node, term)| Change::SetLeader {
            shard,
            node,
            term: Term(term)
        }),
        (nodes(), shards(), addresses())
            .prop_map(|(node, shard, address)| Change::AddNode(Node::new(node, shard, address))),
        nodes().prop_map(|node| Change::RemoveNode { node }),
        shards().prop_map(|shard| Change::AddShard { shard }),
        shards().prop_map(|shard| Change::RemoveShard { shard }),
        (shards(), slots()).prop_map(|(shard, slots)| Change::AssignSlots { shard, slots }),
        (shards(), slots()).prop_map(|(shard, slots)| Change::ReleaseSlots { shard, slots }),
        prop::collection::vec(nodes(), 0..4).prop_map(|voters| Change::SetVoters { voters }),
        (jobs(), slots(), shards(), shards())
            .prop_map(|(id, slots, from, to)| Change::StartMigration { id, slots, from, to }),
        (jobs(), steps).prop_map(|(id, step)| Change::AdvanceMigration { id, step }),
        (jobs(), sides).prop_map(|(id, side)| Change::SettleMigration { id, side }),
        (shards(), 0_u64..4, prop::collection::vec(any::<u8>(), 0..3)).prop_map(
            |(origin, version, source)| {
                let libraries = vec![Source(source)];
                Change::SetFunctions(Functions { version, origin, libraries })
            }
        ),
        (shards(), 0_u64..4)
            .prop_map(|(shard, version)| Change::FollowFunctions { shard, version }),
    ]
}

proptest! {
    /// After any history: what was refused or nothing new has left no trace,
    /// the epoch and the terms never go back, no two shards share an epoch, a
    /// replica that joins by snapshot in the middle ends up the same, and the
    /// record is one that [`Topology::restore`] finds consistent.
    #[test]
    fn any_history_is_followed_alike_by_all(
        changes in prop::collection::vec(any_change(), 0..60),
        joins_at in 0_usize..60,
    ) {
        let mut topology = nine_node_topology();
        let mut late = None;
        for (index, change) in changes.into_iter().enumerate() {
            if index == joins_at {
                late = Some(Topology::restore(&topology.snapshot()).expect("a consistent record"));
            }
            let before = topology.clone();
            let outcome = topology.apply(change.clone());
            if let Some(late) = &mut late {
                prop_assert_eq!(late.apply(change), outcome.clone());
            }
            if let Outcome::Applied { epoch } = outcome {
                prop_assert!(epoch == topology.epoch() && before != topology);
            } else {
                prop_assert_eq!(&before, &topology);
            }
            prop_assert!(topology.epoch() >= before.epoch());
            for shard in before.shards() {
                let term = topology.shard(shard.id).map_or(shard.term, |now| now.term);
                prop_assert!(term >= shard.term);
            }
        }
        let mut epochs: Vec<Epoch> = topology.shards().iter().map(|shard| shard.config_epoch).collect();
        epochs.sort_unstable();
        epochs.dedup();
        prop_assert_eq!(epochs.len(), topology.shards().len());
        let restored = Topology::restore(&topology.snapshot());
        prop_assert_eq!(restored.as_ref(), Ok(&topology));
        if let Some(late) = late {
            prop_assert_eq!(late.snapshot(), topology.snapshot());
        }
    }
}
