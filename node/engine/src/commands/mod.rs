//! The data commands: one folder per family, one file per group of siblings.
//!
//! A file holds the declarations, the handlers under them, and nothing about data layout; the
//! script tests stand in `tests/scripts/<family>/`, named after the command.

mod bitmaps;
pub mod blocking;
mod decimal;
mod elements;
mod expiry_options;
mod functions;
mod geo;
mod hashes;
mod helping;
mod hyperloglogs;
mod keys;
mod lists;
mod options;
mod popping;
mod scanning;
mod scripts;
mod sets;
mod settings;
mod sorted_sets;
pub mod streams;
mod strings;

pub use self::keys::check_slots;
use crate::command::Command;

/// Every data command.
pub static FAMILIES: &[&[Command]] = &[
    bitmaps::COMMANDS,
    functions::COMMANDS,
    geo::COMMANDS,
    hashes::COMMANDS,
    hyperloglogs::COMMANDS,
    keys::COMMANDS,
    lists::COMMANDS,
    scripts::COMMANDS,
    settings::COMMANDS,
    sets::COMMANDS,
    sorted_sets::COMMANDS,
    streams::COMMANDS,
    strings::COMMANDS,
];
