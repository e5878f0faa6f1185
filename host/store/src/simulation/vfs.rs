//! The file system that the engine sees: its calls, as <https://sqlite.org/vfs.html> describes them, go to the
//! simulated machine of the path.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int};
use std::sync::OnceLock;

use rusqlite::ffi::{self, sqlite3_file, sqlite3_vfs};

use super::open_file::{self, SimulatedFile, code};
use super::registry::{find, lock};

/// The name by which a connection asks for it.
pub const NAME: &str = "comatrix-simulation";

/// The longest path: a number and the name of a file.
const LONGEST_PATH: c_int = 64;

/// Julian day of 1970-01-01 in milliseconds. Time stands still.
const EPOCH: i64 = 210_866_760_000_000;

/// Makes the engine know the file system.
pub fn register() {
    static REGISTERED: OnceLock<c_int> = OnceLock::new();
    let outcome = REGISTERED.get_or_init(|| {
        let vfs = sqlite3_vfs {
            iVersion: 2,
            szOsFile: size_of::<SimulatedFile>() as c_int,
            mxPathname: LONGEST_PATH,
            pNext: std::ptr::null_mut(),
            zName: c"comatrix-simulation".as_ptr(),
            pAppData: std::ptr::null_mut(),
            xOpen: Some(open),
            xDelete: Some(delete),
            xAccess: Some(access),
            xFullPathname: Some(full_pathname),
            xDlOpen: None,
            xDlError: None,
            xDlSym: None,
            xDlClose: None,
            xRandomness: Some(randomness),
            xSleep: Some(sleep),
            xCurrentTime: None,
            xGetLastError: None,
            xCurrentTimeInt64: Some(current_time),
            xSetSystemCall: None,
            xGetSystemCall: None,
            xNextSystemCall: None,
        };
        let vfs = Box::leak(Box::new(vfs));
        // SAFETY: the engine keeps the pointer, and writes `pNext`; the leaked box lives as long as the process, and
        // nothing else refers to it. 0: it is not the default one.
        unsafe { ffi::sqlite3_vfs_register(vfs, 0) }
    });
    assert_eq!(
        *outcome,
        ffi::SQLITE_OK,
        "the engine takes another file system"
    );
}

/// A path of the engine.
///
/// # Safety
/// `path` is null or a C string that lives for `'a`.
unsafe fn text<'a>(path: *const c_char) -> Option<&'a str> {
    if path.is_null() {
        return None;
    }
    // SAFETY: it is not null, and the caller says that it is a C string.
    unsafe { CStr::from_ptr(path) }.to_str().ok()
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    path: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: the engine passes null or a C string, and `szOsFile` bytes for the file.
    let (path, file) = unsafe { (text(path), &mut *file.cast()) };
    open_file::none(file);
    let Some((path, machine)) = path.and_then(|path| Some((path, find(path)?))) else {
        return ffi::SQLITE_CANTOPEN;
    };
    let opened = lock(&machine).open(path);
    match opened {
        Ok(opened) => {
            open_file::begin(file, machine, opened);
            if !out_flags.is_null() {
                // SAFETY: it is not null, and then the engine passes an integer of its own.
                unsafe { *out_flags = flags };
            }
            ffi::SQLITE_OK
        }
        Err(_) => ffi::SQLITE_CANTOPEN,
    }
}

unsafe extern "C" fn delete(_: *mut sqlite3_vfs, path: *const c_char, durably: c_int) -> c_int {
    // SAFETY: the engine passes a C string.
    let path = unsafe { text(path) };
    let Some((path, machine)) = path.and_then(|path| Some((path, find(path)?))) else {
        return ffi::SQLITE_IOERR_DELETE;
    };
    let removed = lock(&machine).remove(path, durably != 0);
    code(removed, ffi::SQLITE_IOERR_DELETE)
}

unsafe extern "C" fn access(
    _: *mut sqlite3_vfs,
    path: *const c_char,
    _flags: c_int,
    found: *mut c_int,
) -> c_int {
    // SAFETY: the engine passes a C string.
    let path = unsafe { text(path) };
    let exists = path.is_some_and(|path| find(path).is_some_and(|one| lock(&one).exists(path)));
    // SAFETY: the engine passes an integer of its own.
    unsafe { *found = c_int::from(exists) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_pathname(
    _: *mut sqlite3_vfs,
    path: *const c_char,
    room: c_int,
    full: *mut c_char,
) -> c_int {
    // SAFETY: the engine passes a C string.
    let length = unsafe { CStr::from_ptr(path) }.count_bytes() + 1;
    if length > room as usize {
        return ffi::SQLITE_CANTOPEN;
    }
    // SAFETY: `full` has `room` bytes, which are enough, and is the engine's own buffer. The string's end is copied.
    unsafe { std::ptr::copy_nonoverlapping(path, full, length) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn randomness(_: *mut sqlite3_vfs, length: c_int, bytes: *mut c_char) -> c_int {
    // SAFETY: the engine passes a buffer of this length.
    unsafe { std::ptr::write_bytes(bytes, 0, length as usize) };
    length
}

unsafe extern "C" fn sleep(_: *mut sqlite3_vfs, microseconds: c_int) -> c_int {
    microseconds
}

unsafe extern "C" fn current_time(_: *mut sqlite3_vfs, now: *mut i64) -> c_int {
    // SAFETY: the engine passes a number of its own.
    unsafe { *now = EPOCH };
    ffi::SQLITE_OK
}
