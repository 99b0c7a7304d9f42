//! What has to hold whatever happens: one invariant a file, each with its source.

pub mod acknowledged_appends_survive;
pub mod groups_deliver_to_one;
pub mod locks_exclude;
pub mod money_is_conserved;
pub mod moves_keep_order;
pub mod queues_deliver_once;
pub mod registers_are_linearizable;
pub mod replicas_are_equal;
pub mod transactions_are_atomic;

use crate::history::Operation;

/// Checks every invariant that shows in the history of a run.
///
/// # Errors
/// The first violation, in words.
pub fn check(history: &[Operation]) -> Result<(), String> {
    registers_are_linearizable::check(history)?;
    acknowledged_appends_survive::check(history)?;
    transactions_are_atomic::check(history)?;
    money_is_conserved::check(history)?;
    locks_exclude::check(history)?;
    queues_deliver_once::check(history)?;
    moves_keep_order::check(history)?;
    groups_deliver_to_one::check(history)
}

/// The operations of each key, keys in order.
fn by_key(history: &[Operation]) -> Vec<(&str, Vec<&Operation>)> {
    let mut keys = std::collections::BTreeMap::<&str, Vec<&Operation>>::new();
    for operation in history {
        keys.entry(&operation.key).or_default().push(operation);
    }
    keys.into_iter().collect()
}
