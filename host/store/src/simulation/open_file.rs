//! An open file as the engine sees it.

#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::sync::{Arc, Mutex};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_io_methods};

use super::machine::{Fault, Machine, OpenFile};
use super::registry::lock;

/// What the engine allocates for an open file: first what it reads itself.
#[repr(C)]
pub struct SimulatedFile {
    engines: sqlite3_file,
    /// A box of its own, from [`begin`] to [`close`].
    own: *mut Own,
}

struct Own {
    machine: Arc<Mutex<Machine>>,
    file: OpenFile,
}

/// Says that the file is not open: then the engine makes no call for it.
pub fn none(file: &mut SimulatedFile) {
    file.engines.pMethods = std::ptr::null();
    file.own = std::ptr::null_mut();
}

/// Opens it.
pub fn begin(file: &mut SimulatedFile, machine: Arc<Mutex<Machine>>, opened: OpenFile) {
    file.own = Box::into_raw(Box::new(Own {
        machine,
        file: opened,
    }));
    file.engines.pMethods = &METHODS;
}

/// The engine's code of an outcome. `otherwise`: what it calls an operation of this kind that fails.
pub fn code(outcome: Result<(), Fault>, otherwise: c_int) -> c_int {
    match outcome {
        Ok(()) => ffi::SQLITE_OK,
        Err(Fault::Full) => ffi::SQLITE_FULL,
        Err(Fault::Missing) => ffi::SQLITE_IOERR_DELETE_NOENT,
        Err(Fault::NotSynchronised) => ffi::SQLITE_IOERR_FSYNC,
        Err(Fault::Gone) => otherwise,
    }
}

/// Without shared memory: the engine has the file for itself.
static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 1,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(synchronise),
    xFileSize: Some(size),
    xLock: Some(lock_level),
    xUnlock: Some(lock_level),
    xCheckReservedLock: Some(is_reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

/// Does something with the machine of a file.
///
/// # Safety
/// `file` is one that [`begin`] has opened, and [`close`] has not closed.
unsafe fn with<T>(file: *mut sqlite3_file, run: impl FnOnce(&mut Machine, OpenFile) -> T) -> T {
    // SAFETY: it is a `SimulatedFile`, whose first field the engine points to, and its box is there meanwhile. The
    // engine makes one call at a time for an open file.
    let own = unsafe { &*(*file.cast::<SimulatedFile>()).own };
    run(&mut lock(&own.machine), own.file)
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: the engine closes each open file once, and makes no call for it afterwards.
    drop(unsafe { Box::from_raw((*file.cast::<SimulatedFile>()).own) });
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    buffer: *mut c_void,
    length: c_int,
    offset: i64,
) -> c_int {
    // SAFETY: the engine passes a buffer of this length.
    let buffer = unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length as usize) };
    let copy = |machine: &mut Machine, file| {
        let content = machine.content(file)?;
        let there = content.get(offset as usize..).unwrap_or_default();
        let length = there.len().min(buffer.len());
        buffer[..length].copy_from_slice(&there[..length]);
        buffer[length..].fill(0);
        Ok(length == buffer.len())
    };
    // SAFETY: the engine calls it for open files.
    match unsafe { with(file, copy) } {
        Ok(true) => ffi::SQLITE_OK,
        Ok(false) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(fault) => code(Err(fault), ffi::SQLITE_IOERR_READ),
    }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    buffer: *const c_void,
    length: c_int,
    offset: i64,
) -> c_int {
    // SAFETY: the engine passes a buffer of this length.
    let bytes = unsafe { std::slice::from_raw_parts(buffer.cast::<u8>(), length as usize) };
    let write = |machine: &mut Machine, file| machine.write(file, offset as usize, bytes);
    // SAFETY: the engine calls it for open files.
    code(unsafe { with(file, write) }, ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, length: i64) -> c_int {
    let truncate = |machine: &mut Machine, file| machine.truncate(file, length as usize);
    // SAFETY: the engine calls it for open files.
    code(unsafe { with(file, truncate) }, ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn synchronise(file: *mut sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: the engine calls it for open files.
    code(
        unsafe { with(file, Machine::synchronise) },
        ffi::SQLITE_IOERR_FSYNC,
    )
}

unsafe extern "C" fn size(file: *mut sqlite3_file, length: *mut i64) -> c_int {
    // SAFETY: the engine calls it for open files.
    let found = unsafe { with(file, |machine, file| machine.content(file).map(<[u8]>::len)) };
    match found {
        Ok(found) => {
            // SAFETY: the engine passes a number of its own.
            unsafe { *length = found as i64 };
            ffi::SQLITE_OK
        }
        Err(fault) => code(Err(fault), ffi::SQLITE_IOERR_FSTAT),
    }
}

/// Each disk has one process.
unsafe extern "C" fn lock_level(_: *mut sqlite3_file, _level: c_int) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn is_reserved(_: *mut sqlite3_file, reserved: *mut c_int) -> c_int {
    // SAFETY: the engine passes an integer of its own.
    unsafe { *reserved = 0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn control(_: *mut sqlite3_file, _operation: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

/// As the engine's own file system for Unix says.
unsafe extern "C" fn sector_size(_: *mut sqlite3_file) -> c_int {
    4096
}

/// As the engine's own file system for Unix says: a write changes no byte beside it.
unsafe extern "C" fn characteristics(_: *mut sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}
