//! What the `HELP` subcommands have in common.

use quoris_resp::Writer;

use crate::error::Result;
use crate::spec::{Flags, Group, Spec};

/// The declaration of a container's `HELP`.
pub const fn spec(group: Group, since: &'static str) -> Spec {
    Spec::new("help", group, since, "Lists the subcommands.")
        .sub_args(&[])
        .flags(Flags::LOADING.or(Flags::STALE))
}

/// Answers with the lines of a help text.
///
/// # Errors
/// None.
pub fn write(reply: &mut Writer<'_>, text: &[&str]) -> Result {
    reply.array(text.len());
    text.iter().for_each(|line| reply.simple(line));
    Ok(())
}
