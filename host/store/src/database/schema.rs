//! The schema of the file: its version, and the steps from each version to the next.

use rusqlite::{Connection, Error};

use super::batch::Space;
use super::failure::Failure;

/// Marks a file as this gateway's ("cmtx"), among all that the engine can read.
const APPLICATION: i32 = 0x636d_7478;

/// One step: makes the schema of the next version out of the last one.
pub type Step = fn(&Connection) -> Result<(), Error>;

/// `STEPS[n]` leads from version n to n + 1. A step that was released is never changed: files that it has made are on
/// routers. A new one is added at the end, with a test that makes a file of the version before.
pub const STEPS: [Step; 2] = [first, with_sessions];

/// A table for each space, since keys that ascend within a table are written to one place of the file.
fn first(connection: &Connection) -> Result<(), Error> {
    connection.execute_batch(
        "CREATE TABLE meta(key INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT;
         CREATE TABLE waiting(key INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT;
         CREATE TABLE ended(key INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT;
         CREATE TABLE users(key INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT;
         CREATE TABLE devices(key INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT;
         CREATE TABLE numbers(key INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT;",
    )
}

/// Access tokens of devices.
fn with_sessions(connection: &Connection) -> Result<(), Error> {
    connection.execute_batch(
        "CREATE TABLE sessions(key INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT;",
    )
}

/// The version of a file. 0 for one without anything in it.
///
/// # Errors
/// [`Failure::Damaged`] if it is another program's, [`Failure::Newer`]; the engine's.
pub fn version(connection: &Connection, steps: &[Step]) -> Result<u32, Failure> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let tables = "SELECT count(*) FROM sqlite_schema";
    let tables: i64 = connection.query_row(tables, [], |row| row.get(0))?;
    let supported = steps.len() as u32;
    match (application, u32::try_from(version)) {
        (0, Ok(0)) if tables == 0 => Ok(0),
        (APPLICATION, Ok(found)) if found > supported => Err(Failure::Newer { found, supported }),
        (APPLICATION, Ok(version)) if version > 0 => Ok(version),
        _ => Err(Failure::Damaged),
    }
}

/// Takes all steps from `version` on, wholly or not at all.
///
/// # Errors
/// The engine's.
pub fn migrate(connection: &mut Connection, version: u32, steps: &[Step]) -> Result<(), Failure> {
    if version as usize == steps.len() {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    for step in &steps[version as usize..] {
        step(&transaction)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", steps.len() as u32)?;
    Ok(transaction.commit()?)
}

/// The table of a space.
pub fn table(space: Space) -> &'static str {
    match space {
        Space::Meta => "meta",
        Space::Waiting => "waiting",
        Space::Ended => "ended",
        Space::Users => "users",
        Space::Devices => "devices",
        Space::Numbers => "numbers",
        Space::Sessions => "sessions",
    }
}
