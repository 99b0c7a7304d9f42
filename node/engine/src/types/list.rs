//! The list type.

/// A list value.
#[derive(Debug, Default)]
pub struct List {
    elements: alloc::vec::Vec<alloc::vec::Vec<u8>>,
}

impl List {
    /// How many elements it holds.
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }
}
