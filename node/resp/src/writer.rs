//! Appends replies to a byte vector, in RESP2 or RESP3.

use alloc::vec::Vec;

use crate::number::DoubleText;

/// The protocol version that a connection chose with `HELLO`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// RESP2, what a connection speaks until it says `HELLO 3`.
    #[default]
    Resp2,
    /// RESP3: maps, sets, doubles, booleans, nulls and pushes have types of their own.
    Resp3,
}

/// Writes replies; the caller decides when and where the bytes go.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    protocol: Protocol,
}

/// An aggregate whose length is not known yet; to be given to [`Writer::close_array`] or a sibling.
#[derive(Clone, Copy, Debug)]
#[must_use = "an aggregate that is never closed leaves the reply without its header"]
pub struct Deferred {
    at: usize,
}

impl<'a> Writer<'a> {
    /// A writer that appends to `out`.
    pub fn new(out: &'a mut Vec<u8>, protocol: Protocol) -> Self {
        Writer { out, protocol }
    }

    /// The protocol version in force.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Speaks another version from here on, as `HELLO` does before it answers.
    pub fn set_protocol(&mut self, protocol: Protocol) {
        self.protocol = protocol;
    }

    /// True if the client speaks RESP3.
    pub fn is_resp3(&self) -> bool {
        self.protocol == Protocol::Resp3
    }

    /// How many bytes the underlying vector holds: a mark for [`Writer::rewind`].
    pub fn mark(&self) -> usize {
        self.out.len()
    }

    /// Forgets everything written since `mark`: a reply that failed half way becomes an error.
    pub fn rewind(&mut self, mark: usize) {
        self.out.truncate(mark);
    }

    /// Appends bytes that are RESP already.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// `+OK`.
    #[inline]
    pub fn ok(&mut self) {
        self.out.extend_from_slice(b"+OK\r\n");
    }

    /// A status reply; `text` has no line break.
    pub fn simple(&mut self, text: &str) {
        self.line(b'+', text.as_bytes());
    }

    /// An error reply: `text` begins with its code (`ERR …`). Line breaks become blanks, since
    /// client input may be quoted in it.
    pub fn error(&mut self, text: &str) {
        self.out.push(b'-');
        self.out.extend(text.bytes().map(|b| if matches!(b, b'\r' | b'\n') { b' ' } else { b }));
        self.out.extend_from_slice(b"\r\n");
    }

    /// An integer reply.
    #[inline]
    pub fn integer(&mut self, value: i64) {
        self.header(b':', value);
    }

    /// A count as an integer reply.
    #[inline]
    pub fn count(&mut self, value: usize) {
        self.integer(value as i64);
    }

    /// A bulk string.
    #[inline]
    pub fn bulk(&mut self, bytes: &[u8]) {
        self.out.reserve(bytes.len() + 16);
        self.header(b'$', bytes.len() as i64);
        self.out.extend_from_slice(bytes);
        self.out.extend_from_slice(b"\r\n");
    }

    /// An integer printed into a bulk string.
    pub fn bulk_integer(&mut self, value: i64) {
        self.bulk(itoa::Buffer::new().format(value).as_bytes());
    }

    /// The null bulk string, or RESP3's null.
    pub fn null(&mut self) {
        self.out.extend_from_slice(if self.is_resp3() { b"_\r\n" } else { b"$-1\r\n" });
    }

    /// The null array, or RESP3's null.
    pub fn null_array(&mut self) {
        self.out.extend_from_slice(if self.is_resp3() { b"_\r\n" } else { b"*-1\r\n" });
    }

    /// `value`, or null.
    pub fn bulk_or_null(&mut self, value: Option<&[u8]>) {
        match value {
            Some(bytes) => self.bulk(bytes),
            None => self.null(),
        }
    }

    /// A double: its own type in RESP3, a bulk string in RESP2.
    pub fn double(&mut self, value: f64) {
        let text = DoubleText::new(value);
        if self.is_resp3() {
            self.line(b',', text.as_bytes());
        } else {
            self.bulk(text.as_bytes());
        }
    }

    /// A boolean: its own type in RESP3, 1 or 0 in RESP2.
    pub fn boolean(&mut self, value: bool) {
        if self.is_resp3() {
            self.out.extend_from_slice(if value { b"#t\r\n" } else { b"#f\r\n" });
        } else {
            self.integer(i64::from(value));
        }
    }

    /// A text with a three-letter format (`txt`, `mkd`): its own type in RESP3, a bulk in RESP2.
    pub fn verbatim(&mut self, format: &str, text: &[u8]) {
        debug_assert_eq!(format.len(), 3, "a verbatim format has three letters");
        if self.is_resp3() {
            self.header(b'=', text.len() as i64 + 4);
            self.out.extend_from_slice(format.as_bytes());
            self.out.push(b':');
            self.out.extend_from_slice(text);
            self.out.extend_from_slice(b"\r\n");
        } else {
            self.bulk(text);
        }
    }

    /// The header of an array of `len` replies.
    #[inline]
    pub fn array(&mut self, len: usize) {
        self.header(b'*', len as i64);
    }

    /// The header of a map of `pairs` keys and values; twice as long an array in RESP2.
    pub fn map(&mut self, pairs: usize) {
        if self.is_resp3() {
            self.header(b'%', pairs as i64);
        } else {
            self.header(b'*', pairs as i64 * 2);
        }
    }

    /// The header of a set; an array in RESP2.
    pub fn set(&mut self, len: usize) {
        self.header(if self.is_resp3() { b'~' } else { b'*' }, len as i64);
    }

    /// The header of an out-of-band message; an array in RESP2.
    pub fn push(&mut self, len: usize) {
        self.header(if self.is_resp3() { b'>' } else { b'*' }, len as i64);
    }

    /// Begins an aggregate whose length its elements will tell.
    pub fn open(&mut self) -> Deferred {
        Deferred { at: self.out.len() }
    }

    /// Ends an array of `len` replies that was begun with [`Writer::open`].
    pub fn close_array(&mut self, begun: Deferred, len: usize) {
        self.insert_header(begun, b'*', len);
    }

    /// Ends a map of `pairs` pairs that was begun with [`Writer::open`].
    pub fn close_map(&mut self, begun: Deferred, pairs: usize) {
        if self.is_resp3() {
            self.insert_header(begun, b'%', pairs);
        } else {
            self.insert_header(begun, b'*', pairs * 2);
        }
    }

    /// Ends a set that was begun with [`Writer::open`].
    pub fn close_set(&mut self, begun: Deferred, len: usize) {
        self.insert_header(begun, if self.is_resp3() { b'~' } else { b'*' }, len);
    }

    fn insert_header(&mut self, begun: Deferred, kind: u8, len: usize) {
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(len).as_bytes();
        let header = [&[kind], digits, b"\r\n"];
        self.out.splice(begun.at..begun.at, header.concat());
    }

    #[inline]
    fn header(&mut self, kind: u8, value: i64) {
        self.line(kind, itoa::Buffer::new().format(value).as_bytes());
    }

    #[inline]
    fn line(&mut self, kind: u8, text: &[u8]) {
        self.out.push(kind);
        self.out.extend_from_slice(text);
        self.out.extend_from_slice(b"\r\n");
    }
}
