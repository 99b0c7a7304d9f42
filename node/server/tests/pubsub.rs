//! Publish and subscribe on one node, with several clients.

mod support;

use std::rc::Rc;

use support::{Border, Client, with_node};

/// A confirmation or a message as RESP2 writes it.
fn array(words: &[&str]) -> String {
    let words: String = words
        .iter()
        .map(|word| match word.strip_prefix(':') {
            Some(number) => format!(":{number}\r\n"),
            None => format!("${}\r\n{word}\r\n", word.len()),
        })
        .collect();
    let count = words.matches(['$', ':']).count();
    format!("*{count}\r\n{words}")
}

/// The same in RESP3.
fn push(words: &[&str]) -> String {
    array(words).replacen('*', ">", 1)
}

#[test]
fn messages_reach_channels_and_patterns_in_the_order_of_the_publisher() {
    with_node(&[], async |shared| {
        let mut subscriber = Client::connect(&shared).await;
        let mut publisher = Client::connect(&shared).await;
        let confirmed =
            [array(&["subscribe", "news", ":1"]), array(&["subscribe", "old", ":2"])].concat();
        subscriber.line("SUBSCRIBE news old", &confirmed).await;
        subscriber.line("PSUBSCRIBE n?w*", &array(&["psubscribe", "n?w*", ":3"])).await;
        publisher.line("PUBLISH news 1", ":2\r\n").await;
        publisher.line("PUBLISH newt 2", ":1\r\n").await;
        publisher.line("PUBLISH other 3", ":0\r\n").await;
        publisher.line("PUBLISH old 4", ":1\r\n").await;
        let messages = [
            array(&["message", "news", "1"]),
            array(&["pmessage", "n?w*", "news", "1"]),
            array(&["pmessage", "n?w*", "newt", "2"]),
            array(&["message", "old", "4"]),
        ];
        subscriber.expect(&messages.concat()).await;
        let many: Vec<String> = (0..1000).map(|n| format!("PUBLISH old {n}\r\n")).collect();
        publisher.send(many.concat().as_bytes()).await;
        for n in 0..1000 {
            subscriber.expect(&array(&["message", "old", &n.to_string()])).await;
            publisher.expect(":1\r\n").await;
        }
    });
}

#[test]
fn ends_of_subscriptions_are_confirmed_one_by_one() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        let none = "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n";
        client.line("UNSUBSCRIBE", none).await;
        client.line("PUNSUBSCRIBE a", &array(&["punsubscribe", "a", ":0"])).await;
        client.line("SUBSCRIBE b", &array(&["subscribe", "b", ":1"])).await;
        client.line("SUBSCRIBE b", &array(&["subscribe", "b", ":1"])).await;
        client.line("SUBSCRIBE a", &array(&["subscribe", "a", ":2"])).await;
        client.line("SSUBSCRIBE s", &array(&["ssubscribe", "s", ":1"])).await;
        let ends = [array(&["unsubscribe", "a", ":1"]), array(&["unsubscribe", "b", ":0"])];
        client.line("UNSUBSCRIBE", &ends.concat()).await;
        client.line("PUNSUBSCRIBE", "*3\r\n$12\r\npunsubscribe\r\n$-1\r\n:0\r\n").await;
        // It still listens to the channel of the shard.
        client.line("PING", &array(&["pong", ""])).await;
        client.line("SUNSUBSCRIBE s", &array(&["sunsubscribe", "s", ":0"])).await;
        client.line("PING", "+PONG\r\n").await;
        client.line("PUBSUB CHANNELS", "*0\r\n").await;
    });
}

#[test]
fn a_subscriber_in_resp2_may_do_little_else() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.line("SUBSCRIBE a", &array(&["subscribe", "a", ":1"])).await;
        for (line, name) in [
            ("GET a", "get"),
            ("config GET maxclients", "config|get"),
            ("HELLO 3", "hello"),
            ("PUBLISH a b", "publish"),
        ] {
            let error = format!(
                "-ERR Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context\r\n"
            );
            client.line(line, &error).await;
        }
        client.line("PING", &array(&["pong", ""])).await;
        client.line("PING hi", &array(&["pong", "hi"])).await;
        client.line("PING a b", "-ERR wrong number of arguments for 'ping' command\r\n").await;
        client.line("RESET", "+RESET\r\n").await;
        client.line("GET a", "$-1\r\n").await;
        client.line("PUBSUB NUMSUB a", "*2\r\n$1\r\na\r\n:0\r\n").await;
        client.line("SUBSCRIBE a", &array(&["subscribe", "a", ":1"])).await;
        client.line("QUIT", "+OK\r\n").await;
    });
}

#[test]
fn in_resp3_messages_are_pushed_between_replies() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.send(b"HELLO 3\r\n").await;
        client.send(b"SET a 1\r\n").await;
        while client.some_line().await != "+OK" {}
        client.line("SUBSCRIBE a", &push(&["subscribe", "a", ":1"])).await;
        client.line("GET a", "$1\r\n1\r\n").await;
        // A message to itself precedes the reply, as in Redis.
        let own = [push(&["message", "a", "x"]), ":1\r\n".to_owned()].concat();
        client.line("PUBLISH a x", &own).await;
        client.line("UNSUBSCRIBE b", &push(&["unsubscribe", "b", ":1"])).await;
        client.line("PUNSUBSCRIBE", ">3\r\n$12\r\npunsubscribe\r\n_\r\n:1\r\n").await;
        client.line("PING", "+PONG\r\n").await;
        // Messages come even to those who want no replies.
        client.send(b"CLIENT REPLY OFF\r\nPUBLISH a y\r\nSUBSCRIBE b\r\n").await;
        let mut publisher = Client::connect(&shared).await;
        client.expect(&push(&["subscribe", "b", ":2"])).await;
        publisher.line("PUBLISH b z", ":1\r\n").await;
        client.expect(&push(&["message", "b", "z"])).await;
    });
}

#[test]
fn pubsub_tells_who_listens_to_what() {
    with_node(&[], async |shared| {
        let mut subscribers = Vec::new();
        for line in ["SUBSCRIBE a b", "SUBSCRIBE b", "PSUBSCRIBE x* y*", "SSUBSCRIBE s"] {
            let mut client = Client::connect(&shared).await;
            client.send(format!("{line}\r\n").as_bytes()).await;
            let words = line.split(' ').count() - 1;
            for _ in 0..words * 6 {
                client.some_line().await;
            }
            subscribers.push(client);
        }
        let mut client = Client::connect(&shared).await;
        client.line("PUBSUB CHANNELS", "*2\r\n$1\r\na\r\n$1\r\nb\r\n").await;
        client.line("PUBSUB CHANNELS [b-z]", "*1\r\n$1\r\nb\r\n").await;
        client.line("PUBSUB NUMSUB b c", "*4\r\n$1\r\nb\r\n:2\r\n$1\r\nc\r\n:0\r\n").await;
        client.line("PUBSUB NUMSUB", "*0\r\n").await;
        client.line("PUBSUB NUMPAT", ":2\r\n").await;
        client.line("PUBSUB SHARDCHANNELS", "*1\r\n$1\r\ns\r\n").await;
        client.line("PUBSUB SHARDNUMSUB s", "*2\r\n$1\r\ns\r\n:1\r\n").await;
        client.line("PUBSUB FOO", "-ERR unknown subcommand 'FOO'. Try PUBSUB HELP.\r\n").await;
        let wrong = "-ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP.\r\n";
        client.line("PUBSUB CHANNELS a b", wrong).await;
        client.send(b"INFO stats\r\n").await;
        let info = client.bulk().await;
        for field in ["pubsub_channels:2", "pubsub_patterns:2", "pubsubshard_channels:1"] {
            assert!(info.contains(&format!("{field}\r\n")), "{info}");
        }
        client.send(b"CLIENT LIST TYPE pubsub\r\n").await;
        let list = client.bulk().await;
        let fields = ["sub=2 psub=0 ssub=0", "sub=1 psub=0", "sub=0 psub=2", "psub=0 ssub=1"];
        assert_eq!(list.lines().count(), 4, "{list}");
        for (line, fields) in list.lines().zip(fields) {
            assert!(line.contains(fields) && line.contains(" flags=P "), "{line}");
        }
        // When they go, so do their subscriptions.
        client.line("CLIENT KILL TYPE pubsub", ":4\r\n").await;
        for subscriber in subscribers {
            subscriber.end().await;
        }
        client.line("PUBSUB CHANNELS", "*0\r\n").await;
        client.line("PUBSUB NUMPAT", ":0\r\n").await;
    });
}

#[test]
fn a_subscriber_that_does_not_read_is_cut_off() {
    let flags = ["--client-output-buffer-limit", "pubsub 1mb 0 0"];
    with_node(&flags, async |shared| {
        let mut lazy = Client::connect(&shared).await;
        let mut keen = Client::connect(&shared).await;
        for client in [&mut lazy, &mut keen] {
            client.line("SUBSCRIBE a", &array(&["subscribe", "a", ":1"])).await;
        }
        let mut publisher = Client::connect(&shared).await;
        let payload = "x".repeat(200_000);
        let message = array(&["message", "a", &payload]);
        let mut receivers = 2;
        // A socket takes some megabytes before it is full.
        for _ in 0..2000 {
            publisher.send(array(&["PUBLISH", "a", &payload]).as_bytes()).await;
            keen.expect(&message).await;
            receivers = publisher.some_line().await[1..].parse().expect("a count");
            if receivers == 1 {
                break;
            }
        }
        assert_eq!(receivers, 1, "nobody was cut off");
        publisher.line("PUBSUB NUMSUB a", "*2\r\n$1\r\na\r\n:1\r\n").await;
    });
}

#[test]
fn channels_of_a_shard_go_where_their_slots_are() {
    with_node(&[], async |shared| {
        let mut subscriber = Client::connect(&shared).await;
        let mut publisher = Client::connect(&shared).await;
        // Once it has written, the node has heard what its own topology says.
        publisher.line("SET bar 1", "+OK\r\n").await;
        // foo is in slot 12182, bar in 5061.
        shared.set_routes(Rc::new(Border(6000)));
        let crossing = "-CROSSSLOT Keys in request don't hash to the same slot\r\n";
        let moved = "-MOVED 12182 10.0.0.9:7009\r\n";
        subscriber.line("SSUBSCRIBE bar foo", crossing).await;
        subscriber.line("SSUBSCRIBE foo", moved).await;
        let confirmed =
            [array(&["ssubscribe", "bar", ":1"]), array(&["ssubscribe", "{bar}1", ":2"])];
        subscriber.line("SSUBSCRIBE bar {bar}1", &confirmed.concat()).await;
        publisher.line("SPUBLISH foo 1", moved).await;
        publisher.line("SPUBLISH bar 1", ":1\r\n").await;
        publisher.line("PUBLISH bar 2", ":0\r\n").await;
        publisher.line("SPUBLISH {bar}1 3", ":1\r\n").await;
        let messages = [array(&["smessage", "bar", "1"]), array(&["smessage", "{bar}1", "3"])];
        subscriber.expect(&messages.concat()).await;
        // A channel of the whole cluster has no slot.
        publisher.line("PUBLISH foo 1", ":0\r\n").await;
        shared.set_routes(Rc::new(Border(5000)));
        let ends =
            [array(&["sunsubscribe", "bar", ":1"]), array(&["sunsubscribe", "{bar}1", ":0"])];
        subscriber.expect(&ends.concat()).await;
        subscriber.line("PING", "+PONG\r\n").await;
    });
}
