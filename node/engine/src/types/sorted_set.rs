//! The sorted_set type.

/// A sorted_set value.
#[derive(Debug, Default)]
pub struct SortedSet {
    elements: alloc::vec::Vec<alloc::vec::Vec<u8>>,
}

impl SortedSet {
    /// How many elements it holds.
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }
}
