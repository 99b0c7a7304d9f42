//! Forms the cluster of a run, as `cluster-cli create` does: every node is sent the same plan.

use std::time::Duration;

use quoris_resp::Reply;
use quoris_topology::{Address, ClusterId, NodeId, Plan, PlanOptions, Secret, ShardId};

use crate::client::{Answer, Client};
use crate::random::Random;
use crate::world::{BUS_PORT, PORT};

/// Between two looks at whether the cluster is ready.
const POLL: Duration = Duration::from_millis(50);

/// Forms a cluster of all `hosts`, and returns when every node says that it is fine.
pub async fn form(hosts: &[String], replicas_per_shard: usize, mut random: Random) {
    let mut nodes = Vec::new();
    for host in hosts {
        let id = text(host, &["CLUSTER", "MYID"]).await;
        let id: NodeId = id.parse().expect("a node tells its id");
        let ip = turmoil::lookup(host.as_str()).to_string();
        let address =
            Address { host: ip, hostname: None, port: PORT, bus_port: BUS_PORT, tls_port: 0 };
        nodes.push((id, address));
    }
    let name = |random: &mut Random| {
        let mut id = [0; 20];
        id.chunks_mut(4).for_each(|part| {
            part.copy_from_slice(&(random.next_u64() as u32).to_le_bytes());
        });
        id
    };
    let options = PlanOptions {
        cluster_id: ClusterId::new(name(&mut random)),
        secret: Some(Secret("5eed".repeat(8))),
        replicas_per_shard,
        shard_id: &mut || ShardId::new(name(&mut random)),
    };
    let plan = Plan::new(nodes, options).expect("the nodes of a run make whole shards");
    let plan = plan.to_json();
    for host in hosts {
        let told = text(host, &["CLUSTER", "FORM", &plan]).await;
        assert_eq!(told, "OK", "a node refuses the plan");
    }
    for host in hosts {
        while !text(host, &["CLUSTER", "INFO"]).await.contains("cluster_state:ok") {
            tokio::time::sleep(POLL).await;
        }
    }
}

/// Asks one node until it answers.
async fn text(host: &str, words: &[&str]) -> String {
    let mut client = Client::new(vec![format!("{host}:{PORT}")], 0, true);
    loop {
        if let Answer::Reply(reply) = client.request(words).await {
            return match reply {
                Reply::Error(text) => text,
                other => String::from_utf8_lossy(other.as_bytes().unwrap_or_default()).into_owned(),
            };
        }
        tokio::time::sleep(POLL).await;
    }
}
