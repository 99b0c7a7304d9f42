//! What a client may send that is not quite a command, and what exactly comes back.
//!
//! The answers were taken from redis-server 7.0.15, and the same rows are put to one in the test.

/// What happens to the connection behind the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It goes on.
    Stays,
    /// The server closes it.
    Closes,
}

/// What is sent, what comes back, and what then.
pub type Row = (&'static [u8], &'static [u8], Then);

use Then::{Closes, Stays};

/// How requests are framed.
pub const FRAMES: &[Row] = &[
    (b"*1\r\n$4\r\nPING\r\n", b"+PONG\r\n", Stays),
    (b"*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n", b"+PONG\r\n+PONG\r\n", Stays),
    (b"*0\r\nPING\r\n", b"+PONG\r\n", Stays),
    (b"*-1\r\nPING\r\n", b"+PONG\r\n", Stays),
    (b"*-5\r\nPING\r\n", b"+PONG\r\n", Stays),
    // Whatever follows a bulk's bytes is taken for its line end.
    (b"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n", b"+PONG\r\n+PONG\r\n", Stays),
    (b"*1\r\n$0\r\n\r\n", b"-ERR unknown command '', with args beginning with: \r\n", Stays),
    (b"*x\r\n", b"-ERR Protocol error: invalid multibulk length\r\n", Closes),
    (b"*2147483648\r\n", b"-ERR Protocol error: invalid multibulk length\r\n", Closes),
    (b"*1\r\n:4\r\n", b"-ERR Protocol error: expected '$', got ':'\r\n", Closes),
    (b"*1\r\nPING\r\n", b"-ERR Protocol error: expected '$', got 'P'\r\n", Closes),
    (b"*1\r\n$x\r\n", b"-ERR Protocol error: invalid bulk length\r\n", Closes),
    (b"*1\r\n$-1\r\n", b"-ERR Protocol error: invalid bulk length\r\n", Closes),
    (b"*1\r\n$536870913\r\n", b"-ERR Protocol error: invalid bulk length\r\n", Closes),
    (
        b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$2147483647\r\n",
        b"-ERR Protocol error: invalid bulk length\r\n",
        Closes,
    ),
    (b"PING\r\n*1\r\n:4\r\n", b"+PONG\r\n-ERR Protocol error: expected '$', got ':'\r\n", Closes),
];

/// Requests in one line, without a frame.
pub const INLINE: &[Row] = &[
    (b"PING\r\n", b"+PONG\r\n", Stays),
    (b"PING\n", b"+PONG\r\n", Stays),
    (b"\r\nPING\r\n", b"+PONG\r\n", Stays),
    (b"  PING  hello \r\n", b"$5\r\nhello\r\n", Stays),
    (b"ECHO \"a b\"\r\n", b"$3\r\na b\r\n", Stays),
    (b"ECHO \"x\\x41\\n\"\r\n", b"$3\r\nxA\n\r\n", Stays),
    (b"ECHO 'it\\'s'\r\n", b"$4\r\nit's\r\n", Stays),
    (b"ECHO \"open\r\n", b"-ERR Protocol error: unbalanced quotes in request\r\n", Closes),
    (b"ECHO 'a'b\r\n", b"-ERR Protocol error: unbalanced quotes in request\r\n", Closes),
];

/// Commands that do not exist, and commands with too much or too little behind them.
pub const REFUSED: &[Row] = &[
    (b"foo\r\n", b"-ERR unknown command 'foo', with args beginning with: \r\n", Stays),
    (
        b"foo bar baz\r\n",
        b"-ERR unknown command 'foo', with args beginning with: 'bar' 'baz' \r\n",
        Stays,
    ),
    // An error is one line, whatever was sent.
    (
        b"*2\r\n$3\r\nfoo\r\n$3\r\na\r\n\r\n",
        b"-ERR unknown command 'foo', with args beginning with: 'a  ' \r\n",
        Stays,
    ),
    (b"GET\r\n", b"-ERR wrong number of arguments for 'get' command\r\n", Stays),
    (b"get a b\r\n", b"-ERR wrong number of arguments for 'get' command\r\n", Stays),
    (b"SET a\r\n", b"-ERR wrong number of arguments for 'set' command\r\n", Stays),
    (b"MSET a 1 b\r\n", b"-ERR wrong number of arguments for 'mset' command\r\n", Stays),
    (b"PING a b\r\n", b"-ERR wrong number of arguments for 'ping' command\r\n", Stays),
    (b"HSET h f\r\n", b"-ERR wrong number of arguments for 'hset' command\r\n", Stays),
    (b"OBJECT nope x\r\n", b"-ERR unknown subcommand 'nope'. Try OBJECT HELP.\r\n", Stays),
];

/// Commands whose arguments make no sense.
pub const ARGUMENTS: &[Row] = &[
    (b"SET a 1 EX\r\n", b"-ERR syntax error\r\n", Stays),
    (b"SET a 1 NX XX\r\n", b"-ERR syntax error\r\n", Stays),
    (b"SET a 1 EX 0\r\n", b"-ERR invalid expire time in 'set' command\r\n", Stays),
    (
        b"SET a 1 EX 9223372036854775807\r\n",
        b"-ERR invalid expire time in 'set' command\r\n",
        Stays,
    ),
    (b"SET a 1 EX x\r\n", b"-ERR value is not an integer or out of range\r\n", Stays),
    (b"EXISTS a\r\n", b":0\r\n", Stays),
    (
        b"SET s abc\r\nINCR s\r\nLPUSH s 1\r\nHGET s f\r\nGET s\r\n",
        b"+OK\r\n-ERR value is not an integer or out of range\r\n\
          -WRONGTYPE Operation against a key holding the wrong kind of value\r\n\
          -WRONGTYPE Operation against a key holding the wrong kind of value\r\n\
          $3\r\nabc\r\n",
        Stays,
    ),
    (
        b"SET n 9223372036854775807\r\nINCR n\r\nGET n\r\n",
        b"+OK\r\n-ERR increment or decrement would overflow\r\n$19\r\n9223372036854775807\r\n",
        Stays,
    ),
    (
        b"SELECT 16\r\nSELECT x\r\nSELECT 15\r\nDBSIZE\r\nSWAPDB 0 99\r\n",
        b"-ERR DB index is out of range\r\n-ERR value is not an integer or out of range\r\n\
          +OK\r\n:0\r\n-ERR DB index is out of range\r\n",
        Stays,
    ),
    (
        b"SETRANGE s -1 x\r\nSETRANGE s 536870912 x\r\nZADD z x a\r\nZADD z nx xx 1 a\r\n",
        b"-ERR offset is out of range\r\n\
          -ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n\
          -ERR value is not a valid float\r\n\
          -ERR XX and NX options at the same time are not compatible\r\n",
        Stays,
    ),
    (b"RENAME none a\r\n", b"-ERR no such key\r\n", Stays),
];

/// Greetings and passwords, on a server without one.
pub const GREETINGS: &[Row] = &[
    (b"HELLO 4\r\n", b"-NOPROTO unsupported protocol version\r\n", Stays),
    (b"HELLO x\r\n", b"-ERR Protocol version is not an integer or out of range\r\n", Stays),
    (b"HELLO 3 FOO\r\n", b"-ERR Syntax error in HELLO option 'FOO'\r\n", Stays),
    (b"HELLO 3 AUTH a\r\n", b"-ERR Syntax error in HELLO option 'AUTH'\r\n", Stays),
    (
        b"AUTH x\r\n",
        b"-ERR AUTH <password> called without any password configured for the default user. \
          Are you sure your configuration is correct?\r\n",
        Stays,
    ),
    (b"AUTH a b\r\n", b"-WRONGPASS invalid username-password pair or user is disabled.\r\n", Stays),
    (b"AUTH default x\r\n", b"+OK\r\n", Stays),
    (b"AUTH a b c\r\n", b"-ERR syntax error\r\n", Stays),
    (b"RESET\r\n", b"+RESET\r\n", Stays),
    (b"QUIT\r\nPING\r\n", b"+OK\r\n", Closes),
    // A browser that was talked into it.
    (b"POST / HTTP/1.1\r\nHost: x\r\n\r\n", b"", Closes),
    (b"Host: x\r\n", b"", Closes),
];

/// The same on a server whose password is `pw`.
pub const LOCKED: &[Row] = &[
    (b"PING\r\n", b"-NOAUTH Authentication required.\r\n", Stays),
    (b"foo\r\n", b"-ERR unknown command 'foo', with args beginning with: \r\n", Stays),
    (b"GET\r\n", b"-ERR wrong number of arguments for 'get' command\r\n", Stays),
    (b"AUTH x\r\n", b"-WRONGPASS invalid username-password pair or user is disabled.\r\n", Stays),
    (
        b"HELLO 3\r\n",
        b"-NOAUTH HELLO must be called with the client already authenticated, otherwise the \
          HELLO AUTH <user> <pass> option can be used to authenticate the client and select \
          the RESP protocol version at the same time\r\n",
        Stays,
    ),
    (b"AUTH pw\r\nPING\r\n", b"+OK\r\n+PONG\r\n", Stays),
    (
        b"AUTH default pw\r\nRESET\r\nPING\r\n",
        b"+OK\r\n+RESET\r\n-NOAUTH Authentication required.\r\n",
        Stays,
    ),
    (b"*11\r\n", b"-ERR Protocol error: unauthenticated multibulk length\r\n", Closes),
    (b"*1\r\n$16385\r\n", b"-ERR Protocol error: unauthenticated bulk length\r\n", Closes),
];
