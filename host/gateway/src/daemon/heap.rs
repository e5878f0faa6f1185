//! Free memory that the C library's allocator keeps.

/// Returns free memory to the system. Compiling a component takes some fifteen megabytes, once in months; glibc would
/// keep them for as long as the gateway runs. Other C libraries return memory by themselves.
#[cfg(target_env = "gnu")]
#[allow(unsafe_code)]
pub fn release() {
    // SAFETY: malloc_trim(3) takes a number by value, may be called by any thread at any time (MT-Safe), and releases
    // only pages that hold no allocation.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Does nothing: other C libraries return memory by themselves.
#[cfg(not(target_env = "gnu"))]
pub fn release() {}
