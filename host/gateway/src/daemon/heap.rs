//! Memory that the C library's allocator keeps for later.

/// Gives it back to the system. Compiling a component takes some fifteen megabytes, once in months; glibc would keep
/// them for as long as the gateway runs. Other C libraries give memory back by themselves.
#[cfg(target_env = "gnu")]
#[allow(unsafe_code)]
pub fn give_back() {
    // SAFETY: malloc_trim(3) takes a number by value, may be called by any thread at any time (MT-Safe), and releases
    // only pages that hold no allocation.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Nothing: see above.
#[cfg(not(target_env = "gnu"))]
pub fn give_back() {}
