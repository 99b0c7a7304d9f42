//! Snapshots that clients ask for, and what is told of them.

mod support;

use support::{Client, with_node};

/// A number in `INFO persistence`.
async fn field(client: &mut Client, name: &str) -> i64 {
    client.send(b"INFO persistence\r\n").await;
    let text = client.bulk().await;
    let value = text.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{name} in {text}"))
}

/// Waits until nothing is under way.
async fn idle(client: &mut Client) {
    while field(client, "rdb_bgsave_in_progress").await > 0
        || field(client, "aof_rewrite_in_progress").await > 0
    {
        tokio::task::yield_now().await;
    }
}

#[test]
fn save_answers_when_the_snapshot_is_there() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.line("SET a 1", "+OK\r\n").await;
        assert_eq!(field(&mut client, "rdb_saves").await, 0);
        assert_eq!(field(&mut client, "rdb_changes_since_last_save").await, 1);
        client.line("SAVE", "+OK\r\n").await;
        assert_eq!(field(&mut client, "rdb_saves").await, 1);
        assert_eq!(field(&mut client, "rdb_changes_since_last_save").await, 0);
        let index = field(&mut client, "quoris_snapshot_index").await;
        assert!(index > 0);
        client.line("SET a 2", "+OK\r\n").await;
        client.line("SAVE", "+OK\r\n").await;
        assert!(field(&mut client, "quoris_snapshot_index").await > index);
        // Nothing new: the one that is there will do.
        client.line("SAVE", "+OK\r\n").await;
        assert_eq!(field(&mut client, "rdb_saves").await, 3);
        client.line("GET a", "$1\r\n2\r\n").await;
    });
}

#[test]
fn one_snapshot_is_taken_at_a_time() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.line("SET a 1", "+OK\r\n").await;
        client.send(b"BGSAVE\r\nBGSAVE\r\nSAVE\r\nBGREWRITEAOF\r\n").await;
        client.expect("+Background saving started\r\n").await;
        client.expect("-ERR Background save already in progress\r\n").await;
        client.expect("-ERR Background save already in progress\r\n").await;
        client.expect("+Background append only file rewriting scheduled\r\n").await;
        idle(&mut client).await;
        assert_eq!(field(&mut client, "rdb_saves").await, 1);
        assert_eq!(field(&mut client, "aof_rewrites").await, 1);
        client.send(b"BGREWRITEAOF\r\nBGREWRITEAOF\r\nBGSAVE\r\nBGSAVE schedule\r\n").await;
        client.expect("+Background append only file rewriting started\r\n").await;
        client.expect("-ERR Background append only file rewriting already in progress\r\n").await;
        client.expect("-ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible.\r\n").await;
        client.expect("+Background saving scheduled\r\n").await;
        idle(&mut client).await;
        assert_eq!(field(&mut client, "rdb_saves").await, 2);
        assert_eq!(field(&mut client, "aof_rewrites").await, 2);
        client.line("BGSAVE now", "-ERR syntax error\r\n").await;
        client.line("SAVE now", "-ERR wrong number of arguments for 'save' command\r\n").await;
        client.line("MULTI", "+OK\r\n").await;
        client.line("SAVE", "-ERR Command not allowed inside a transaction\r\n").await;
        client.line("DISCARD", "+OK\r\n").await;
    });
}

#[test]
fn the_last_save_is_the_start_until_there_is_one() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        let started = (shared.started_ms / 1000) as i64;
        client.line("LASTSAVE", &format!(":{started}\r\n")).await;
        client.line("SAVE", "+OK\r\n").await;
        let saved = field(&mut client, "rdb_last_save_time").await;
        assert!(saved >= started);
        client.line("LASTSAVE", &format!(":{saved}\r\n")).await;
    });
}
