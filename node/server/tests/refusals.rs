//! Commands of Redis that say no, or that have nothing to tell.

mod support;

use support::{Client, with_node};

/// Sends each request, and compares the answers.
async fn check(client: &mut Client, table: &[(&str, &str)]) {
    for (request, expected) in table {
        client.line(request, &format!("{expected}\r\n")).await;
    }
}

#[test]
fn nobody_is_made_to_follow() {
    const NO_REPLICATION: &str = "-ERR nodes of a shard agree on its log over the bus and follow its elected leader: make a shard of several nodes with cluster-cli create";
    const IN_CLUSTER: &str = "-ERR REPLICAOF not allowed in cluster mode.";
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        check(
            &mut client,
            &[
                ("REPLICAOF NO ONE", IN_CLUSTER),
                ("SLAVEOF 127.0.0.1 6379", IN_CLUSTER),
                ("REPLICAOF x", "-ERR wrong number of arguments for 'replicaof' command"),
                (
                    "FAILOVER",
                    "-ERR FAILOVER not allowed in cluster mode. Use CLUSTER FAILOVER command instead.",
                ),
                ("SYNC", NO_REPLICATION),
                ("PSYNC ? -1", NO_REPLICATION),
                ("REPLCONF listening-port 1", NO_REPLICATION),
            ],
        )
        .await;
    });
    with_node(&["--cluster-enabled", "no"], async |shared| {
        let mut client = Client::connect(&shared).await;
        check(
            &mut client,
            &[
                ("REPLICAOF no one", "+OK"),
                ("REPLICAOF 127.0.0.1 6379", NO_REPLICATION),
                ("FAILOVER", "-ERR FAILOVER requires connected replicas."),
                ("FAILOVER ABORT", "-ERR No failover in progress."),
                ("FAILOVER foo", "-ERR syntax error"),
            ],
        )
        .await;
    });
}

#[test]
fn there_are_no_modules() {
    const REFUSED: &str = "-ERR MODULE command not allowed. If the enable-module-command option is set to \"local\", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.";
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        check(
            &mut client,
            &[
                ("MODULE LIST", "*0"),
                ("MODULE LOAD /tmp/x.so", REFUSED),
                ("MODULE LOADEX /tmp/x.so ARGS 1", REFUSED),
                ("MODULE UNLOAD x", REFUSED),
                ("MODULE foo", "-ERR unknown subcommand 'foo'. Try MODULE HELP."),
                ("MEMORY MALLOC-STATS", "$45\r\nStats not supported for the current allocator"),
            ],
        )
        .await;
    });
}

#[test]
fn there_is_one_user() {
    const NO_FILE: &str = "-ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration.";
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        check(
            &mut client,
            &[
                ("ACL WHOAMI", "$7\r\ndefault"),
                ("ACL USERS", "*1\r\n$7\r\ndefault"),
                ("ACL LIST", "*1\r\n$34\r\nuser default on nopass ~* &* +@all"),
                ("ACL GETUSER alice", "*-1"),
                (
                    "ACL GETUSER default",
                    "*12\r\n$5\r\nflags\r\n*2\r\n$2\r\non\r\n$6\r\nnopass\r\n$9\r\npasswords\r\n*0\r\n$8\r\ncommands\r\n$5\r\n+@all\r\n$4\r\nkeys\r\n$2\r\n~*\r\n$8\r\nchannels\r\n$2\r\n&*\r\n$9\r\nselectors\r\n*0",
                ),
                (
                    "ACL SETUSER alice on",
                    "-ERR there is one user, default, whose password is requirepass: users cannot be made or changed",
                ),
                ("ACL DELUSER default", "-ERR The 'default' user cannot be removed"),
                ("ACL DELUSER alice", ":0"),
                ("ACL DRYRUN default get a", "+OK"),
                ("ACL DRYRUN default client id", "+OK"),
                ("ACL DRYRUN default get", "-ERR wrong number of arguments for 'get' command"),
                ("ACL DRYRUN alice get a", "-ERR User 'alice' not found"),
                ("ACL DRYRUN default nosuch", "-ERR Command 'nosuch' not found"),
                ("ACL CAT nosuch", "-ERR Unknown category 'nosuch'"),
                ("ACL GENPASS 0", "-ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096"),
                ("ACL GENPASS x", "-ERR value is not an integer or out of range"),
                ("ACL LOG", "*0"),
                ("ACL LOG 3", "*0"),
                ("ACL LOG RESET", "+OK"),
                ("ACL SAVE", NO_FILE),
                ("ACL LOAD", NO_FILE),
            ],
        )
        .await;
        client.send(b"ACL GENPASS\r\nACL GENPASS 5\r\n").await;
        let (long, short) = (client.bulk().await, client.bulk().await);
        assert_eq!((long.len(), short.len()), (64, 2));
        assert!(long.bytes().all(|digit| digit.is_ascii_hexdigit()), "{long}");
    });
}

#[test]
fn the_password_of_the_only_user_shows_as_its_digest() {
    with_node(&["--requirepass", "secret"], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.line("ACL WHOAMI", "-NOAUTH Authentication required.\r\n").await;
        client.line("AUTH secret", "+OK\r\n").await;
        client.send(b"ACL LIST\r\n").await;
        client.expect("*1\r\n").await;
        let digest = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
        assert_eq!(client.bulk().await, format!("user default on #{digest} ~* &* +@all"));
    });
}

#[test]
fn a_category_is_the_commands_that_say_they_are_in_it() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.send(b"ACL CAT\r\n").await;
        client.expect("*21\r\n").await;
        for _ in 0..21 {
            client.bulk().await;
        }
        client.send(b"ACL CAT hyperloglog\r\n").await;
        client.expect("*5\r\n").await;
        let mut names = Vec::new();
        for _ in 0..5 {
            names.push(client.bulk().await);
        }
        names.sort();
        assert_eq!(names, ["pfadd", "pfcount", "pfdebug", "pfmerge", "pfselftest"]);
    });
}
