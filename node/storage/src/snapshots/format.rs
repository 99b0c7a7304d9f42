//! The bytes of a snapshot file; drawn in the parent module.

use std::io;

use bytes::Bytes;

use super::SnapshotMeta;
use crate::disk::DiskFile;

/// Bytes after the payload.
pub(super) const TRAILER_BYTES: usize = 12;

const MAGIC: [u8; 8] = *b"QUORSNP\n";
const VERSION: u32 = 1;
const FIXED_BYTES: usize = 32;

/// No group name or membership comes near this; a length beyond is damage.
const HEADER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Read at once while verifying.
const CHUNK_BYTES: usize = 1024 * 1024;

/// What [`verify`] learned about a file.
#[derive(Debug)]
pub(super) struct Layout {
    pub meta: SnapshotMeta,
    pub payload_at: u64,
    pub payload_len: u64,
    pub checksum: u32,
}

pub(super) fn encode_header(meta: &SnapshotMeta) -> Vec<u8> {
    let len = FIXED_BYTES + 8 + meta.group.len() + meta.membership.len();
    assert!(len <= HEADER_BYTES_MAX, "a membership is a handful of nodes");
    let mut header = Vec::with_capacity(len);
    header.extend_from_slice(&MAGIC);
    header.extend_from_slice(&VERSION.to_le_bytes());
    header.extend_from_slice(&(len as u32).to_le_bytes());
    header.extend_from_slice(&meta.index.to_le_bytes());
    header.extend_from_slice(&meta.term.to_le_bytes());
    for part in [meta.group.as_bytes(), &meta.membership] {
        header.extend_from_slice(&(part.len() as u32).to_le_bytes());
        header.extend_from_slice(part);
    }
    header
}

pub(super) fn trailer(header: &[u8], payload: &[u8]) -> [u8; TRAILER_BYTES] {
    let len = (payload.len() as u64).to_le_bytes();
    let checksum = crc32c::crc32c_append(crc32c::crc32c(header), payload);
    let checksum = crc32c::crc32c_append(checksum, &len);
    let mut trailer = [0; TRAILER_BYTES];
    trailer[..8].copy_from_slice(&len);
    trailer[8..].copy_from_slice(&checksum.to_le_bytes());
    trailer
}

/// Reads the whole file once; the inner error says what is wrong with it.
pub(super) fn verify(file: &dyn DiskFile) -> io::Result<Result<Layout, &'static str>> {
    let len = file.len()?;
    if len < (FIXED_BYTES + 8 + TRAILER_BYTES) as u64 {
        return Ok(Err("it is too short"));
    }
    let mut fixed = [0; FIXED_BYTES];
    file.read_exact_at(&mut fixed, 0)?;
    if fixed[..8] != MAGIC {
        return Ok(Err("it does not begin like a snapshot"));
    }
    let mut trailer = [0; TRAILER_BYTES];
    file.read_exact_at(&mut trailer, len - TRAILER_BYTES as u64)?;
    let checksum = u32_at(&trailer, 8);
    if checksum_of(file, len - 4)? != checksum {
        return Ok(Err("its checksum does not match"));
    }
    if u32_at(&fixed, 8) != VERSION {
        return Ok(Err("its format belongs to another version of this program"));
    }
    let header_len = u32_at(&fixed, 12) as usize;
    let payload_len = u64_at(&trailer, 0);
    let around = (header_len + TRAILER_BYTES) as u64;
    if header_len > HEADER_BYTES_MAX || payload_len.checked_add(around) != Some(len) {
        return Ok(Err("its lengths do not add up"));
    }
    let mut header = vec![0; header_len];
    file.read_exact_at(&mut header, 0)?;
    let meta = decode_meta(&header).ok_or("its header makes no sense");
    let payload_at = header_len as u64;
    Ok(meta.map(|meta| Layout { meta, payload_at, payload_len, checksum }))
}

fn decode_meta(header: &[u8]) -> Option<SnapshotMeta> {
    let (fixed, rest) = header.split_at_checked(FIXED_BYTES)?;
    let (group, rest) = take_part(rest)?;
    let (membership, rest) = take_part(rest)?;
    let group = String::from_utf8(group.to_vec()).ok()?;
    let membership = Bytes::copy_from_slice(membership);
    let (index, term) = (u64_at(fixed, 16), u64_at(fixed, 24));
    rest.is_empty().then_some(SnapshotMeta { group, index, term, membership })
}

fn take_part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_at_checked(4)?;
    rest.split_at_checked(u32_at(len, 0) as usize)
}

fn checksum_of(file: &dyn DiskFile, end: u64) -> io::Result<u32> {
    let mut chunk = vec![0; CHUNK_BYTES.min(end as usize)];
    let (mut checksum, mut at) = (0, 0);
    while at < end {
        let len = (end - at).min(chunk.len() as u64) as usize;
        file.read_exact_at(&mut chunk[..len], at)?;
        checksum = crc32c::crc32c_append(checksum, &chunk[..len]);
        at += len as u64;
    }
    Ok(checksum)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}
