//! Asking the processor to fetch memory before it is needed.
//!
//! A lookup waits for memory three times: for the header of the slot's table, for the bucket, and
//! for the entry; for a collection, that goes on inside. A pipeline of commands is therefore looked at in rounds, each of which only asks
//! for what the next one reads; by the time a command runs, all of it is in the cache. A prefetch
//! has no effect that a program can observe, so any address will do.
#![allow(unsafe_code, reason = "prefetching is an intrinsic of the processor")]

/// Asks for the cache line at `address`.
#[inline(always)]
#[allow(clippy::inline_always, reason = "a call would cost as much as the wait")]
pub(crate) fn prefetch<T>(address: *const T) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: a prefetch never faults and changes nothing, whatever the address is.
    unsafe {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    }
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    // SAFETY: as above.
    unsafe {
        core::arch::asm!("prfm pldl1keep, [{0}]", in(reg) address, options(nostack, readonly));
    }
    #[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
    let _ = address;
}

/// Asks for all of an object.
#[inline]
pub(crate) fn prefetch_whole<T>(object: &T) {
    const LINE: usize = 64;
    let object = core::ptr::from_ref(object).cast::<u8>();
    for line in (0..size_of::<T>()).step_by(LINE) {
        prefetch(object.wrapping_add(line));
    }
    // It need not begin where a line does.
    prefetch(object.wrapping_add(size_of::<T>() - 1));
}
