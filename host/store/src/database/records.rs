//! The records of one file, for the one thread that has them: every call waits for the disk.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension};
use rustix::fs::{StatVfsMountFlags, statvfs};

use super::batch::{Batch, Durability, Space};
#[cfg(any(test, feature = "simulation"))]
use super::error::OpenError;
use super::error::{ReadError, WriteError};
use super::failure::Failure;
use super::private_folder::PrivateFolder;
use super::schema::{self, Step, table};
use super::statements::Statements;

/// A log of more frames than this is written back into the file: 1 MiB in pages of 512 bytes, a quarter of what the
/// outbox of a router has. Fewer would write the same pages of the file more often.
const LOG_FRAMES: i64 = 2_000;

/// A key that is made and removed in one transaction, which changes nothing else.
const SUPERSEDING: u64 = 0;

/// How each connection works.
///
/// Measured with records of 400 bytes: pages of 512 bytes write the fewest bytes for one record at a time. With the
/// exclusive lock, which comes before the first access, the engine needs no shared memory. Deleted values are
/// overwritten, since they can be access tokens. The cache is small since records are read once, at the start or before
/// they are sent. After a transaction larger than `LOG_FRAMES` the log shrinks to its limit, in bytes.
const SETTINGS: &str = "
    PRAGMA page_size = 512;
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA synchronous = EXTRA;
    PRAGMA secure_delete = ON;
    PRAGMA cache_size = -256;
    PRAGMA temp_store = MEMORY;
    PRAGMA wal_autocheckpoint = 0;
    PRAGMA journal_size_limit = 2097152;";

/// The records of a file.
pub struct Records {
    connection: Connection,
    /// What the next transaction outlives.
    durability: Durability,
    /// A log of more frames is written back.
    log_frames: i64,
    /// Whether the disk was full once. From then on the log is written back before each transaction.
    was_full: bool,
    path: PathBuf,
    /// Unlocked after the connection is closed: fields are dropped in their order.
    folder: Option<PrivateFolder>,
}

/// Records just opened.
pub(super) struct OpenedRecords {
    pub records: Records,
    /// The version before the steps.
    pub version: u32,
}

impl Records {
    /// Opens a file through the engine's file system `vfs`, checks it, and takes the steps to the current schema.
    pub(super) fn open(
        path: &Path,
        vfs: Option<&str>,
        steps: &[Step],
    ) -> Result<OpenedRecords, Failure> {
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        flags |= OpenFlags::SQLITE_OPEN_EXRESCODE;
        let mut connection = match vfs {
            None => Connection::open_with_flags(path, flags)?,
            Some(vfs) => {
                flags |= OpenFlags::SQLITE_OPEN_CREATE;
                Connection::open_with_flags_and_vfs(path, flags, vfs)?
            }
        };
        // Another process that has it keeps it.
        connection.busy_timeout(Duration::ZERO)?;
        connection.execute_batch(SETTINGS)?;
        // Before anything is written: a newer file must stay as it is.
        let version = schema::version(&connection, steps)?;
        check(&connection)?;
        // `EXTRA` up to here: the journal of the file's first page is removed with its name. If a power cut brought it
        // back, the engine would undo that page, and with it everything.
        let mode: String =
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
        if mode != "wal" {
            return Err(Failure::Other(format!("its journal is {mode} and not wal")));
        }
        connection.execute_batch("PRAGMA synchronous = FULL")?;
        schema::migrate(&mut connection, version, steps)?;
        let mut records = Self {
            connection,
            durability: Durability::PowerCut,
            log_frames: LOG_FRAMES,
            was_full: false,
            path: path.to_owned(),
            folder: None,
        };
        records.settle()?;
        Ok(OpenedRecords { records, version })
    }

    /// Opens the current schema on a simulated file system, with a log that short runs write back too.
    #[cfg(any(test, feature = "simulation"))]
    pub(crate) fn open_simulated(path: &Path, vfs: &str) -> Result<Self, OpenError> {
        let opened = Self::open(path, Some(vfs), &schema::STEPS);
        let mut records = opened.map_err(|failure| failure.opening(path))?.records;
        records.log_frames = 20;
        Ok(records)
    }

    /// Keeps its folder locked until this is dropped.
    pub(super) fn keep(&mut self, folder: PrivateFolder) {
        self.folder = Some(folder);
    }

    /// Passes every record of a space to `each`, by ascending key.
    ///
    /// # Errors
    /// [`ReadError::Damaged`], [`ReadError::Disk`]; some records may have been passed.
    pub fn scan(&self, space: Space, mut each: impl FnMut(u64, &[u8])) -> Result<(), ReadError> {
        // The engine's keys have a sign: the larger half of ours are its negative ones.
        let mut part = |condition: &str| -> Result<(), rusqlite::Error> {
            let table = table(space);
            let select =
                format!("SELECT key, value FROM {table} WHERE key {condition} ORDER BY key");
            let mut statement = self.connection.prepare(&select)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                each(
                    row.get::<_, i64>(0)?.cast_unsigned(),
                    row.get_ref(1)?.as_blob()?,
                );
            }
            Ok(())
        };
        part(">= 0")
            .and_then(|()| part("< 0"))
            .map_err(|error| Failure::from(error).reading(&self.path))
    }

    /// The value of a record.
    ///
    /// # Errors
    /// [`ReadError::Damaged`], [`ReadError::Disk`].
    pub fn read(&self, space: Space, key: u64) -> Result<Option<Vec<u8>>, ReadError> {
        let select = format!("SELECT value FROM {} WHERE key = ?", table(space));
        self.connection
            .query_row(&select, [key.cast_signed()], |row| row.get(0))
            .optional()
            .map_err(|error| Failure::from(error).reading(&self.path))
    }

    /// Applies batches in one transaction: all of them, or none.
    ///
    /// # Errors
    /// [`WriteError`]; none of them is applied.
    pub fn apply<'a>(
        &mut self,
        batches: impl IntoIterator<Item = &'a Batch> + Clone,
        durability: Durability,
    ) -> Result<(), WriteError> {
        if self.was_full {
            self.reuse_log();
        }
        let mut applied = self.transact(batches.clone(), durability);
        if matches!(&applied, Err(Failure::Full)) && !self.was_full {
            self.reuse_log();
            applied = self.transact(batches, durability);
        }
        self.was_full |= matches!(&applied, Err(Failure::Full));
        applied.map_err(|failure| {
            let failure = match failure {
                Failure::Other(_) if is_read_only(&self.path) => Failure::ReadOnly,
                Failure::Other(cause) => {
                    self.supersede();
                    Failure::Other(cause)
                }
                other => other,
            };
            failure.writing(&self.path)
        })
    }

    /// Writes in the place of a transaction that has failed. If only its synchronisation did, it is whole in the log,
    /// and the next open would take it for one that was committed.
    fn supersede(&mut self) {
        let mut nothing = Batch::new();
        nothing.put(Space::Meta, SUPERSEDING, Vec::new());
        nothing.delete(Space::Meta, SUPERSEDING);
        // A disk that does not take this either may have kept the other one: the error says so.
        let _ = self.transact([&nothing], Durability::Process);
    }

    fn transact<'a>(
        &mut self,
        batches: impl IntoIterator<Item = &'a Batch>,
        durability: Durability,
    ) -> Result<(), Failure> {
        if self.durability != durability {
            self.connection.execute_batch(match durability {
                Durability::Process => "PRAGMA synchronous = NORMAL",
                Durability::PowerCut => "PRAGMA synchronous = FULL",
            })?;
            self.durability = durability;
        }
        // Dropped before its commit, it is rolled back.
        let transaction = self.connection.transaction()?;
        let mut statements = Statements::new(&transaction);
        for change in batches.into_iter().flat_map(Batch::changes) {
            statements.carry_out(change)?;
        }
        drop(statements);
        Ok(transaction.commit()?)
    }

    /// Writes a long log back into the file, so that it begins anew.
    ///
    /// A failure is not reported: what was committed is in the log, and the next call tries again.
    pub fn shorten_log(&mut self) {
        let is_long = |(frames, written_back)| frames - written_back > self.log_frames;
        if self.checkpoint("NOOP").is_ok_and(is_long) {
            let _ = self.checkpoint("PASSIVE");
        }
    }

    /// Writes the log back into the file, if there is room for that: then the next transactions take the place of those
    /// before, and need no more of the disk. A log that grew on would take the room that somebody has made.
    fn reuse_log(&self) {
        let _ = self.checkpoint("PASSIVE");
    }

    /// Makes what was found outlive a power cut: the process before may have ended before it did, or may have been
    /// refused by the disk, and what the system remembers of its writes is not what the disk has.
    fn settle(&mut self) -> Result<(), Failure> {
        match self.checkpoint("PASSIVE").map_err(Failure::from) {
            Ok(_) => Ok(()),
            // The log was synchronised before there was no room for its pages.
            Err(Failure::Full) => {
                self.was_full = true;
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }

    /// Frames of the log, and how many of them are in the file as well.
    fn checkpoint(&self, mode: &str) -> Result<(i64, i64), rusqlite::Error> {
        let pragma = format!("PRAGMA wal_checkpoint({mode})");
        let counts = |row: &rusqlite::Row<'_>| Ok((row.get(1)?, row.get(2)?));
        self.connection.query_row(&pragma, [], counts)
    }
}

/// Whether every page of the file is what its neighbours say. It reads the whole file, as the scan that follows does.
fn check(connection: &Connection) -> Result<(), Failure> {
    let check = "PRAGMA quick_check(1)";
    let found: String = connection.query_row(check, [], |row| row.get(0))?;
    if found == "ok" {
        Ok(())
    } else {
        Err(Failure::Damaged)
    }
}

/// Whether the file system was mounted, or remounted after an error, for reading alone: the engine calls that a failed
/// write.
fn is_read_only(path: &Path) -> bool {
    statvfs(path).is_ok_and(|found| found.f_flag.contains(StatVfsMountFlags::RDONLY))
}
