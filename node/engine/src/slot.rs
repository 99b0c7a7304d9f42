//! Hash slots: which of the 16384 partitions a key belongs to.
//!
//! CRC16-CCITT (XMODEM) of the key, or of the part between the first `{` and the next `}` if that
//! part is not empty, modulo 16384.
//! Source: <https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/>.

/// How many slots the key space is divided into.
pub const SLOT_COUNT: usize = 16384;

/// A hash slot, below [`SLOT_COUNT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u16);

impl Slot {
    /// The slot with this number; `None` from [`SLOT_COUNT`] on.
    pub const fn new(number: u16) -> Option<Slot> {
        if (number as usize) < SLOT_COUNT { Some(Slot(number)) } else { None }
    }

    /// The slot of a key.
    #[inline]
    pub fn of_key(key: &[u8]) -> Slot {
        Slot(crc16(hash_tag(key)) % SLOT_COUNT as u16)
    }

    /// The number of the slot.
    #[inline]
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The number of the slot as an index.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// `TABLES[k][b]` is the checksum of byte `b` followed by `k` zeros.
static TABLES: [[u16; 256]; 8] = tables();

const fn tables() -> [[u16; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut zeros = 1;
    while zeros < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[zeros - 1][byte];
            tables[zeros][byte] = before << 8 ^ tables[0][(before >> 8) as usize];
            byte += 1;
        }
        zeros += 1;
    }
    tables
}

/// CRC16-CCITT (XMODEM), eight bytes at a time: every command pays for it.
#[inline]
fn crc16(bytes: &[u8]) -> u16 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut crc = 0_u16;
    for &[a, b, c, d, e, f, g, h] in words {
        let [high, low] = crc.to_be_bytes();
        crc = TABLES[7][usize::from(a ^ high)]
            ^ TABLES[6][usize::from(b ^ low)]
            ^ TABLES[5][usize::from(c)]
            ^ TABLES[4][usize::from(d)]
            ^ TABLES[3][usize::from(e)]
            ^ TABLES[2][usize::from(f)]
            ^ TABLES[1][usize::from(g)]
            ^ TABLES[0][usize::from(h)];
    }
    rest.iter().fold(crc, |crc, byte| crc << 8 ^ TABLES[0][usize::from((crc >> 8) as u8 ^ byte)])
}

/// The part of a key that decides its slot.
#[inline]
fn hash_tag(key: &[u8]) -> &[u8] {
    let Some(open) = memchr::memchr(b'{', key) else { return key };
    match memchr::memchr(b'}', &key[open + 1..]) {
        None | Some(0) => key,
        Some(len) => &key[open + 1..open + 1 + len],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_catalogue_and_the_bitwise_definition() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        let bytes: [u8; 100] = core::array::from_fn(|at| (at * 37 + 11) as u8);
        for len in 0..bytes.len() {
            let bitwise = bytes[..len].iter().fold(0_u16, |crc, byte| {
                (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| {
                    if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 }
                })
            });
            assert_eq!(crc16(&bytes[..len]), bitwise, "{len} bytes");
        }
    }

    #[test]
    fn tags_decide_the_slot() {
        let table: &[(&[u8], u16)] =
            &[(b"foo", 12182), (b"{foo}bar", 12182), (b"a{foo}{bar}", 12182), (b"", 0)];
        for (key, slot) in table {
            assert_eq!(Slot::of_key(key).number(), *slot, "{key:?}");
        }
        assert_eq!(Slot::of_key(b"{}foo"), Slot(crc16(b"{}foo") % 16384));
        assert_eq!(Slot::of_key(b"{foo"), Slot(crc16(b"{foo") % 16384));
    }
}
