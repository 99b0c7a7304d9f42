//! Asks before anything changes.

use std::io::{BufRead, IsTerminal};

use crate::{
    failure::{Failure, Outcome},
    output::tell,
};

/// Returns when the answer is yes; anything else is a refusal, and so is a
/// standard input on which nobody can answer.
pub fn confirm(question: &str, yes: bool) -> Outcome {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::refused("nobody can be asked here; add --yes to go ahead"));
    }
    tell(format_args!("{question} Type yes to go ahead."));
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    if read.is_ok() && answer.trim() == "yes" {
        Ok(())
    } else {
        Err(Failure::refused("nothing was changed"))
    }
}
