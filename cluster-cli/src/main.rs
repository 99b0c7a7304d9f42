//! The binary `cluster-cli`: forms a Quoris cluster and looks after it.

fn main() {}
