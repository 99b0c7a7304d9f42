//! Encryption: not served yet, so that asking for it is refused.

use super::Group;
use crate::config::directive::{Directive, choice, flag, integer, text};

pub(super) const GROUP: Group = Group {
    title: "TLS",
    introduction: "Not available yet. A node that is told to encrypt refuses to start rather than to serve in the clear.",
    directives: DIRECTIVES,
};

const WHY: &str = "TLS is not available yet";
const UNUSED: &str = "TLS is not available yet, so that this has nothing to act on";
const PORT: (i64, i64) = (0, 65535);
const I32: (i64, i64) = (0, i32::MAX as i64);

const DIRECTIVES: &[Directive] = &[
    integer("tls-port", PORT, 0, "TCP port for encrypted connections.").refused(WHY),
    flag("tls-cluster", false, "Encrypt the bus between nodes.").refused(WHY),
    flag("tls-replication", false, "Encrypt replication.").refused(WHY),
    integer("cluster-announce-tls-port", PORT, 0, "Encrypted port that clients are told.")
        .refused(WHY),
    choice(
        "tls-auth-clients",
        &["no", "yes", "optional"],
        "yes",
        "Demand certificates of clients.",
    )
    .ignored(UNUSED),
    text("tls-cert-file", "", "Certificate of the server.").ignored(UNUSED),
    text("tls-key-file", "", "Private key of the server.").ignored(UNUSED),
    text("tls-key-file-pass", "", "Pass phrase of that key.").sensitive().ignored(UNUSED),
    text("tls-client-cert-file", "", "Certificate for connections to other nodes.").ignored(UNUSED),
    text("tls-client-key-file", "", "Private key for connections to other nodes.").ignored(UNUSED),
    text("tls-client-key-file-pass", "", "Pass phrase of that key.").sensitive().ignored(UNUSED),
    text("tls-dh-params-file", "", "Diffie-Hellman parameters.").ignored(UNUSED),
    text("tls-ca-cert-file", "", "Trusted certificates.").ignored(UNUSED),
    text("tls-ca-cert-dir", "", "Directory of trusted certificates.").ignored(UNUSED),
    text("tls-protocols", "", "Versions of TLS.").ignored(UNUSED),
    text("tls-ciphers", "", "Ciphers up to TLS 1.2.").ignored(UNUSED),
    text("tls-ciphersuites", "", "Cipher suites of TLS 1.3.").ignored(UNUSED),
    flag("tls-prefer-server-ciphers", false, "Prefer the server's order of ciphers.")
        .ignored(UNUSED),
    flag("tls-session-caching", true, "Resume sessions.").ignored(UNUSED),
    integer("tls-session-cache-size", I32, 20_480, "How many sessions are cached.").ignored(UNUSED),
    integer("tls-session-cache-timeout", I32, 300, "Seconds for which a session is cached.")
        .ignored(UNUSED),
];
