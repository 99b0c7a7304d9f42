//! The appends of one transaction (or script) to several lists happen at one moment: whoever reads
//! the lists in one transaction finds the same elements in the same order in all of them, and the
//! replies to the appends name the same length (promise 2 of the design).
//!
//! Source: the anomalies G1b (intermediate reads) and G-single (read skew) of Adya, "Weak
//! Consistency", MIT 1999, as lists show them in Kingsbury and Alvaro, "Elle", VLDB 2020.

use crate::history::{Operation, Told};

/// Checks every reply.
///
/// # Errors
/// The operation that saw half of a transaction.
pub fn check(history: &[Operation]) -> Result<(), String> {
    for operation in history {
        let is_whole = match &operation.told {
            Told::Lists(lists) => are_equal(lists),
            Told::Lengths(lengths) => are_equal(lengths),
            _ => true,
        };
        if !is_whole {
            return Err(format!("half of a transaction was seen: {operation:?}"));
        }
    }
    Ok(())
}

fn are_equal<T: PartialEq>(items: &[T]) -> bool {
    items.windows(2).all(|pair| pair[0] == pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Ask;

    fn told(told: Told) -> [Operation; 1] {
        let (client, key) = (0, "pair".into());
        [Operation { client, key, ask: Ask::ReadLists, called: 1, returned: 2, told }]
    }

    #[test]
    fn half_a_transaction_is_found() {
        assert!(check(&told(Told::Lists(vec![vec![1, 2], vec![1, 2]]))).is_ok());
        assert!(check(&told(Told::Lists(vec![vec![1, 2], vec![1]]))).is_err());
        assert!(check(&told(Told::Lengths(vec![3, 4]))).is_err());
    }

    #[test]
    fn another_order_is_found() {
        assert!(check(&told(Told::Lists(vec![vec![1, 2], vec![2, 1]]))).is_err());
    }
}
