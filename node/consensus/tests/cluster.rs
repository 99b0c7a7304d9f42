//! Groups of several nodes over real sockets: elections, crashes, snapshots,
//! strangers, moves, changes of members, broken disks.

#[path = "common/cluster.rs"]
mod cluster;
mod common;

use std::collections::BTreeSet;

use bytes::Bytes;
use cluster::Cluster;
use common::{Book, CLUSTER, Home, Kind, Setup, run};
use quoris_consensus::{
    Announcement, Durability, GroupError, GroupId, Outcome, ProposeError, Role, Secret,
};
use quoris_proto::raft::VoteRequest;
use quoris_proto::raft::raft_client::RaftClient;
use quoris_storage::disk::Fault;
use tokio::time::Instant;
use tonic::Code;
use tonic::transport::Endpoint;

#[test]
fn a_killed_leader_is_replaced_and_catches_up_when_it_returns() {
    run(async {
        let mut cluster = Cluster::start(3, Setup::default()).await;
        cluster.write_many("a", 50).await;
        let old = cluster.leader().await.id;
        cluster.kill(old).await;
        cluster.write_many("b", 50).await;
        assert_ne!(cluster.leader().await.id, old);
        cluster.restart(old).await;
        cluster.write_many("c", 50).await;
        let entries = cluster.agrees_on(150).await;
        assert_eq!(entries[50], "b0");
    });
}

#[test]
fn acknowledged_entries_survive_a_power_cut_of_everybody() {
    for log in [Kind::Segments, Kind::Meta] {
        run(async move {
            let mut cluster = Cluster::start(3, Setup { log, ..Setup::default() }).await;
            cluster.write_many("a", 30).await;
            for id in 1..=3 {
                cluster.kill(id).await;
            }
            for id in 1..=3 {
                cluster.restart(id).await;
            }
            cluster.write("last").await;
            let entries = cluster.agrees_on(31).await;
            assert_eq!((&entries[0][..], &entries[30][..]), (&b"a0"[..], &b"last"[..]));
        });
    }
}

#[test]
fn batches_in_flight_are_applied_in_order_and_answered_under_their_tags() {
    run(async {
        let cluster = Cluster::start(3, Setup::default()).await;
        let leader = cluster.leader().await;
        let proposals = (0..200).map(|n| leader.propose(format!("batch {n}")));
        let positions = futures::future::join_all(proposals).await;
        let positions: Vec<_> = positions.into_iter().map(Result::unwrap).collect();
        assert!(positions.is_sorted());
        let entries = cluster.agrees_on(200).await;
        assert_eq!(entries[199], "batch 199");
    });
}

#[test]
fn a_node_that_is_alone_leads_at_once_and_again_after_a_restart() {
    run(async {
        let mut cluster = Cluster::start(1, Setup::default()).await;
        cluster.write_many("a", 10).await;
        assert!(cluster.nodes[&1].group.can_read(Instant::now()));
        cluster.kill(1).await;
        cluster.restart(1).await;
        cluster.write("b").await;
        assert!(cluster.nodes[&1].group.can_read(Instant::now()));
        cluster.agrees_on(11).await;
    });
}

#[test]
fn only_a_shard_with_followers_keeps_its_log_in_memory() {
    run(async {
        let setup = Setup { cache_bytes: 4 << 20, ..Setup::default() };
        let large = "x".repeat(100 << 10);
        let cluster = Cluster::start(1, setup.clone()).await;
        for _ in 0..30 {
            cluster.write(large.clone()).await;
        }
        let held = cluster.nodes[&1].group.log_memory_bytes();
        assert!(held <= 1 << 20, "{held} bytes that nobody will ask for");

        let cluster = Cluster::start(3, setup).await;
        for _ in 0..30 {
            cluster.write(large.clone()).await;
        }
        let held = cluster.leader().await.group.log_memory_bytes();
        assert!((2 << 20..=4 << 20).contains(&held), "{held} bytes for two followers");
    });
}

#[test]
fn the_log_is_compacted_by_bytes_and_a_far_behind_follower_gets_the_snapshot() {
    for log in [Kind::Segments, Kind::Meta] {
        run(async move {
            let setup = Setup { log, snapshot_log_bytes: 20_000, ..Setup::default() };
            let mut cluster = Cluster::start(3, setup).await;
            cluster.write("first").await;
            let follower = 1 + cluster.leader().await.id % 3;
            cluster.nodes[&follower].applied(1).await;
            cluster.kill(follower).await;
            let large = "x".repeat(3000);
            let mut count = 1;
            // The log goes on being needed until the leader has noticed that
            // the follower is gone.
            while cluster.leader().await.group.status().purged.is_none_or(|at| at.index < 9) {
                cluster.write(large.clone()).await;
                count += 1;
            }

            cluster.restart(follower).await;
            cluster.write("last").await;
            count += 1;
            let entries = cluster.agrees_on(count).await;
            assert_eq!(entries.first(), Some(&Bytes::from("first")));
            assert_eq!(entries.last(), Some(&Bytes::from("last")));
            assert!(cluster.nodes[&follower].ledger.borrow().restored > 0);

            // And what it installed is on its own disk.
            cluster.kill(follower).await;
            cluster.restart(follower).await;
            cluster.write("after").await;
            cluster.agrees_on(count + 1).await;
        });
    }
}

#[test]
fn it_works_on_a_real_disk_with_real_threads() {
    for log in [Kind::Segments, Kind::Meta] {
        run(async move {
            let setup = Setup { log, real: true, snapshot_log_bytes: 2000, ..Setup::default() };
            let mut cluster = Cluster::start(3, setup).await;
            cluster.write_many("a", 50).await;
            for durability in [Durability::No, Durability::EverySec, Durability::Always] {
                for node in cluster.nodes.values() {
                    node.group.set_durability(durability).unwrap();
                }
                cluster.write_many("b", 10).await;
            }
            let old = cluster.leader().await.id;
            cluster.kill(old).await;
            cluster.write_many("c", 10).await;
            cluster.restart(old).await;
            cluster.write("d").await;
            let entries = cluster.agrees_on(91).await;
            assert_eq!((&entries[0][..], &entries[90][..]), (&b"a0"[..], &b"d"[..]));
        });
    }
}

#[test]
fn a_stranger_is_refused() {
    run(async {
        let cluster = Cluster::start(3, Setup::default()).await;
        let wrong = [Secret::new("wrong-horse"), None];
        for secret in wrong {
            let stranger = Home::new(9, &cluster.book, &Setup { secret, ..Setup::default() });
            let world = stranger.world();
            for node in 1..=3 {
                let refusal = world.peers.ping(9, node, CLUSTER).await.unwrap_err();
                assert!(refusal.to_string().contains("Unauthenticated"), "{refusal}");
            }
        }
        let address = cluster.book.0.lock().unwrap()[&1];
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        let mut candidate = RaftClient::new(endpoint.connect().await.unwrap());
        let refusal = candidate.vote(VoteRequest::default()).await.unwrap_err();
        assert_eq!(refusal.code(), Code::Unauthenticated);
        let other = cluster.nodes[&1].peers.ping(1, 2, "another cluster").await.unwrap_err();
        assert!(other.to_string().contains("another cluster"), "{other}");
        cluster.nodes[&1].peers.ping(1, 2, CLUSTER).await.unwrap();
    });
}

#[test]
fn a_node_without_a_secret_has_no_peers() {
    run(async {
        let book = Book::default();
        let alone = Home::new(1, &book, &Setup { secret: None, ..Setup::default() }).start().await;
        alone.group.initialize(BTreeSet::from([1])).await.unwrap();
        alone.standing("leads", |standing| standing.is_ready).await;
        for secret in [None, Secret::new("anything")] {
            let other = Home::new(2, &book, &Setup { secret, ..Setup::default() }).world();
            let refusal = other.peers.ping(2, 1, CLUSTER).await.unwrap_err();
            assert!(refusal.to_string().contains("Unauthenticated"), "{refusal}");
        }
    });
}

#[test]
fn a_node_that_moved_is_found_again() {
    run(async {
        let mut cluster = Cluster::start(3, Setup::default()).await;
        cluster.write("before").await;
        let follower = 1 + cluster.leader().await.id % 3;
        cluster.kill(follower).await;
        let old = cluster.book.0.lock().unwrap()[&follower];
        // Somebody else has the address now, and does not answer.
        let _squatter = tokio::net::TcpListener::bind(old).await.unwrap();
        cluster.restart(follower).await;
        assert_ne!(cluster.book.0.lock().unwrap()[&follower], old);
        cluster.write("after").await;
        cluster.agrees_on(2).await;
    });
}

#[test]
fn members_come_and_go() {
    run(async {
        let mut cluster = Cluster::start(1, Setup::default()).await;
        cluster.write_many("a", 10).await;
        for id in [2, 3] {
            let home = Home::new(id, &cluster.book, &Setup::default());
            cluster.homes.insert(id, home);
            cluster.restart(id).await;
            cluster.nodes[&1].group.add_learner(id).await.unwrap();
        }
        let learner = cluster.nodes[&2].standing("learns", |s| s.leader == Some(1)).await;
        assert_eq!(learner.role, Role::Learner);
        let three = BTreeSet::from([1, 2, 3]);
        cluster.nodes[&1].group.change_voters(three.clone(), true).await.unwrap();
        cluster.write("three").await;
        cluster.nodes[&3].standing("votes", |s| s.voters == three).await;

        // The leader leaves; another takes over without it.
        let two = BTreeSet::from([2, 3]);
        cluster.nodes[&1].group.change_voters(two.clone(), false).await.unwrap();
        let heir = cluster.nodes[&2]
            .standing("sees an heir", |s| s.leader.is_some_and(|leader| leader != 1));
        assert_eq!(heir.await.voters, two);
        assert!(!cluster.nodes[&1].group.can_read(Instant::now()));
        cluster.kill(1).await;
        cluster.write("two").await;
        cluster.agrees_on(12).await;
    });
}

#[test]
fn leadership_is_handed_over_without_losing_a_write() {
    run(async {
        let cluster = Cluster::start(3, Setup::default()).await;
        cluster.write("before").await;
        let old = cluster.leader().await;
        let heir = 1 + old.id % 3;
        let refused = old.group.transfer_leader(old.id).await;
        assert!(matches!(refused, Err(GroupError::Refused(_))), "{refused:?}");
        old.group.transfer_leader(heir).await.unwrap();
        assert!(!old.group.can_read(Instant::now()));
        assert_eq!(old.group.leader(), Some(heir));
        let refused = old.group.transfer_leader(heir).await;
        assert!(matches!(refused, Err(GroupError::NotLeader(_))), "{refused:?}");
        cluster.write("after").await;
        cluster.agrees_on(2).await;
    });
}

#[test]
fn a_node_whose_disk_fails_stops_and_another_leads() {
    for fault in [Fault::Io, Fault::NoSpace] {
        run(async move {
            let cluster = Cluster::start(3, Setup::default()).await;
            cluster.write("before").await;
            let old = cluster.leader().await;
            assert!(old.group.can_read(Instant::now()));
            let home = &cluster.homes[&old.id];
            match fault {
                Fault::Io => home.disk.fail_syncs(fault, u32::MAX),
                Fault::NoSpace => home.disk.fail_writes(fault, u32::MAX),
            }
            let outcome = old.propose("lost or not").await;
            assert!(!old.group.can_read(Instant::now()));
            assert_eq!(outcome, Err(Outcome::Unknown));
            let standing = old.standing("has failed", |s| s.fault.is_some()).await;
            assert_eq!(standing.role, Role::Stopped);
            assert!(!old.group.is_leader());

            let id = old.id;
            let next = 1 + id % 3;
            let heir = cluster.nodes[&next]
                .standing("sees an heir", |s| s.leader.is_some_and(|leader| leader != id));
            let heir = heir.await.leader.unwrap();
            cluster.nodes[&heir].standing("is ready", |s| s.is_ready).await;
            cluster.nodes[&heir].propose("after").await.unwrap();
        });
    }
}

#[test]
fn durability_can_be_changed_while_writing() {
    run(async {
        let cluster = Cluster::start(3, Setup::default()).await;
        for durability in [Durability::No, Durability::EverySec, Durability::Always] {
            for node in cluster.nodes.values() {
                node.group.set_durability(durability).unwrap();
            }
            cluster.write_many("x", 5).await;
        }
        cluster.agrees_on(15).await;
    });
}

#[test]
fn a_group_that_has_left_the_bus_is_not_found_and_may_come_back() {
    run(async {
        let mut cluster = Cluster::start(3, Setup::default()).await;
        let follower = 1 + cluster.leader().await.id % 3;
        let node = &cluster.nodes[&follower];
        node.group.shutdown().await;
        let standing = node.standing("has stopped", |s| s.role == Role::Stopped).await;
        assert_eq!((standing.leader, standing.fault), (None, None));
        assert_eq!(format!("{:?}", node.registry), "{}");
        assert_eq!(node.propose("x").await, Err(Outcome::NotAppended { leader: None }));
        cluster.kill(follower).await;
        cluster.restart(follower).await;
        cluster.write("y").await;
        cluster.agrees_on(1).await;
    });
}

#[test]
fn peers_forward_proposals_and_announce_leaders() {
    run(async {
        let cluster = Cluster::start(3, Setup::default()).await;
        let peers = &cluster.nodes[&1].peers;
        let topology = GroupId::topology();
        let reply = peers.propose(2, CLUSTER, &topology, Bytes::from("plan")).await;
        assert_eq!(reply, Ok(Bytes::from("plan")));
        let shard = GroupId("shard".to_owned());
        let unknown = peers.propose(2, CLUSTER, &shard, Bytes::from("plan")).await;
        assert_eq!(unknown, Err(ProposeError::Unknown));
        let refused = peers.propose(2, "another", &shard, Bytes::from("plan")).await;
        assert_eq!(refused, Err(ProposeError::NotAppended { leader: None }));
        let hint = Announcement { shard, leader: 1, term: 7 };
        peers.announce(3, CLUSTER, hint.clone()).await.unwrap();
        assert_eq!(*cluster.nodes[&3].announced.borrow(), [hint]);
    });
}
