//! Where clients connect, and who may.

use super::Group;
use crate::config::checks;
use crate::config::choices::Permission;
use crate::config::directive::{Directive, Kind, choice, flag, integer, special, text};

pub(super) const GROUP: Group = Group {
    title: "Network and access",
    introduction: "Where clients connect, and who may.",
    directives: DIRECTIVES,
};

const PORT: (i64, i64) = (0, 65535);
const I32: (i64, i64) = (0, i32::MAX as i64);

const DIRECTIVES: &[Directive] = &[
    integer("port", PORT, 6379, "TCP port on which clients are served.").at_start(),
    special(
        "bind",
        Kind::Words { default: &["*", "-::*"], check: checks::bind, accumulates: false },
        "Addresses to listen on; `*` is every one, and a `-` in front forgives an address that this machine does not have.",
    )
    .at_start(),
    integer("tcp-backlog", I32, 511, "How many connections may wait to be accepted.")
        .at_start()
        .ignored("1024 may wait, or as many as the kernel lets"),
    integer(
        "tcp-keepalive",
        I32,
        300,
        "Seconds of silence after which a client is probed; 0 for never.",
    ),
    integer(
        "timeout",
        I32,
        0,
        "Seconds of idleness after which a client is disconnected; 0 for never.",
    ),
    flag(
        "protected-mode",
        true,
        "Serve only clients on this machine while no password is set.",
    ),
    text(
        "requirepass",
        "",
        "Password that clients give with `AUTH` or `HELLO`; empty for none.",
    )
    .sensitive(),
    choice(
        "enable-debug-command",
        Permission::WORDS,
        "no",
        "Who may use `DEBUG`: nobody, everybody, or clients on this machine.",
    )
    .at_start(),
    choice(
        "enable-protected-configs",
        Permission::WORDS,
        "no",
        "Who may change protected directives with `CONFIG SET`.",
    )
    .at_start(),
    text("unixsocket", "", "Path of a socket in the file system.")
        .at_start()
        .refused("sockets in the file system are not served: use port"),
    special(
        "unixsocketperm",
        Kind::Octal { max: 0o777, default: 0 },
        "File mode of that socket.",
    )
    .at_start()
    .ignored("sockets in the file system are not served"),
    text("aclfile", "", "File with the users and what they may.")
        .at_start()
        .refused("users are not read from a file yet: use requirepass"),
];
