//! What makes a read from the leader's memory wrong, one trap after the other.

#[path = "common/cluster.rs"]
mod cluster;
mod common;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use cluster::Cluster;
use common::{Book, CLUSTER, Home, Ledger, SECRET, Setup, run};
use quoris_consensus::{GroupHandle, GroupStatus, NotLeader, Outcome, RaftId, Timing};
use quoris_proto::raft as wire;
use quoris_proto::raft::raft_client::RaftClient;
use tokio::time::Instant;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

/// A candidate that is not a node: asks for votes as it likes.
struct Candidate {
    client: RaftClient<Channel>,
    to: RaftId,
}

impl Candidate {
    async fn towards(book: &Book, to: RaftId) -> Self {
        let address = book.0.lock().unwrap()[&to];
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        Self { client: RaftClient::new(endpoint.connect().await.unwrap()), to }
    }

    fn ballot(
        &self,
        term: u64,
        status: &GroupStatus,
        transfer: bool,
    ) -> Request<wire::VoteRequest> {
        let last = status.applied.expect("something has been applied");
        let route = wire::Route {
            cluster_id: CLUSTER.to_owned(),
            group_id: "shard".to_owned(),
            from: 77,
            to: self.to,
        };
        let mut request = Request::new(wire::VoteRequest {
            route: Some(route),
            vote: Some(wire::Vote { term, node: 77, committed: false }),
            last: Some(wire::LogId { term: last.term, index: last.index + 1000 }),
            leadership_transfer: transfer,
        });
        request.metadata_mut().insert("quoris-secret", SECRET.parse().unwrap());
        request
    }

    async fn vote(
        &mut self,
        term: u64,
        status: &GroupStatus,
        transfer: bool,
    ) -> Result<wire::VoteReply, Status> {
        let ballot = self.ballot(term, status, transfer);
        Ok(self.client.vote(ballot).await?.into_inner())
    }
}

/// Slow enough that a test is long done before an election.
fn slow() -> Setup {
    Setup { timing: Timing::default().scaled(5.0), ..Setup::default() }
}

#[test]
fn a_restarted_node_elects_nobody_while_an_old_promise_may_last() {
    run(async {
        let mut cluster = Cluster::start(3, slow()).await;
        cluster.write("x").await;
        let leader = cluster.leader().await.id;
        let follower = 1 + leader % 3;
        cluster.nodes[&follower].applied(1).await;
        let status = cluster.nodes[&follower].group.status();
        let term = status.standing.term;
        // With the others gone, nobody renews the promise.
        for id in 1..=3 {
            cluster.kill(id).await;
        }
        let started = Instant::now();
        cluster.restart(follower).await;
        let mut candidate = Candidate::towards(&cluster.book, follower).await;
        let refusal = candidate.vote(term + 10, &status, false).await.unwrap_err();
        assert_eq!(refusal.code(), Code::Unavailable);
        let pre_vote = candidate.ballot(term + 10, &status, false);
        let refusal = candidate.client.pre_vote(pre_vote).await.unwrap_err();
        assert_eq!(refusal.code(), Code::Unavailable);

        let reply = loop {
            match candidate.vote(term + 10, &status, false).await {
                Ok(reply) => break reply,
                Err(refusal) => assert_eq!(refusal.code(), Code::Unavailable),
            }
        };
        assert!(started.elapsed() >= slow().timing.election_max);
        assert!(reply.granted, "and then it votes like everybody");
    });
}

#[test]
fn a_restarted_node_helps_an_election_that_the_leader_asked_for() {
    run(async {
        let mut cluster = Cluster::start(3, slow()).await;
        cluster.write("x").await;
        let follower = 1 + cluster.leader().await.id % 3;
        cluster.nodes[&follower].applied(1).await;
        let status = cluster.nodes[&follower].group.status();
        for id in 1..=3 {
            cluster.kill(id).await;
        }
        cluster.restart(follower).await;
        let mut candidate = Candidate::towards(&cluster.book, follower).await;
        let reply = candidate.vote(status.standing.term + 10, &status, true).await.unwrap();
        assert!(reply.granted);
    });
}

#[test]
fn a_follower_keeps_its_promise_while_the_leader_lives() {
    run(async {
        let cluster = Cluster::start(3, Setup::default()).await;
        cluster.write("x").await;
        let leader = cluster.leader().await;
        let follower = &cluster.nodes[&(1 + leader.id % 3)];
        follower.applied(1).await;
        let status = follower.group.status();
        let term = status.standing.term;
        let mut candidate = Candidate::towards(&cluster.book, follower.id).await;
        let reply = candidate.vote(term + 10, &status, false).await.unwrap();
        assert!(!reply.granted);
        assert!(leader.group.is_leader());
        leader.propose("y").await.unwrap();
        assert_eq!(leader.group.term(), term);
    });
}

#[test]
fn a_transfer_ends_the_lease_before_anybody_is_told() {
    run(async {
        let cluster = Cluster::start(3, slow()).await;
        cluster.write("x").await;
        let old = cluster.leader().await;
        let now = Instant::now();
        assert!(old.group.can_read(now));
        let heir = 1 + old.id % 3;
        let mut transfer = Box::pin(old.group.transfer_leader(heir));
        // The first poll cannot have sent anything: no other task has run.
        assert!(futures::poll!(&mut transfer).is_pending());
        assert!(!old.group.can_read(now), "not even for a request from before");
        transfer.await.unwrap();
        assert!(!old.group.can_read(now));
        let heir = &cluster.nodes[&heir];
        heir.standing("is ready", |standing| standing.is_ready).await;
        heir.group.renew_lease().await.unwrap();
        assert!(heir.group.can_read(Instant::now()));
        assert_eq!(old.group.renew_lease().await, Err(NotLeader { leader: Some(heir.id) }));
    });
}

#[test]
fn a_fresh_leader_answers_nothing_before_its_own_entry_has_been_applied() {
    run(async {
        let book = Book::default();
        let home = Home::new(1, &book, &Setup::default());
        let handle: Rc<RefCell<Option<GroupHandle>>> = Rc::default();
        let seen: Rc<RefCell<Vec<(u64, bool, bool)>>> = Rc::default();
        let ledger = {
            let (handle, seen) = (Rc::clone(&handle), Rc::clone(&seen));
            let on_skip = move |position: quoris_consensus::LogPosition| {
                let handle = handle.borrow();
                let group = handle.as_ref().unwrap();
                let can_read = group.can_read(Instant::now());
                seen.borrow_mut().push((position.term, group.is_leader(), can_read));
            };
            let mut ledger = Ledger::default();
            ledger.on_skip = Some(Box::new(on_skip));
            ledger
        };
        let node = home.start_with(ledger).await;
        *handle.borrow_mut() = Some(node.group.clone());
        node.group.initialize(BTreeSet::from([1])).await.unwrap();
        let ready = node.standing("is ready", |standing| standing.is_ready).await;
        assert!(node.group.can_read(Instant::now()));
        assert!(!seen.borrow().is_empty());
        for (term, leads, can_read) in seen.borrow().iter() {
            assert!(*leads && !*can_read, "while applying the no-op of term {term}");
        }
        assert_eq!(seen.borrow().last().unwrap().0, ready.term);
    });
}

#[test]
fn a_leader_that_votes_for_another_has_no_lease() {
    run(async {
        let cluster = Cluster::start(3, slow()).await;
        cluster.write("x").await;
        let leader = cluster.leader().await;
        let now = Instant::now();
        assert!(leader.group.can_read(now));
        let status = leader.group.status();
        let mut candidate = Candidate::towards(&cluster.book, leader.id).await;
        // Only an election that claims the leader's own blessing gets through.
        let term = status.standing.term;
        let reply = candidate.vote(term + 10, &status, false).await.unwrap();
        assert!(!reply.granted);
        assert!(leader.group.can_read(now));
        let reply = candidate.vote(term + 10, &status, true).await.unwrap();
        assert!(reply.granted);
        assert!(!leader.group.can_read(now));
        assert!(!leader.group.is_leader());
    });
}

#[test]
fn a_leader_without_followers_stops_answering_and_refuses_writes_unharmed() {
    run(async {
        let mut cluster = Cluster::start(3, Setup::default()).await;
        cluster.write("x").await;
        let leader = cluster.leader().await.id;
        for id in (1..=3).filter(|id| *id != leader) {
            cluster.kill(id).await;
        }
        let node = &cluster.nodes[&leader];
        let mut in_flight = Box::pin(node.propose("in flight"));
        assert!(futures::poll!(&mut in_flight).is_pending());
        // Nobody acknowledges any more: the lease runs out, and for good.
        while node.group.renew_lease().await.is_ok() {}
        assert!(!node.group.can_read(Instant::now()));
        assert_eq!(node.propose("too late").await, Err(Outcome::NotAppended { leader: None }));
        // What had been appended may yet be committed; stopping does not tell.
        let ((), outcome) = tokio::join!(node.group.shutdown(), in_flight);
        assert_eq!(outcome, Err(Outcome::Unknown));
    });
}

#[test]
fn a_proposal_to_a_follower_names_the_leader() {
    run(async {
        let cluster = Cluster::start(3, Setup::default()).await;
        let leader = cluster.leader().await.id;
        let follower = &cluster.nodes[&(1 + leader % 3)];
        follower.standing("knows the leader", |standing| standing.leader == Some(leader)).await;
        let outcome = follower.propose("x").await;
        assert_eq!(outcome, Err(Outcome::NotAppended { leader: Some(leader) }));
        assert_eq!(follower.group.renew_lease().await, Err(NotLeader { leader: Some(leader) }));
        assert!(!follower.group.can_read(Instant::now()));
    });
}
