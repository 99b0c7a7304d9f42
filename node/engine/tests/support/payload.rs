//! The frame around a value in the payload of `DUMP`: behind it, the version of the format in two
//! bytes and a checksum in eight.

/// Bytes behind the value.
pub const FOOTER_BYTES: usize = 10;

/// A value with its version and the right checksum.
pub fn sealed(mut value: Vec<u8>, version: u16) -> Vec<u8> {
    value.extend_from_slice(&version.to_le_bytes());
    let sum = crc64(&value);
    value.extend_from_slice(&sum.to_le_bytes());
    value
}

/// CRC-64 with the polynomial of Jones, bit by bit.
fn crc64(bytes: &[u8]) -> u64 {
    const POLYNOMIAL: u64 = 0x95ac_9329_ac4b_c9b5;
    bytes.iter().fold(0, |sum, &byte| {
        (0..8).fold(sum ^ u64::from(byte), |sum, _| {
            (sum >> 1) ^ (if sum & 1 == 1 { POLYNOMIAL } else { 0 })
        })
    })
}
