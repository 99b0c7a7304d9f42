//! Where the tool writes. A reader that has gone away (`… | head`, a terminal
//! that was closed) is no failure, and must not keep `demo` from stopping its
//! nodes, so the standard macros, which panic then, are not used.

use std::{
    fmt::Display,
    io::{self, Write},
};

/// A line of the result.
pub fn say(line: impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Lines of the result that end where they should.
pub fn show(text: impl Display) {
    let _ = write!(io::stdout(), "{text}").and_then(|()| io::stdout().flush());
}

/// A line about what is going on.
pub fn tell(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
