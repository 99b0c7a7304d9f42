//! Text for people, derived from the table: `--help`, and the page `docs/configuration.md`.

use std::fmt::Write as _;

use super::directive::{Directive, Effect, Kind, When};
use super::table::{GROUPS, Group};
use super::value::print_memory;

const INTRODUCTION: &str = "\
# Configuration

A node reads `quoris.conf` (any name will do), then its command line, which wins:

    quoris-node quoris.conf --port 7000 --dir /var/lib/quoris

A file has one directive a line, as in Redis: a name, then words, quoted where they hold blanks. A
line that begins with `#` is a comment. `include other.conf` reads another file in that place, and
`include conf.d/*.conf` all that match. Bytes take the units `kb mb gb` (of 1024) and `k m g` (of
1000). A later line wins over an earlier one; a directive that does not exist is an error.

`CONFIG SET` changes what the tables below mark as *running*; `CONFIG REWRITE` puts the present
values into the file and keeps its order and comments.

This page is made from the declarations in `node/server/src/config/table`.
";

/// The reference page, in Markdown.
pub fn markdown() -> String {
    let mut page = String::from(INTRODUCTION);
    for group in GROUPS {
        let Group { title, introduction, .. } = group;
        let _ = write!(page, "\n## {title}\n\n{introduction}\n\n");
        page.push_str("| directive | value | default | may change | what it does |\n");
        page.push_str("|---|---|---|---|---|\n");
        for directive in group.directives {
            let cells = [
                names(directive),
                form(&directive.kind).replace('|', "\\|"),
                default(directive),
                when(directive.when).into(),
                summary(directive),
            ];
            let _ = writeln!(page, "| {} |", cells.join(" | "));
        }
    }
    page
}

/// What `--help` prints.
pub fn help() -> String {
    let mut text = String::from(
        "usage: quoris-node [quoris.conf] [--directive value ...]\n       \
         quoris-node --version | --help\n\n\
         Every directive of the file can be given on the command line, where it wins:\n",
    );
    for group in GROUPS {
        let applies = |directive: &&Directive| directive.effect == Effect::Applies;
        let mut directives = group.directives.iter().filter(applies).peekable();
        if directives.peek().is_some() {
            let _ = write!(text, "\n{}\n", group.title);
        }
        for directive in directives {
            let value = form(&directive.kind);
            let _ = writeln!(text, "  --{} {value}", directive.name);
            let default = default(directive).replace('`', "");
            let summary = directive.summary.replace('`', "");
            let _ = writeln!(text, "      {summary} Default: {default}.");
        }
    }
    text.push_str("\nOther directives of Redis are accepted without effect.\n");
    text
}

fn names(directive: &Directive) -> String {
    match directive.alias {
        Some(alias) => format!("`{}` (`{alias}`)", directive.name),
        None => format!("`{}`", directive.name),
    }
}

/// The form of a value, in words.
fn form(kind: &Kind) -> String {
    match *kind {
        Kind::Bool { .. } => "yes|no".into(),
        Kind::Integer { min, max, .. } | Kind::Clamped { min, max, .. } => range(min, max),
        Kind::Memory { min: 0, .. } | Kind::Memory { min: 1, .. } => "bytes".into(),
        Kind::Memory { min, .. } => format!("bytes, {} or more", print_memory(min)),
        Kind::MemoryOrPercent { .. } => "bytes or percent".into(),
        Kind::Octal { .. } => "octal number".into(),
        Kind::Choice { of, .. } | Kind::Choices { of, .. } => of.join("|"),
        Kind::Text { .. } => "text".into(),
        Kind::Words { .. } => "words".into(),
        Kind::BufferLimits => "class hard soft seconds".into(),
        Kind::KeyspaceEvents => "letters".into(),
    }
}

fn range(min: i64, max: i64) -> String {
    // The ends of the integer types mean "any".
    let open = max == i64::MAX || max == i64::from(i32::MAX) || max == i64::from(u32::MAX);
    match (open, min) {
        (true, ..=-2_147_483_648) => "integer".into(),
        (true, min) => format!("{min} or more"),
        (false, min) => format!("{min} to {max}"),
    }
}

fn default(directive: &Directive) -> String {
    let value = directive.default_value();
    let printed = match (&directive.kind, &value) {
        (Kind::Memory { .. }, super::Value::Number(bytes)) => print_memory(*bytes),
        _ => directive.print(&value),
    };
    if printed.is_empty() { "empty".into() } else { format!("`{printed}`") }
}

fn when(when: When) -> &'static str {
    match when {
        When::Running => "running",
        When::Starting => "starting",
        When::Protected => "running, if `enable-protected-configs` allows it",
    }
}

fn summary(directive: &Directive) -> String {
    match directive.effect {
        Effect::Applies => directive.summary.into(),
        Effect::Ignored(why) => format!("{} No effect: {why}.", directive.summary),
        Effect::Refused(why) => format!("{} Refused: {why}.", directive.summary),
    }
}

#[cfg(test)]
mod tests {
    /// `UPDATE_GOLDENFILES=1 cargo test -p quoris-server reference` brings the page up to date.
    #[test]
    fn the_page_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
        let page = super::markdown();
        if std::env::var_os("UPDATE_GOLDENFILES").is_some() {
            std::fs::write(path, &page).expect("write the page");
        }
        let kept = std::fs::read_to_string(path).expect("docs/configuration.md exists");
        assert!(kept == page, "docs/configuration.md is out of date: set UPDATE_GOLDENFILES=1");
    }
}
