//! Writes requests without an allocation and without the formatting machinery.
//!
//! The load generator shares the machine with what it measures, and is one thread: if making a
//! request takes it as long as a server takes to answer one, it is the generator that is measured.

/// Appends a request of words.
macro_rules! request {
    ($out:expr, $($word:expr),+ $(,)?) => {{
        let out: &mut Vec<u8> = $out;
        $crate::requests::begin(out, [$(stringify!($word)),+].len());
        $($crate::requests::Word::append_to(&$word, out);)+
    }};
}
pub(crate) use request;

/// The longest word that is put together here.
const SHORT_MAX: usize = 40;

/// Something that can be a word of a request.
pub trait Word {
    /// Appends it as a bulk string.
    fn append_to(&self, out: &mut Vec<u8>);
}

impl Word for &str {
    fn append_to(&self, out: &mut Vec<u8>) {
        bulk(out, self.as_bytes());
    }
}

impl Word for u64 {
    fn append_to(&self, out: &mut Vec<u8>) {
        let mut digits = [0; 20];
        bulk(out, decimal(&mut digits, *self, 1));
    }
}

impl Word for f64 {
    fn append_to(&self, out: &mut Vec<u8>) {
        bulk(out, self.to_string().as_bytes());
    }
}

/// A number between two texts, with zeros in front if it has fewer digits.
#[derive(Clone, Copy, Debug)]
pub struct Numbered {
    /// What stands before the number.
    pub before: &'static str,
    /// The number.
    pub number: u64,
    /// The least digits.
    pub digits: usize,
    /// What stands behind it.
    pub behind: &'static str,
}

impl Word for Numbered {
    fn append_to(&self, out: &mut Vec<u8>) {
        let (mut digits, mut text, mut len) = ([0; 20], [0; SHORT_MAX], 0);
        let number = decimal(&mut digits, self.number, self.digits);
        for part in [self.before.as_bytes(), number, self.behind.as_bytes()] {
            text[len..len + part.len()].copy_from_slice(part);
            len += part.len();
        }
        bulk(out, &text[..len]);
    }
}

/// Begins a request of so many words.
pub fn begin(out: &mut Vec<u8>, words: usize) {
    header(out, b'*', words);
}

fn bulk(out: &mut Vec<u8>, bytes: &[u8]) {
    header(out, b'$', bytes.len());
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

fn header(out: &mut Vec<u8>, kind: u8, len: usize) {
    let mut digits = [0; 20];
    out.push(kind);
    out.extend_from_slice(decimal(&mut digits, len as u64, 1));
    out.extend_from_slice(b"\r\n");
}

/// A number in at least so many decimal digits, up to twenty.
fn decimal(digits: &mut [u8; 20], mut number: u64, least: usize) -> &[u8] {
    let mut first = digits.len();
    while number > 0 || digits.len() - first < least {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    &digits[first..]
}
