//! The Lua host, behind a trait of the engine. Nothing is here yet: scripts and
//! functions are answered as unknown commands until it is.
