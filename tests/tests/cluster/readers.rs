//! redis-rs on a whole cluster.

use quoris_tests::cluster::Cluster;
use redis::cluster::cluster_pipe;
use redis::{Commands as _, RedisResult};

use super::CLUSTER;
use super::writer::connect;

fn strings(cluster: &Cluster) {
    let mut connection = connect(cluster);
    for number in 0..300 {
        let reply: RedisResult<()> = connection.set(format!("rs:{number}"), number);
        reply.expect("it is written");
    }
    for number in 0..300 {
        let found: Option<u32> = connection.get(format!("rs:{number}")).expect("it is read");
        assert_eq!(found, Some(number));
    }
}

fn pipelines(cluster: &Cluster) {
    let mut connection = connect(cluster);
    let mut pipe = cluster_pipe();
    for number in 0..200 {
        pipe.set(format!("rs:pipe:{number}"), number).ignore();
        pipe.cmd("INCRBY").arg(format!("rs:pipe:{number}")).arg(1000);
    }
    let replies: Vec<u32> = pipe.query(&mut connection).expect("it runs");
    assert_eq!(replies, (1000..1200).collect::<Vec<_>>());
}

fn collections(cluster: &Cluster) {
    let mut connection = connect(cluster);
    let hash: usize = connection.hset("rs:hash", "field", "value").expect("it is written");
    let board: usize = connection.zadd("rs:board", "ann", 3.5).expect("it is written");
    assert_eq!((hash, board), (1, 1));
    let pairs: Vec<(String, String)> = connection.hgetall("rs:hash").expect("it is read");
    assert_eq!(pairs, [("field".to_owned(), "value".to_owned())]);
    let score: f64 = connection.zscore("rs:board", "ann").expect("it is read");
    assert_eq!(score, 3.5);
    let wrong: RedisResult<u32> = connection.incr("rs:hash", 1);
    assert_eq!(wrong.expect_err("it is a hash").code(), Some("WRONGTYPE"));
}

#[test]
fn redis_rs_finds_its_way() {
    CLUSTER.lend(|cluster| {
        strings(cluster);
        pipelines(cluster);
        collections(cluster);
    });
}
