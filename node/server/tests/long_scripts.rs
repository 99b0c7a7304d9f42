//! Scripts that only read and do not end: what others are told, who can end them, and that nothing
//! happens to the data meanwhile.

mod support;

use std::rc::Rc;

use quoris_server::Shared;
use support::{Client, with_node};

const BUSY: &str =
    "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n";
const KILLED: &str = "-ERR Script killed by user with SCRIPT KILL... script: \
    694a5fe1ddb97a4c6a1bf299d9537c7d3d0f84e7, on @user_script:1.\r\n";
const ENDLESS: &[u8] = b"EVAL_RO \"while true do end\" 0\r\n";
const NOT_BUSY: &str = "-NOTBUSY No scripts in execution right now.\r\n";
/// Others are never told that a script is busy.
const PATIENT: &[&str] = &["--busy-reply-threshold", "0"];
/// They are at once.
const IMPATIENT: &[&str] = &["--busy-reply-threshold", "1"];

/// A client whose script has begun and does not end.
async fn endless(shared: &Rc<Shared>, script: &[u8]) -> Client {
    let mut client = Client::connect(shared).await;
    client.send(script).await;
    running(shared, true).await;
    client
}

/// Waits until a script runs, or none does.
async fn running(shared: &Shared, expected: bool) {
    while shared.is_running_script() != expected {
        tokio::task::yield_now().await;
    }
}

#[test]
fn others_are_told_that_a_script_is_busy_until_it_is_killed() {
    with_node(IMPATIENT, |shared| async move {
        let mut other = Client::connect(&shared).await;
        other.line("SET a 1", "+OK\r\n").await;
        other.line("SCRIPT KILL", NOT_BUSY).await;
        let mut client = endless(&shared, ENDLESS).await;
        for line in ["GET a", "SET a 2", "PING", "EVAL_RO \"return 1\" 0", "SHUTDOWN"] {
            other.line(line, BUSY).await;
        }
        other.line("GET", "-ERR wrong number of arguments for 'get' command\r\n").await;
        other.line("WATCH a", "+OK\r\n").await;
        other.line("MULTI", "+OK\r\n").await;
        other.line("GET a", BUSY).await;
        let aborted = format!("-EXECABORT Transaction discarded because of: {}", &BUSY[1..]);
        other.line("EXEC", &aborted).await;
        other.line("SCRIPT KILL", "+OK\r\n").await;
        client.expect(KILLED).await;
        other.line("SCRIPT KILL", NOT_BUSY).await;
        other.line("GET a", "$1\r\n1\r\n").await;
        client.line("EVAL_RO \"return redis.call('GET', KEYS[1])\" 1 a", "$1\r\n1\r\n").await;
    });
}

#[test]
fn until_it_is_busy_others_wait_for_their_turn() {
    with_node(PATIENT, |shared| async move {
        let (mut writer, mut reader) =
            (Client::connect(&shared).await, Client::connect(&shared).await);
        let mut client = endless(&shared, ENDLESS).await;
        writer.send(b"SET a 1\r\nGET a\r\n").await;
        reader.send(b"MULTI\r\nECHO x\r\nEXEC\r\n").await;
        reader.expect("+OK\r\n").await;
        let mut killer = Client::connect(&shared).await;
        killer.line("SCRIPT KILL", "+OK\r\n").await;
        client.expect(KILLED).await;
        writer.expect("+OK\r\n$1\r\n1\r\n").await;
        reader.expect("+QUEUED\r\n*1\r\n$1\r\nx\r\n").await;
    });
}

#[test]
fn nothing_that_a_script_does_survives_that_it_is_killed() {
    with_node(PATIENT, |shared| async move {
        for script in [
            "while true do pcall(function() while true do end end) end",
            "while true do coroutine.wrap(function() while true do end end)() end",
            "local t = setmetatable({}, {__index = function() while true do end end}) return t.x",
            "table.sort({1, 2, 3}, function() while true do end end)",
            "string.gsub('aaa', 'a', function() while true do end end)",
            "xpcall(function() error('x') end, function() while true do end end)",
        ] {
            let request = format!("EVAL_RO \"{script}\" 0\r\n");
            let mut client = endless(&shared, request.as_bytes()).await;
            let mut killer = Client::connect(&shared).await;
            killer.line("SCRIPT KILL", "+OK\r\n").await;
            let reply = client.some_line().await;
            assert!(reply.starts_with("-ERR Script killed by user"), "{script}: {reply}");
            assert!(reply.ends_with("on @user_script:1."), "{script}: {reply}");
            killer.line("EVAL_RO \"return 1\" 0", ":1\r\n").await;
        }
    });
}

#[test]
fn a_script_reads_one_state_however_long_it_takes() {
    with_node(PATIENT, |shared| async move {
        let mut writer = Client::connect(&shared).await;
        writer.line("SET n 0", "+OK\r\n").await;
        let script = "local n = redis.call('GET', 'n') \
            for i = 1, 20000000 do end \
            return {n == redis.call('GET', 'n'), redis.call('EXISTS', 'short')}";
        let request = format!("EVAL_RO \"{script}\" 0\r\n");
        // Some of the writes are on their way through the log when the script begins.
        let increments = "INCR n\r\n".repeat(1000);
        writer.send(format!("SET short 1 PX 1\r\n{increments}").as_bytes()).await;
        let mut client = endless(&shared, request.as_bytes()).await;
        writer.send(b"GET n\r\n").await;
        let reply = client.some_line().await;
        assert_eq!(reply, "*2");
        client.expect(":1\r\n").await;
        writer.expect("+OK\r\n").await;
        for n in 1..=1000 {
            writer.expect(&format!(":{n}\r\n")).await;
        }
        writer.expect("$4\r\n1000\r\n").await;
    });
}

#[test]
fn the_script_of_a_client_that_has_gone_is_ended() {
    with_node(PATIENT, |shared| async move {
        let client = endless(&shared, ENDLESS).await;
        let mut other = Client::connect(&shared).await;
        other.send(b"SET a 1\r\n").await;
        drop(client);
        other.expect("+OK\r\n").await;
        running(&shared, false).await;
    });
}

#[test]
fn a_pipeline_goes_on_behind_a_script() {
    with_node(PATIENT, |shared| async move {
        let pipeline = [&b"SET a 1\r\n"[..], ENDLESS, b"CLIENT REPLY SKIP\r\nPING\r\nGET a\r\n"];
        let mut client = endless(&shared, &pipeline.concat()).await;
        client.expect("+OK\r\n").await;
        let mut killer = Client::connect(&shared).await;
        killer.line("SCRIPT KILL", "+OK\r\n").await;
        client.expect(KILLED).await;
        client.expect("$1\r\n1\r\n").await;
    });
}

#[test]
fn a_node_stops_although_a_script_runs() {
    with_node(PATIENT, |shared| async move {
        let client = endless(&shared, ENDLESS).await;
        let mut other = Client::connect(&shared).await;
        other.send(b"SHUTDOWN NOSAVE\r\n").await;
        assert_eq!(other.end().await, "");
        client.end().await;
    });
}

#[test]
fn a_script_inside_a_transaction_or_an_entry_has_a_budget() {
    with_node(PATIENT, |shared| async move {
        let mut client = Client::connect(&shared).await;
        let ended = "ERR The script ran for more than 100000000 instructions and was ended script: \
            694a5fe1ddb97a4c6a1bf299d9537c7d3d0f84e7";
        client.line("EVAL \"while true do end\" 0", &format!("-{ended}\r\n")).await;
        client.send(b"MULTI\r\n").await;
        client.send(ENDLESS).await;
        client.line("EXEC", &format!("+OK\r\n+QUEUED\r\n*1\r\n-{ended}\r\n")).await;
    });
}

#[test]
fn a_function_that_only_reads_can_be_watched_and_killed() {
    with_node(IMPATIENT, |shared| async move {
        let mut other = Client::connect(&shared).await;
        let library = "#!lua name=lib\\nredis.register_function{function_name='endless', \
            callback=function() while true do end end, flags={'no-writes'}}";
        other.line(&format!("FUNCTION LOAD \"{library}\""), "$3\r\nlib\r\n").await;
        let mut client = endless(&shared, b"FCALL_RO endless 0\r\n").await;
        let busy = BUSY.replace("SCRIPT KILL", "FUNCTION KILL");
        other.line("FUNCTION LIST", &busy).await;
        other.line("SCRIPT KILL", &busy).await;
        let command = "$7\r\ncommand\r\n*3\r\n$8\r\nFCALL_RO\r\n$7\r\nendless\r\n$1\r\n0\r\n";
        let running = "*4\r\n$14\r\nrunning_script\r\n*6\r\n$4\r\nname\r\n$7\r\nendless\r\n";
        let expected = format!("{running}{command}$11\r\nduration_ms\r\n");
        other.line("FUNCTION STATS", &expected).await;
        assert!(other.some_line().await.starts_with(':'));
        let engines = "*4\r\n$15\r\nlibraries_count\r\n:1\r\n$15\r\nfunctions_count\r\n:1\r\n";
        let engines = format!("$7\r\nengines\r\n*2\r\n$3\r\nLUA\r\n{engines}");
        other.expect(&engines).await;
        other.line("FUNCTION KILL", "+OK\r\n").await;
        client
            .expect(
                "-ERR Script killed by user with FUNCTION KILL... script: endless, \
                on @user_function:2.\r\n",
            )
            .await;
        other.line("FUNCTION KILL", NOT_BUSY).await;
        other
            .line("FUNCTION STATS", &format!("*4\r\n$14\r\nrunning_script\r\n$-1\r\n{engines}"))
            .await;
        let mut eval = endless(&shared, ENDLESS).await;
        other.line("FUNCTION STATS", BUSY).await;
        other.line("FUNCTION KILL", BUSY).await;
        other.line("SCRIPT KILL", "+OK\r\n").await;
        eval.expect(KILLED).await;
    });
}

#[test]
fn what_states_that_it_never_writes_runs_as_a_read_whatever_it_is_called_with() {
    with_node(PATIENT, |shared| async move {
        let mut other = Client::connect(&shared).await;
        let script = "#!lua flags=no-writes\\nif #ARGV == 0 then while true do end end \
            return redis.call('INCR', 'a')";
        let refused = "-ERR Write commands are not allowed from read-only scripts. script: \
            5dafab82ab439233319cb86eb0934cdede1c58f9, on @user_script:2.\r\n";
        let sha = "5dafab82ab439233319cb86eb0934cdede1c58f9";
        let library = "#!lua name=lib\\nredis.register_function{function_name='endless', \
            callback=function() while true do end end, flags={'no-writes'}}";
        other.line(&format!("FUNCTION LOAD \"{library}\""), "$3\r\nlib\r\n").await;
        other.line(&format!("EVAL \"{script}\" 0 x"), refused).await;
        other.line(&format!("SCRIPT EXISTS {sha}"), "*1\r\n:1\r\n").await;
        for call in [format!("EVAL \"{script}\" 0\r\n"), format!("EVALSHA {sha} 0\r\n")] {
            let mut client = endless(&shared, call.as_bytes()).await;
            other.line("SCRIPT KILL", "+OK\r\n").await;
            let reply = client.some_line().await;
            assert!(reply.starts_with("-ERR Script killed by user with SCRIPT KILL"), "{reply}");
        }
        let mut client = endless(&shared, b"FCALL endless 0\r\n").await;
        other.line("FUNCTION KILL", "+OK\r\n").await;
        let reply = client.some_line().await;
        assert!(reply.starts_with("-ERR Script killed by user with FUNCTION KILL"), "{reply}");
        other.line("GET a", "$-1\r\n").await;
    });
}
