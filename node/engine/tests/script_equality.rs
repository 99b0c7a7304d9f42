//! Replicas that ran the same scripts are the same.
//!
//! Random scripts run on engines that differ in everything that must not matter: one is replaced by
//! its restored snapshot at random moments, with a new interpreter; one has another hash seed; one
//! has run other scripts before, so that its interpreter holds other things.

mod support;

use std::fmt::Write as _;

use proptest::prelude::*;
use quoris_engine::Rng;
use quoris_script::LuaHost;
use support::reply::Reply;
use support::session::Session;

/// So that a loop without end takes a moment only.
const STEPS: u32 = 50_000;

/// Statements: `$k` is a key, `$n` a small number, `$e` an expression, `$b` a block.
const STATEMENTS: &[&str] = &[
    "redis.call('SET', '$k', $e)",
    "redis.pcall('INCRBY', '$k', $n)",
    "redis.pcall('RPUSH', '$k', $e, $n)",
    "redis.pcall('SADD', '$k', $n, $e, math.random(9))",
    "redis.pcall('ZADD', '$k', math.random(), $e)",
    "redis.pcall('HSET', '$k', $e, $n)",
    "r[#r + 1] = redis.pcall('SPOP', '$k')",
    "r[#r + 1] = redis.pcall('SRANDMEMBER', '$k', $n)",
    "r[#r + 1] = redis.pcall('HGETALL', '$k')",
    "r[#r + 1] = redis.pcall('SMEMBERS', '$k')",
    "r[#r + 1] = redis.pcall('ZRANGE', '$k', 0, -1, 'WITHSCORES')",
    "r[#r + 1] = redis.pcall('LRANGE', '$k', 0, -1)",
    "redis.pcall('EXPIRE', '$k', $n)",
    "redis.pcall('DEL', '$k')",
    "redis.setresp(3)",
    "r[#r + 1] = $e",
    "r[#r + 1] = cjson.encode(t)",
    "r[#r + 1] = cjson.decode(cjson.encode({a = $n, b = {$e}, [$e] = 1}))",
    "r[#r + 1] = cmsgpack.unpack(cmsgpack.pack({$n, $e, {x = $n}}))",
    "t[$e] = $e",
    "t[math.random(5)] = {$n, $e}",
    "for k, v in pairs(t) do r[#r + 1] = tostring(k) end",
    "for i = 1, $n do $b end",
    "if math.random(2) == 1 then $b else $b end",
    "r[#r + 1] = select(2, pcall(function() $b error('inside') end))",
    "local co = coroutine.wrap(function() $b coroutine.yield($e) $b end) r[#r + 1] = co() co()",
    "r[#r + 1] = (('a b c'):gsub('%a', function(c) return c .. $n end))",
    "table.sort(r, function(a, b) return tostring(a) < tostring(b) end)",
    "r[#r + 1] = {tostring({}), tostring(print), string.format('%.14g', math.random())}",
    "math.randomseed($n)",
    "error('stop')",
    "error({err = 'MY stop'})",
    "while true do $b end",
    "local s = 'x' while true do s = s .. s end",
    "undefined = 1",
];

const EXPRESSIONS: &[&str] = &[
    "'a'",
    "'b'",
    "ARGV[1]",
    "$n",
    "math.random(100)",
    "tostring($n)",
    "redis.sha1hex('$k')",
    "os.clock()",
    "('x'):rep($n)",
    "redis.call('TIME')[1]",
    "#r",
    "KEYS[1]",
];

/// A script, from a seed.
fn script(rng: &mut Rng) -> String {
    let mut text = "local r, t = {}, {} ".to_owned();
    for _ in 0..=rng.below(6) {
        statement(rng, &mut text, 0);
    }
    text.push_str(" return r");
    text
}

fn statement(rng: &mut Rng, text: &mut String, depth: u32) {
    // Those that end a script stand at the end of the list, and are rare.
    let count = if rng.below(12) == 0 { STATEMENTS.len() } else { STATEMENTS.len() - 5 };
    let form = STATEMENTS[rng.below(count)];
    expand(rng, form, text, depth);
    text.push(' ');
}

fn expand(rng: &mut Rng, form: &str, text: &mut String, depth: u32) {
    let mut pieces = form.split('$');
    text.push_str(pieces.next().expect("there is a first piece"));
    for piece in pieces {
        let (kind, rest) = piece.split_at(1);
        match kind {
            "k" => write!(text, "{{t}}{}", rng.below(4)).expect("memory"),
            "n" => write!(text, "{}", 1 + rng.below(5)).expect("memory"),
            "e" => {
                let form = EXPRESSIONS[rng.below(EXPRESSIONS.len())];
                expand(rng, form, text, depth);
            }
            _ if depth < 3 => statement(rng, text, depth + 1),
            _ => {}
        }
        text.push_str(rest);
    }
}

fn host(session: &mut Session) {
    session.engine.set_script_host(Box::new(LuaHost::new().with_budget(STEPS)));
}

fn run(session: &mut Session, script: &str) -> Reply {
    session.words(&[b"EVAL", script.as_bytes(), b"1", b"{t}0", b"argument"])
}

/// What is drawn from everything that is there.
fn choices(session: &mut Session) -> Vec<Reply> {
    let drawn = "local r = {} for i = 0, 3 do for _, c in ipairs{'SPOP', 'SRANDMEMBER', 'HRANDFIELD', \
        'ZRANDMEMBER', 'LPOP'} do r[#r + 1] = redis.pcall(c, '{t}' .. i) end end \
        r[#r + 1] = redis.call('RANDOMKEY') return r";
    (0..5).map(|_| run(session, drawn)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 12,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn scripts_do_the_same_wherever_they_run(
        seeds in proptest::collection::vec((any::<u64>(), any::<bool>(), 0..3000_u64), 1..12),
    ) {
        let mut replicas = [Session::new(7), Session::new(7), Session::new(8), Session::new(7)];
        replicas.iter_mut().for_each(host);
        // The last one's interpreter has a past, of which nothing is in the data.
        for past in ["return ('x'):rep(1e6)", "local t = {} for i = 1, 1e4 do t[i] = 'k' .. i end"] {
            replicas[3].words(&[b"EVAL_RO", past.as_bytes(), b"0"]);
        }
        replicas[3].seed = 1;
        for (seed, is_restart, pause_ms) in seeds {
            let script = script(&mut Rng::new(seed));
            if is_restart {
                replicas[1].restart();
                host(&mut replicas[1]);
            }
            let mut replies = Vec::new();
            for replica in &mut replicas {
                replica.now_ms += pause_ms;
                replies.push(run(replica, &script));
            }
            prop_assert_eq!(&replies[1], &replies[0], "after a restart: {}", &script);
            prop_assert_eq!(&replies[2], &replies[0], "another seed: {}", &script);
            prop_assert_eq!(&replies[3], &replies[0], "another past: {}", &script);
            let digest = replicas[0].engine.digest();
            for replica in &replicas {
                prop_assert_eq!(replica.engine.digest(), digest, "{}", &script);
            }
        }
        let expected = choices(&mut replicas[0]);
        prop_assert_eq!(&choices(&mut replicas[1]), &expected);
        prop_assert_eq!(&choices(&mut replicas[3]), &expected);
        prop_assert_eq!(replicas[1].engine.digest(), replicas[0].engine.digest());
    }
}
