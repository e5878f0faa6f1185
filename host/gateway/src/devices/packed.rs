//! Devices of a file, in one piece of memory.

use secrecy::zeroize::Zeroizing;

use super::credential::Credential;
use super::row::Row;

/// A device of a file.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) credential: Credential,
    /// Where it begins.
    pub(super) line: usize,
}

/// Devices as records of the store, one behind the other.
pub(super) struct Packed {
    bytes: Zeroizing<Vec<u8>>,
    /// Where each record ends, and the line of the file where its device begins.
    records: Vec<(usize, usize)>,
}

impl Packed {
    /// None, with room for so many.
    pub(super) fn with_capacity(bytes: usize, devices: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes).into(),
            records: Vec::with_capacity(devices),
        }
    }

    /// Adds a device.
    pub(super) fn push(&mut self, name: String, credential: Credential, line: usize) {
        let row = Row {
            name,
            enrolled: None,
            credential,
        };
        self.bytes.extend_from_slice(&Zeroizing::new(row.encode()));
        self.records.push((self.bytes.len(), line));
    }

    /// All devices, in their order.
    ///
    /// # Errors
    /// A record cannot be read, which no device makes.
    pub(super) fn entries(&self) -> Result<Vec<Entry>, String> {
        let mut begin = 0;
        let entry = |(end, line): &(usize, usize)| {
            let record = &self.bytes[std::mem::replace(&mut begin, *end)..*end];
            let row = Row::decode(record).map_err(|error| error.to_string())?;
            Ok(Entry {
                name: row.name,
                credential: row.credential,
                line: *line,
            })
        };
        self.records.iter().map(entry).collect()
    }
}
