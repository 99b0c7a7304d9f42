//! Whatever a script does, it ends: with an error that says why, in the same place on every replica,
//! and the node unharmed.

mod support;

use quoris_script::LuaHost;
use support::session::Session;

/// The budget of these scripts, so that they do not take long to use it up.
const STEPS: u32 = 1_000_000;

const ENDED: &str = "(error) ERR The script ran for more than 1000000 instructions and was ended";
const MEMORY: &str = "(error) ERR The script needs more memory than a script may have";

/// An engine whose scripts have a small budget; `others` have run in it before.
fn session(hash_seed: u8, others: &[&str]) -> Session {
    let mut session = Session::new(hash_seed);
    session.engine.set_script_host(Box::new(LuaHost::new().with_budget(STEPS)));
    others.iter().for_each(|script| drop(run(&mut session, script)));
    session
}

fn run(session: &mut Session, script: &str) -> String {
    let reply = session.words(&[b"EVAL", script.as_bytes(), b"1", b"k"]);
    reply.render()
}

/// Runs scripts on replicas with different pasts. Each begins with a write that is counted.
fn check(scripts: &[(&str, &str)]) {
    let mut replicas = [
        session(7, &[]),
        session(7, &["return string.rep('x', 1000000)", "return cjson.decode('[[1]]')[1]"]),
    ];
    for (script, beginning) in scripts {
        let script = format!("redis.call('INCR', 'n') {script}");
        let replies: Vec<String> =
            replicas.iter_mut().map(|replica| run(replica, &script)).collect();
        let shown = &replies[0][..replies[0].len().min(200)];
        assert!(replies[0].starts_with(beginning), "{script}: {shown}");
        assert_eq!(replies[0], replies[1], "{script}");
    }
    for replica in &mut replicas {
        let count = replica.words(&[b"GET", b"n"]).render();
        assert_eq!(count.trim_end(), format!("\"{}\"", scripts.len()), "each has written once");
        assert_eq!(run(replica, "return 'unharmed'").trim_end(), "\"unharmed\"");
    }
}

#[test]
fn patterns_that_take_for_ever_use_up_the_budget() {
    check(&[
        ("return string.find(('a'):rep(5000), '.-.-.-.-.-b')", ENDED),
        ("return string.match(('a'):rep(5000), ('a*'):rep(20) .. 'b')", ENDED),
        ("return string.gsub(('a'):rep(5000), '(.-)(.-)(.-)b', '%1')", ENDED),
        ("return string.gsub(('a'):rep(5000), '.-.-.-b', function() end)", ENDED),
        ("for w in string.gmatch(('('):rep(20000), '%b()') do end", ENDED),
        ("return pcall(string.find, ('a'):rep(5000), '.-.-.-.-.-b')", ENDED),
        (
            "return string.find(('a'):rep(1000), ('a?'):rep(1000))",
            "(error) ERR user_script:1: pattern too complex",
        ),
    ]);
}

#[test]
fn much_work_in_one_instruction_counts() {
    let filled = "local t = {} for i = 1, 10000 do t[i] = i end ";
    let long = "local s = ('x'):rep(1000000) ";
    let scripts = [
        "while true do table.concat(t) end",
        "while true do table.insert(t, 1, 1) table.remove(t, 1) end",
        "while true do table.sort(t) end",
        "while true do table.maxn(t) end",
        "while true do unpack(t, 1, 5000) end",
        "while true do s:upper() end",
        "while true do string.format('%s', s) end",
        "while true do string.find(s, 'y', 1, true) end",
        "while true do redis.sha1hex(s) end",
        "while true do cjson.encode(s) end",
        "while true do cmsgpack.pack(s) end",
        "while true do tonumber(s) end",
        "while true do loadstring('return 1 -- ' .. s) end",
        "while true do redis.call('ECHO', s) end",
        "return table.insert({}, -1e15, 1)",
    ];
    let scripts: Vec<String> = scripts.iter().map(|s| format!("{filled}{long}{s}")).collect();
    let scripts: Vec<(&str, &str)> = scripts.iter().map(|s| (s.as_str(), ENDED)).collect();
    check(&scripts);
}

#[test]
fn tables_in_tables_are_said_as_far_as_there_is_room() {
    check(&[
        ("local t = {} for i = 1, 999 do t = {t} end return #cjson.encode(t)", "(integer) 2000"),
        (
            "local t = {} t[1] = t return cjson.encode(t)",
            "(error) ERR user_script:1: Cannot serialise, excessive nesting (1001)",
        ),
        (
            "local s = ('['):rep(1000) .. (']'):rep(1000) return #cjson.encode(cjson.decode(s))",
            "(integer) 2000",
        ),
        (
            "return cjson.decode(('['):rep(1001))",
            "(error) ERR user_script:1: Found too many nested data structures (1001)",
        ),
        (
            "return cmsgpack.unpack(('\\145'):rep(100000))",
            "(error) ERR user_script:1: Bad data format in input.",
        ),
        ("local t = {1} for i = 1, 60 do t = {t, t} end return #cjson.encode(t)", ENDED),
        ("local t = {1} for i = 1, 15 do t = {t, t, t, t, t} end return #cmsgpack.pack(t)", ENDED),
        ("local t = {1} for i = 1, 60 do t = {t, t} end return t", ENDED),
        ("local t = {('x'):rep(1000000)} for i = 1, 60 do t = {t, t} end return t", MEMORY),
        ("local t = {} for i = 1, 129 do t = {t} end return t", "(error) ERR reached lua stack"),
    ]);
}

#[test]
fn calls_go_only_so_deep() {
    check(&[
        ("local function f() pcall(f) end f() return 1", "(integer) 1"),
        ("local function f() return coroutine.wrap(f)() end return f()", "(error) ERR user_script"),
        (
            "local t = setmetatable({}, {__index = function(t, k) return t[k] end}) return t.x",
            "(error) ERR user_script:1: C stack overflow",
        ),
        (
            "local t = setmetatable({}, {__tostring = function(t) return tostring(t) end}) \
             return tostring(t)",
            "(error) ERR C stack overflow",
        ),
        ("local function f(s) return s:gsub('.', f) end return f('a')", "(error) ERR C stack"),
        ("return loadstring(('('):rep(1000)) == nil", "(integer) 1"),
        ("while true do pcall(error, 'again') end", ENDED),
        ("while true do coroutine.wrap(function() coroutine.yield() end)() end", ENDED),
        ("return coroutine.yield(1)", "(error) ERR attempt to yield across"),
        ("return string.dump(tostring)", "(error) ERR user_script:1: attempt to call field 'dump'"),
        ("return loadstring('\\27Lua') == nil", "(integer) 1"),
    ]);
}

#[test]
fn memory_is_bounded() {
    check(&[
        ("local s = 'x' while true do s = s .. s end", MEMORY),
        ("local s = ('x'):rep(60000000) return redis.call('SET', 'a', s, s, s, s, s)", MEMORY),
        ("return string.rep('ab', 2 ^ 40)", "(error) ERR user_script:1: not enough memory"),
    ]);
}
