//! Nodes that are only their answers: enough of `quoris-node` to watch the tool
//! at work, and to fail in ways that a real one does once in a thousand times.

use std::{
    collections::BTreeMap,
    process::{Output, Stdio},
    sync::{Arc, Mutex},
};

use quoris_topology::{NodeId, Plan, Slot, SlotRange};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    process::Command,
    task::JoinHandle,
};

/// What a fake node does when it is given a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Takes it and says so.
    Good,
    /// Takes it and breaks the connection off before it says so, once.
    Abrupt,
    /// Says that it will not.
    Stubborn,
}

#[derive(Debug, Default)]
struct State {
    plans: BTreeMap<NodeId, Plan>,
    leaders: BTreeMap<String, NodeId>,
    manners: BTreeMap<NodeId, Manner>,
    ports: BTreeMap<NodeId, u16>,
}

/// Some nodes that know each other as soon as they are given a plan.
pub struct Fakes {
    state: Arc<Mutex<State>>,
    tasks: Vec<JoinHandle<()>>,
    ports: Vec<u16>,
}

impl Fakes {
    /// Fresh nodes on free ports.
    pub async fn start(manners: &[Manner]) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let (mut tasks, mut ports) = (Vec::new(), Vec::new());
        for (place, manner) in manners.iter().enumerate() {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let port = listener.local_addr().expect("it is bound").port();
            let id = NodeId::new([place as u8 + 1; 20]);
            let mut known = state.lock().expect("no test panics while it holds the state");
            known.manners.insert(id, *manner);
            known.ports.insert(id, port);
            drop(known);
            tasks.push(tokio::spawn(serve(listener, id, state.clone())));
            ports.push(port);
        }
        Self { state, tasks, ports }
    }

    /// The address of a node, as the tool is given it.
    pub fn address(&self, place: usize) -> String {
        format!("127.0.0.1:{}", self.ports[place])
    }

    /// `create --yes` over all of them.
    pub async fn create(&self, options: &[&str]) -> Output {
        let addresses: Vec<String> =
            (0..self.ports.len()).map(|place| self.address(place)).collect();
        let nodes = addresses.iter().map(String::as_str);
        let command: Vec<&str> = ["create", "--yes"].into_iter().chain(nodes).collect();
        cluster_cli(&[&command, options].concat()).await
    }

    /// How many nodes were given a plan.
    pub fn formed_count(&self) -> usize {
        self.state.lock().expect("no test panics while it holds the state").plans.len()
    }

    /// Stops answering on one node; connections to it are refused from now on.
    pub async fn kill(&mut self, place: usize) {
        self.tasks[place].abort();
        let ended = (&mut self.tasks[place]).await;
        assert!(ended.is_err_and(|error| error.is_cancelled()), "the node served until now");
    }
}

/// Runs the tool and waits for it.
pub async fn cluster_cli(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cluster-cli"))
        .args(arguments)
        .env_remove("QUORIS_PASSWORD")
        .stdin(Stdio::null())
        .output()
        .await
        .expect("cargo built the tool")
}

/// What it printed.
pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

async fn serve(listener: TcpListener, id: NodeId, state: Arc<Mutex<State>>) {
    // Connections live in this task, so that killing it closes them all.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.expect("the test goes on");
        connections.spawn(converse(stream, id, state.clone()));
    }
}

async fn converse(stream: TcpStream, id: NodeId, state: Arc<Mutex<State>>) {
    let mut stream = BufReader::new(stream);
    while let Some(command) = read_command(&mut stream).await {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let reply =
            state.lock().expect("no test panics while it holds the state").answer(id, &words);
        let Some(reply) = reply else { return };
        if stream.get_mut().write_all(reply.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read_command(stream: &mut BufReader<TcpStream>) -> Option<Vec<String>> {
    let mut command = Vec::new();
    for _ in 0..read_number(stream, '*').await? {
        let mut word = vec![0; read_number(stream, '$').await? + 2];
        stream.read_exact(&mut word).await.ok()?;
        word.truncate(word.len() - 2);
        command.push(String::from_utf8(word).expect("the tool writes text"));
    }
    Some(command)
}

async fn read_number(stream: &mut BufReader<TcpStream>, kind: char) -> Option<usize> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    line.strip_prefix(kind)?.trim_end().parse().ok()
}

impl State {
    /// The reply to one command; none breaks the connection off.
    fn answer(&mut self, id: NodeId, command: &[&str]) -> Option<String> {
        Some(match command {
            ["PING"] => "+PONG\r\n".into(),
            ["CLUSTER", "MYID"] => bulk(&id.to_string()),
            ["CLUSTER", "INFO"] => bulk("cluster_current_epoch:1\r\n"),
            ["CLUSTER", "SHARDS"] => self.shards(id),
            ["CLUSTER", "FAILOVER"] => {
                let shard = self.plans[&id].node(id).expect("it is in its plan").shard;
                self.leaders.insert(shard.to_string(), id);
                "+OK\r\n".into()
            }
            ["CLUSTER", "FORM", json] => return self.form(id, json),
            ["CONFIG", "GET", name] => format!("*2\r\n{}{}", bulk(name), bulk("")),
            ["INFO", ..] => bulk("used_memory:1048576\r\n"),
            _ => "-ERR unknown command\r\n".into(),
        })
    }

    fn form(&mut self, id: NodeId, json: &str) -> Option<String> {
        let plan = Plan::from_json(json.as_bytes()).expect("the tool sends a valid plan");
        assert!(plan.secret.is_some(), "a cluster made by the tool has a secret");
        let manner = self.manners[&id];
        if manner == Manner::Stubborn {
            return Some("-ERR I would rather not\r\n".into());
        }
        for shard in &plan.shards {
            self.leaders.entry(shard.id.to_string()).or_insert(shard.members[0]);
        }
        if let Some(earlier) = self.plans.insert(id, plan.clone()) {
            assert_eq!(earlier.cluster_id, plan.cluster_id, "one node, one cluster");
        }
        self.manners.insert(id, Manner::Good);
        (manner == Manner::Good).then(|| "+OK\r\n".into())
    }

    fn shards(&self, id: NodeId) -> String {
        let Some(plan) = self.plans.get(&id) else {
            let all =
                [SlotRange::new(0, Slot::new(16383).expect("a slot").get()).expect("a range")];
            return format!("*1\r\n{}", shard(&all, &[(id, self.ports[&id], true)]));
        };
        let shards = plan.shards.iter().map(|planned| {
            let leader = self.leaders[&planned.id.to_string()];
            let members = planned.members.iter();
            let members: Vec<_> =
                members.map(|member| (*member, self.ports[member], *member == leader)).collect();
            shard(&planned.slots, &members)
        });
        format!("*{}\r\n{}", plan.shards.len(), shards.collect::<String>())
    }
}

fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

fn shard(slots: &[SlotRange], members: &[(NodeId, u16, bool)]) -> String {
    let bounds = slots.iter().flat_map(|range| [range.start().get(), range.end().get()]);
    let bounds = bounds.map(|bound| format!(":{bound}\r\n")).collect::<Vec<_>>().concat();
    let node = |(id, port, leads): &(NodeId, u16, bool)| {
        let role = if *leads { "master" } else { "replica" };
        let fields = [("id", id.to_string()), ("ip", "127.0.0.1".into()), ("role", role.into())];
        let fields: String = fields.iter().map(|(name, value)| bulk(name) + &bulk(value)).collect();
        format!("*8\r\n{fields}{}:{port}\r\n", bulk("port"))
    };
    let nodes: String = members.iter().map(node).collect();
    let (slots, count) = (slots.len() * 2, members.len());
    format!("*4\r\n{}*{slots}\r\n{bounds}{}*{count}\r\n{nodes}", bulk("slots"), bulk("nodes"))
}
