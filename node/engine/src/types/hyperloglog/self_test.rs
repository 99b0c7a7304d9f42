//! What `PFSELFTEST` checks on the machine that it runs on.

use super::{HyperLogLog, REGISTERS, add_dense, dense};

/// Adds numbers up to this one.
const ELEMENTS: u64 = 20_000;
/// Four standard errors of an estimate from 16384 registers.
const ERROR_MAX: f64 = 4.0 * 1.04 / 128.0;

/// Fills registers and reads them back, and compares estimates with the truth and with each other.
///
/// # Errors
/// What went wrong.
pub fn self_test() -> Result<(), &'static str> {
    let mut registers = alloc::vec![0; dense::BYTES];
    let value_of = |index: usize, round: usize| ((index * 7 + round) % 64) as u8;
    for round in 0..8 {
        (0..REGISTERS).for_each(|index| dense::set(&mut registers, index, value_of(index, round)));
        let wrong = |index| dense::get(&registers, index) != value_of(index, round);
        if (0..REGISTERS).any(wrong) {
            return Err("TESTFAILED a register does not keep its value");
        }
    }
    let (mut sparse, mut dense) = (HyperLogLog::default(), HyperLogLog::default());
    dense.make_dense().map_err(|_| "TESTFAILED an empty value cannot be made dense")?;
    for number in 1..=ELEMENTS {
        let element = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
        add_dense(&mut dense.bytes, &element);
        sparse.add(&element, 3000).map_err(|_| "TESTFAILED a sparse value became corrupted")?;
        if number.is_power_of_two() || number == ELEMENTS {
            let estimate = dense.as_ref().count();
            if sparse.as_ref().count() != estimate {
                return Err("TESTFAILED sparse and dense registers give different estimates");
            }
            let off = estimate.map_or(f64::INFINITY, |estimate| estimate as f64 - number as f64);
            if off.abs() > (number as f64 * ERROR_MAX).max(2.0) {
                return Err("TESTFAILED an estimate is too far from the truth");
            }
        }
    }
    Ok(())
}
