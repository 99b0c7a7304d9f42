//! Every error text that the node itself answers with.
//!
//! The texts of data commands stand in the engine's `error.rs`. Where Redis has the situation, the
//! text is Redis's to the letter; the others are ours, and say in their comment what a client may
//! conclude.

use quoris_engine::CommandError;

macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub const $name: CommandError = CommandError::fixed($text);)*
    };
}

errors! {
    /// A command before `AUTH` where a password is required.
    NO_AUTH = "NOAUTH Authentication required.";
    /// A wrong user or password.
    WRONG_PASSWORD = "WRONGPASS invalid username-password pair or user is disabled.";
    /// `AUTH password` where no password is set.
    NO_PASSWORD_SET = "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?";
    /// `HELLO` with a version that is no number.
    PROTOCOL_NOT_INTEGER = "ERR Protocol version is not an integer or out of range";
    /// `HELLO` with a version that does not exist.
    UNSUPPORTED_PROTOCOL = "NOPROTO unsupported protocol version";
    /// `HELLO` on a connection that has yet to authenticate, without `AUTH`.
    HELLO_NO_AUTH = "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time";
    /// A client name with a blank or a control character in it.
    BAD_CLIENT_NAME = "ERR Client names cannot contain spaces, newlines or special characters.";
    /// Keys of different slots in one command, in a cluster of several shards.
    CROSS_SLOT = "CROSSSLOT Keys in request don't hash to the same slot";
    /// Nobody owns the slot, or no leader appeared in time. Nothing was executed: retry.
    CLUSTER_DOWN = "CLUSTERDOWN The cluster is down";
    /// Leadership was lost before the write reached any log, and the new leader is not known yet.
    /// Nothing was executed: retry.
    TRY_AGAIN = "TRYAGAIN The write was not accepted because leadership is changing hands";
    /// Leadership or the majority was lost while the write was under way. It may have been
    /// executed, or may yet be: a client that repeats it must be able to live with it happening twice.
    OUTCOME_UNKNOWN = "ERR outcome unknown: leadership or the majority was lost while this write was being replicated";
    /// Too many connections.
    MAX_CLIENTS = "ERR max number of clients reached";
    /// `CLUSTER …` with `cluster-enabled no`.
    CLUSTER_DISABLED = "ERR This instance has cluster support disabled";
    /// A stranger's connection while no password is set.
    PROTECTED = "DENIED Quoris is running in protected mode because protected mode is enabled and no password is set for the default user. In this mode connections are only accepted from the loopback interface. If you want to connect from external computers to Quoris you may adopt one of the following solutions: 1) Just disable protected mode sending the command 'CONFIG SET protected-mode no' from the loopback interface by connecting to Quoris from the same host the server is running, however MAKE SURE Quoris is not publicly accessible from internet if you do so. 2) Disable the protected mode by editing the configuration file, and setting the protected mode option to 'no', and then restarting the server. 3) If you started the server manually just for testing, restart it with the '--protected-mode no' option. 4) Setup a an authentication password for the default user. NOTE: You only need to do one of the above things in order for the server to start accepting connections from the outside.";
    /// `SAVE` and `BGSAVE` while a snapshot is taken.
    SAVING = "ERR Background save already in progress";
    /// `BGREWRITEAOF` twice.
    REWRITING = "ERR Background append only file rewriting already in progress";
    /// `BGSAVE` during `BGREWRITEAOF`.
    REWRITING_NOW = "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible.";
    /// `SAVE` on a node whose storage does not take a snapshot.
    SAVE_FAILED = "ERR the snapshot could not be taken, see the log";
    /// `MODULE LOAD` and its siblings: they are never enabled.
    NO_MODULES = "ERR MODULE command not allowed. If the enable-module-command option is set to \"local\", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.";
    /// `REPLICAOF` and `SLAVEOF` with `cluster-enabled yes`.
    REPLICAOF_IN_CLUSTER = "ERR REPLICAOF not allowed in cluster mode.";
    /// `FAILOVER` with `cluster-enabled yes`.
    FAILOVER_IN_CLUSTER = "ERR FAILOVER not allowed in cluster mode. Use CLUSTER FAILOVER command instead.";
    /// Commands of Redis's replication.
    NO_ASYNC_REPLICATION = "ERR nodes of a shard agree on its log over the bus and follow its elected leader: make a shard of several nodes with cluster-cli create";
    /// `ACL GENPASS` with a length that does not fit.
    PASSWORD_BITS = "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096";
    /// `ACL LOAD` and `ACL SAVE` without `aclfile`.
    NO_ACL_FILE = "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration.";
    /// `ACL SETUSER`.
    ONE_USER = "ERR there is one user, default, whose password is requirepass: users cannot be made or changed";
    /// `WAIT` and `WAITAOF` with a negative timeout.
    NEGATIVE_TIMEOUT = "ERR timeout is negative";
    /// A timeout that is no number.
    BAD_TIMEOUT = "ERR timeout is not an integer or out of range";
    /// A waiting client of a node that does not lead any more.
    UNBLOCKED_BY_LOSS = "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)";
    /// `CLIENT UNBLOCK … ERROR`.
    UNBLOCKED_BY_CLIENT = "UNBLOCKED client unblocked via CLIENT UNBLOCK";
    /// `CLIENT UNBLOCK` with another word.
    BAD_UNBLOCK = "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR";
    /// `MULTI` after `MULTI`.
    NESTED_MULTI = "ERR MULTI calls can not be nested";
    /// `EXEC` without `MULTI`.
    EXEC_WITHOUT_MULTI = "ERR EXEC without MULTI";
    /// `DISCARD` without `MULTI`.
    DISCARD_WITHOUT_MULTI = "ERR DISCARD without MULTI";
    /// `WATCH` after `MULTI`.
    WATCH_INSIDE_MULTI = "ERR WATCH inside MULTI is not allowed";
    /// A command that may not be queued.
    NO_MULTI = "ERR Command not allowed inside a transaction";
    /// `EXEC` after a command was refused.
    EXEC_ABORT = "EXECABORT Transaction discarded because of previous errors.";
    /// A command of the node that turned out to take time, inside `EXEC`.
    NOT_IN_EXEC = "ERR This command cannot be part of a transaction";
    /// `MONITOR` inside `EXEC`.
    MONITOR_DENIED = "ERR MONITOR isn't allowed for DENY BLOCKING client";
    /// `SSUBSCRIBE` inside `EXEC`, where its siblings are allowed.
    SSUBSCRIBE_DENIED = "ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client";
    /// A command while a script runs for long.
    BUSY_SCRIPT = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
    /// The same while a function does.
    BUSY_FUNCTION = "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.";
    /// A script that only read and ran for long, on a node that began or ceased to lead. Nothing
    /// was changed: retry.
    SCRIPT_ENDED = "TRYAGAIN The script was ended because leadership is changing hands";
    /// `SHUTDOWN ABORT` while nothing shuts down.
    NO_SHUTDOWN = "ERR No shutdown in progress.";
}

/// `EXECABORT …`: `EXEC` itself was refused.
pub fn exec_aborted(error: &CommandError) -> CommandError {
    let reason = error.as_str();
    let reason = reason.strip_prefix("ERR ").unwrap_or(reason);
    CommandError::text(format!("EXECABORT Transaction discarded because of: {reason}"))
}

/// `BUSY …`: a script has been running for long.
pub fn busy(is_function: bool) -> CommandError {
    if is_function { BUSY_FUNCTION } else { BUSY_SCRIPT }
}

/// `MOVED slot host:port`.
pub fn moved(slot: u16, host: &str, port: u16) -> CommandError {
    CommandError::text(format!("MOVED {slot} {host}:{port}"))
}
