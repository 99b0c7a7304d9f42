//! The form that `HELP` has in every container.

use quoris_resp::Writer;

/// Answers `HELP`: the lines of the subcommands, in Redis's frame.
pub(super) fn write(reply: &mut Writer<'_>, container: &str, lines: &[&str]) {
    reply.array(lines.len() + 3);
    reply.simple(&format!("{container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    lines.iter().for_each(|line| reply.simple(line));
    reply.simple("HELP");
    reply.simple("    Prints this help.");
}

/// Redis's text for a subcommand that cannot make sense of its words.
pub(super) fn wrong_words(container: &str, word: &[u8]) -> quoris_engine::CommandError {
    let word = String::from_utf8_lossy(&word[..word.len().min(128)]);
    quoris_engine::CommandError::text(format!(
        "ERR unknown subcommand or wrong number of arguments for '{word}'. Try {container} HELP."
    ))
}
