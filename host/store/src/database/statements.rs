//! The statements of one transaction, each compiled once.

use rusqlite::{Connection, Error, Statement, params};

use super::batch::{Change, Space};
use super::schema::table;

/// Compiled when they are first needed.
pub struct Statements<'a> {
    connection: &'a Connection,
    puts: [Option<Statement<'a>>; Space::ALL.len()],
    deletes: [Option<Statement<'a>>; Space::ALL.len()],
}

impl<'a> Statements<'a> {
    pub fn new(connection: &'a Connection) -> Self {
        Self {
            connection,
            puts: Default::default(),
            deletes: Default::default(),
        }
    }

    /// Makes a change.
    ///
    /// # Errors
    /// The engine's.
    pub fn carry_out(&mut self, change: &Change) -> Result<(), Error> {
        match change {
            Change::Put(space, key, value) => {
                let put = || format!("INSERT OR REPLACE INTO {} VALUES (?, ?)", table(*space));
                let statement = compiled(self.connection, &mut self.puts[*space as usize], put)?;
                statement.execute(params![key.cast_signed(), value])?;
            }
            Change::Delete(space, key) => {
                let delete = || format!("DELETE FROM {} WHERE key = ?", table(*space));
                let slot = &mut self.deletes[*space as usize];
                compiled(self.connection, slot, delete)?.execute([key.cast_signed()])?;
            }
        }
        Ok(())
    }
}

fn compiled<'a, 'b>(
    connection: &'a Connection,
    slot: &'b mut Option<Statement<'a>>,
    text: impl FnOnce() -> String,
) -> Result<&'b mut Statement<'a>, Error> {
    match slot {
        Some(statement) => Ok(statement),
        None => Ok(slot.insert(connection.prepare(&text())?)),
    }
}
