//! One node as a process: what it says on the wire, what it remembers, and how Redis's own tools
//! get on with it.

mod functions;
mod migrate;
mod notifications;
mod persistence;
mod protocol;
mod rows;
mod settings;
mod shown;
mod tools;
mod waiting;
