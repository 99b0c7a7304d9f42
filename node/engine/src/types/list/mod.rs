//! The list: elements in the order of the client's choosing.
//!
//! A short list is one [`Chunk`] of packed elements, a long one a [`Chain`] of them. Pushing and
//! popping at both ends takes constant time; everything else walks, over chunks first and then
//! inside one, from the nearer end.
//!
//! How elements are divided into chunks cannot be observed. The encoding can, and follows Redis
//! 7.2: a list becomes a quicklist when it would exceed `list-max-listpack-size`, and a listpack
//! again when removals bring it down to half of that. It depends on numbers of elements and bytes
//! only, and these do not depend on the chunks.

mod chain;
mod chunk;
mod directory;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;

use self::chain::{Chain, Place};
use self::chunk::Chunk;
use super::encoding::Encoding;
use super::packed::{Element, Encoded};
use crate::settings::Settings;

pub use self::chain::RemovedChunks;

/// What a Redis listpack takes beyond its elements, in bytes.
const LISTPACK_FRAME: usize = 7;
/// The bytes beyond which a list is long even if it is only limited by number.
const SAFE_BYTES: usize = 8192;

/// When a list counts as long.
#[derive(Clone, Copy, Debug)]
pub struct ListLimits {
    most: Most,
}

#[derive(Clone, Copy, Debug)]
enum Most {
    Bytes(usize),
    Elements(usize),
}

impl ListLimits {
    /// The limit that the shard's settings give.
    pub fn new(settings: &Settings) -> Self {
        let most = match settings.list_node_size {
            size @ 0.. => Most::Elements((size as usize).max(1)),
            class => Most::Bytes(2048 << class.unsigned_abs().min(5)),
        };
        ListLimits { most }
    }

    fn are_exceeded_by(self, bytes: usize, elements: usize) -> bool {
        match self.most {
            Most::Bytes(most) => bytes > most,
            Most::Elements(most) => bytes > SAFE_BYTES || elements > most,
        }
    }

    /// Whether a long list has become short enough to count as short again.
    fn leave_room_for(self, bytes: usize, elements: usize) -> bool {
        match self.most {
            Most::Bytes(most) => bytes <= most / 2,
            Most::Elements(most) => elements <= most / 2,
        }
    }
}

/// One of the ends of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The first element: `LEFT`.
    Front,
    /// The last element: `RIGHT`.
    Back,
}

/// A list value.
#[derive(Clone, Debug)]
pub struct List {
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    Packed(Chunk),
    Chain(Box<Chain>),
}

impl Default for List {
    fn default() -> Self {
        List { form: Form::Packed(Chunk::default()) }
    }
}

impl List {
    /// How many elements it holds.
    #[inline]
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Packed(chunk) => chunk.len(),
            Form::Chain(chain) => chain.len(),
        }
    }

    /// Whether it holds nothing.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Prepares for `texts` to be added: makes the list long, if it will be. As in Redis this looks
    /// at the bytes of the texts alone.
    pub fn expect<'a>(&mut self, texts: impl Iterator<Item = &'a [u8]>, limits: ListLimits) {
        let Form::Packed(chunk) = &self.form else { return };
        let start = (chunk.byte_len() + LISTPACK_FRAME, chunk.len());
        let (bytes, elements) =
            texts.fold(start, |(bytes, count), text| (bytes + text.len(), count + 1));
        if limits.are_exceeded_by(bytes, elements) {
            self.make_chain();
        }
    }

    /// Makes the list short again after removals, if it is.
    pub fn settle(&mut self, limits: ListLimits) {
        let Form::Chain(chain) = &self.form else { return };
        if limits.leave_room_for(chain.byte_len() + LISTPACK_FRAME, chain.len()) {
            self.form = Form::Packed(chain.to_chunk());
        }
    }

    /// Makes the list long. A snapshot is restored with it.
    pub fn make_chain(&mut self) {
        if let Form::Packed(chunk) = &mut self.form {
            self.form = Form::Chain(Box::new(Chain::of(core::mem::take(chunk))));
        }
    }

    /// Adds an element at one of the ends.
    pub fn push(&mut self, end: End, text: &[u8]) {
        let element = Encoded::of(text);
        match (&mut self.form, end) {
            (Form::Packed(chunk), End::Front) => chunk.push_front(&element),
            (Form::Packed(chunk), End::Back) => chunk.push_back(&element),
            (Form::Chain(chain), End::Front) => chain.push_front(&element),
            (Form::Chain(chain), End::Back) => chain.push_back(&element),
        }
    }

    /// The element at an index.
    pub fn get(&self, index: usize) -> Option<Element<'_>> {
        if index < self.len() { self.range(index, 1).next() } else { None }
    }

    /// Replaces the element at an index, which is below `len()`.
    pub fn replace(&mut self, index: usize, text: &[u8]) {
        let element = Encoded::of(text);
        match &mut self.form {
            Form::Packed(chunk) => chunk.replace(chunk.seek(index), &element),
            Form::Chain(chain) => chain.replace(index, &element),
        }
    }

    /// Puts an element before the one at an index, or at the back for `len()`.
    pub fn insert(&mut self, index: usize, text: &[u8]) {
        if index == self.len() {
            return self.push(End::Back, text);
        }
        let element = Encoded::of(text);
        match &mut self.form {
            Form::Packed(chunk) => chunk.insert(chunk.seek(index), &element),
            Form::Chain(chain) => chain.insert(index, &element),
        }
    }

    /// Removes `count` elements from an index on; so many there are.
    pub fn remove(&mut self, index: usize, count: usize) -> RemovedChunks {
        assert!(index + count <= self.len(), "only what is there can be removed");
        if count == 0 {
            return RemovedChunks::default();
        }
        match &mut self.form {
            Form::Packed(chunk) => {
                chunk.remove(index, count);
                RemovedChunks::default()
            }
            Form::Chain(chain) => chain.remove(index, count),
        }
    }

    /// Removes up to `most` elements that equal `text`, the first or the last ones, and returns
    /// how many there were.
    pub fn remove_equal(&mut self, text: &[u8], most: usize, from: End) -> (usize, RemovedChunks) {
        let (element, backwards) = (Encoded::of(text), from == End::Back);
        match &mut self.form {
            Form::Packed(chunk) => {
                (chunk.remove_equal(&element, most, backwards).1, RemovedChunks::default())
            }
            Form::Chain(chain) => chain.remove_equal(&element, most, backwards),
        }
    }

    /// All elements in order.
    pub fn iter(&self) -> impl Iterator<Item = Element<'_>> {
        self.range(0, self.len())
    }

    /// `count` elements in order from an index on; fewer if the list ends before.
    pub fn range(&self, index: usize, count: usize) -> impl Iterator<Item = Element<'_>> {
        let place = match &self.form {
            Form::Chain(chain) if index < chain.len() => chain.seek(index),
            _ => Place { chunk: 0, index: index.min(self.len()) },
        };
        let count = count.min(self.len().saturating_sub(index));
        let mut skipped = Some(place.index);
        let elements = self.chunks().skip(place.chunk).flat_map(move |chunk| {
            let first = skipped.take().unwrap_or(0);
            chunk.offsets(first).map(|at| chunk.read(at))
        });
        elements.take(count)
    }

    /// All elements from the last to the first.
    pub fn backwards(&self) -> impl Iterator<Item = Element<'_>> {
        let chunks = self.chunks().rev();
        chunks.flat_map(|chunk| chunk.offsets_backwards().map(|at| chunk.read(at)))
    }

    /// The indexes of the elements that equal `text`, from one of the ends on. At most `most`
    /// elements are looked at.
    pub fn positions(&self, text: &[u8], from: End, most: usize) -> impl Iterator<Item = usize> {
        let element = Encoded::of(text);
        let (forwards, backwards) = match from {
            End::Front => (Some(self.chunks()), None),
            End::Back => (None, Some(self.chunks().rev())),
        };
        let forwards = forwards
            .into_iter()
            .flatten()
            .flat_map(move |chunk| chunk.offsets(0).map(move |at| chunk.holds(at, &element)));
        let backwards = backwards.into_iter().flatten().flat_map(move |chunk| {
            chunk.offsets_backwards().map(move |at| chunk.holds(at, &element))
        });
        let last = self.len().wrapping_sub(1);
        let equal = forwards.chain(backwards).take(most).enumerate().filter(|(_, equal)| *equal);
        equal.map(move |(step, _)| if from == End::Front { step } else { last - step })
    }

    /// The form it has.
    pub fn encoding(&self) -> Encoding {
        match &self.form {
            Form::Packed(_) => Encoding::Listpack,
            Form::Chain(_) => Encoding::Quicklist,
        }
    }

    /// How many bytes of memory it takes, about.
    pub fn memory_bytes(&self) -> usize {
        let heap = match &self.form {
            Form::Packed(chunk) => chunk.heap_bytes(),
            Form::Chain(chain) => size_of::<Chain>() + chain.heap_bytes(),
        };
        size_of::<List>() + heap
    }

    /// How many allocations it consists of.
    pub fn pieces(&self) -> usize {
        match &self.form {
            Form::Packed(_) => 1,
            Form::Chain(chain) => chain.pieces(),
        }
    }

    /// How many bytes the elements with their sizes take.
    pub fn byte_len(&self) -> usize {
        match &self.form {
            Form::Packed(chunk) => chunk.byte_len(),
            Form::Chain(chain) => chain.byte_len(),
        }
    }

    fn chunks(&self) -> impl DoubleEndedIterator<Item = &Chunk> {
        let (packed, chain) = match &self.form {
            Form::Packed(chunk) => (Some(chunk), None),
            Form::Chain(chain) => (None, Some(chain)),
        };
        packed.into_iter().chain(chain.into_iter().flat_map(|chain| chain.chunks()))
    }
}
