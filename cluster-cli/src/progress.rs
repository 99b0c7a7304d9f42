//! Says how far a command is: a spinner on a terminal, plain lines elsewhere,
//! nothing when the result is JSON. Always on standard error.

use std::{io::IsTerminal, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};

use crate::output::tell;

/// One running command's progress.
#[derive(Debug)]
pub enum Progress {
    /// A terminal.
    Spinner(ProgressBar),
    /// A file or a pipe; holds the last line, so that none is repeated.
    Lines(String),
    /// JSON was asked for.
    Quiet,
}

impl Progress {
    /// Progress to where standard error goes.
    pub fn new(quiet: bool) -> Self {
        if quiet {
            return Self::Quiet;
        }
        if !std::io::stderr().is_terminal() {
            return Self::Lines(String::new());
        }
        let style = ProgressStyle::with_template("{spinner} {msg}")
            .expect("the template names known fields");
        let bar = ProgressBar::new_spinner().with_style(style);
        bar.enable_steady_tick(Duration::from_millis(100));
        Self::Spinner(bar)
    }

    /// Shows what is being done now.
    pub fn step(&mut self, text: impl Into<String>) {
        let text = text.into();
        match self {
            Self::Spinner(bar) => bar.set_message(text),
            Self::Lines(last) if *last != text => {
                tell(&text);
                *last = text;
            }
            Self::Lines(_) | Self::Quiet => {}
        }
    }

    /// Leaves the line to whatever is printed next.
    pub fn finish(self) {
        drop(self);
    }
}

impl Drop for Progress {
    /// What is only of passing interest is wiped, after a failure too.
    fn drop(&mut self) {
        if let Self::Spinner(bar) = self {
            bar.finish_and_clear();
        }
    }
}
