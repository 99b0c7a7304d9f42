//! `CONFIG GET` and `CONFIG SET`.

use crate::config::{Config, SetError};

fn set(config: &mut Config, pairs: &[(&str, &str)]) -> Result<Vec<&'static str>, String> {
    let pairs: Vec<(&[u8], &[u8])> =
        pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    match config.set(&pairs, false) {
        Ok(change) => Ok(change.changed.iter().map(|changed| changed.directive.name).collect()),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn a_change_names_what_changed() {
    let mut config = Config::default();
    let pairs = [("MAXMEMORY", "10mb"), ("timeout", "0"), ("hash-max-ziplist-entries", "3")];
    assert_eq!(set(&mut config, &pairs), Ok(vec!["maxmemory", "hash-max-listpack-entries"]));
    assert_eq!(config.maxmemory(), 10 << 20);
    assert_eq!(config.print("hash-max-listpack-entries").as_deref(), Some("3"));
    assert_eq!(set(&mut config, &[("maxmemory", "10240kb")]), Ok(vec![]), "the same value");
}

#[test]
fn all_are_set_or_none() {
    let mut config = Config::default();
    let before = config.get(["*"]);
    for pairs in [
        [("maxmemory", "1"), ("timeout", "x")],
        [("maxmemory", "1"), ("nonsense", "1")],
        [("maxmemory", "1"), ("port", "1")],
        [("maxmemory", "1"), ("Maxmemory", "2")],
        [("client-output-buffer-limit", "normal 1 1 1"), ("save", "x")],
    ] {
        set(&mut config, &pairs).expect_err("one is wrong");
        assert_eq!(config.get(["*"]), before, "{pairs:?}");
    }
}

#[test]
fn a_change_that_cannot_be_applied_is_undone() {
    let mut config = Config::default();
    let pairs: [(&[u8], &[u8]); 2] = [(b"maxclients", b"7"), (b"timeout", b"9")];
    let change = config.set(&pairs, false).expect("valid");
    assert!(change.includes("maxclients") && !change.includes("port"));
    config.undo(change);
    assert_eq!((config.maxclients(), config.timeout()), (10_000, None));
    assert_eq!(
        SetError::failed("maxclients", "too many").to_string(),
        "ERR CONFIG SET failed (possibly related to argument 'maxclients') - too many"
    );
}

#[test]
fn what_has_no_effect_is_kept_and_noticed() {
    let mut config = Config::default();
    let change = config.set(&[(b"save", b"60 1")], false).expect("valid");
    assert_eq!(change.notices.len(), 1);
    assert_eq!(config.print("save").as_deref(), Some("60 1"));
}

#[test]
fn protected_directives_need_permission() {
    let pair: [(&[u8], &[u8]); 1] = [(b"dbfilename", b"x.rdb")];
    for (permission, local, remote) in
        [("no", false, false), ("local", true, false), ("yes", true, true)]
    {
        let flags = ["--enable-protected-configs", permission];
        let config = Config::from_flags(&flags).expect("valid");
        assert_eq!(config.clone().set(&pair, true).is_ok(), local, "{permission}");
        assert_eq!(config.clone().set(&pair, false).is_ok(), remote, "{permission}");
    }
}

#[test]
fn patterns_find_names_once() {
    let config = Config::default();
    let names = |patterns: &[&str]| -> Vec<String> {
        config.get(patterns.iter().copied()).into_iter().map(|(name, _)| name).collect()
    };
    assert_eq!(
        names(&["maxmemory", "MAXMEM*"]),
        [
            "maxmemory",
            "maxmemory-policy",
            "maxmemory-samples",
            "maxmemory-eviction-tenacity",
            "maxmemory-clients",
        ]
    );
    assert_eq!(names(&["PORT", "port"]), ["PORT"], "as it was asked for");
    assert_eq!(names(&["*-ziplist-value"]).len(), 3, "aliases are names");
    assert!(names(&["nonsense", "non*"]).is_empty());
    assert!(names(&["*"]).len() > 200);
}
