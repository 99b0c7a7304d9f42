//! Transfers neither make money nor destroy it, none is lost, and no account is overdrawn further
//! than it may be, although clients work with what they have read (promises 1 to 3 of the design).
//!
//! Sources: lost update (P4) and write skew (A5B) of Berenson et al., "A Critique of ANSI SQL
//! Isolation Levels", SIGMOD 1995; the bank test of Jepsen.

use super::by_key;
use crate::history::{Ask, Operation, Told};
use crate::workload::bank::OVERDRAFT_MAX;

/// Checks every bank.
///
/// # Errors
/// The balances that cannot be.
pub fn check(history: &[Operation]) -> Result<(), String> {
    for (bank, operations) in by_key(history) {
        let mut last = None;
        for operation in &operations {
            let Told::Balances(balances) = &operation.told else { continue };
            let total: i64 = balances.iter().sum();
            let minimum = balances.iter().min().copied().unwrap_or_default();
            if total != 0 || minimum < -OVERDRAFT_MAX {
                return Err(format!("{bank}: total {total}, minimum {minimum}: {operation:?}"));
            }
            last = Some((operation.called, balances));
        }
        if let Some((called, balances)) = last {
            check_last(&operations, called, balances).map_err(|what| format!("{bank}: {what}"))?;
        }
    }
    Ok(())
}

/// Whether each account's last balance is explained by the transfers: those that are known to have
/// happened, and any of those that may have.
fn check_last(operations: &[&Operation], called: u64, balances: &[i64]) -> Result<(), String> {
    for (account, balance) in balances.iter().enumerate() {
        let (mut least, mut most) = (0, 0);
        for operation in operations {
            let Ask::Transfer { from, to, amount } = operation.ask else { continue };
            let change = match account {
                it if it == from => -amount,
                it if it == to => amount,
                _ => continue,
            };
            match operation.told {
                Told::Ok if operation.returned < called => {
                    least += change;
                    most += change;
                }
                Told::Refused => {}
                _ => {
                    least += change.min(0);
                    most += change.max(0);
                }
            }
        }
        if !(least..=most).contains(balance) {
            return Err(format!("account {account} has {balance}, not {least} to {most}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transfer(amount: i64, told: Told) -> Operation {
        let returned = if told == Told::Unknown { u64::MAX } else { 2 };
        let ask = Ask::Transfer { from: 0, to: 1, amount };
        Operation { client: 0, key: "bank".into(), ask, called: 1, returned, told }
    }

    fn read(balances: &[i64]) -> Operation {
        let (ask, told) = (Ask::ReadAccounts, Told::Balances(balances.to_vec()));
        Operation { client: 0, key: "bank".into(), ask, called: 3, returned: 4, told }
    }

    #[test]
    fn money_from_nowhere_is_found() {
        assert!(check(&[transfer(5, Told::Ok), read(&[-5, 5, 0])]).is_ok());
        assert!(check(&[transfer(5, Told::Ok), read(&[-5, 6, 0])]).is_err());
    }

    #[test]
    fn a_lost_transfer_is_found() {
        assert!(check(&[transfer(5, Told::Ok), read(&[0, 0])]).is_err());
        assert!(check(&[transfer(5, Told::Refused), read(&[-5, 5])]).is_err());
    }

    #[test]
    fn an_unknown_transfer_may_have_happened_or_not() {
        assert!(check(&[transfer(5, Told::Unknown), read(&[-5, 5])]).is_ok());
        assert!(check(&[transfer(5, Told::Unknown), read(&[0, 0])]).is_ok());
        assert!(check(&[transfer(5, Told::Unknown), read(&[-10, 10])]).is_err());
    }

    #[test]
    fn an_account_that_is_overdrawn_too_far_is_found() {
        let too_much = OVERDRAFT_MAX + 1;
        assert!(check(&[transfer(too_much, Told::Ok), read(&[-too_much, too_much])]).is_err());
    }
}
