//! The generator behind random choices: `SplitMix64`, seeded by the entry's stamp.
//!
//! Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.

/// A sequence of random numbers that is a function of its seed alone.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// A generator at the start of the sequence of `seed`.
    pub const fn new(seed: u64) -> Self {
        Rng(seed)
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which must not be zero. Lemire's multiplication keeps the bias below
    /// 2^-32 for every collection that fits in memory.
    pub fn below(&mut self, bound: usize) -> usize {
        assert!(bound > 0, "a choice needs something to choose from");
        ((u128::from(self.next_u64()) * bound as u128) >> 64) as usize
    }
}
