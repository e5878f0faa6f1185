//! The messages of the last minutes in a file in memory: a gateway that was killed recognises them when it starts
//! again.
//!
//! Without it, a message whose duplicate comes after the restart has another id if a window of the time has ended in
//! between ([`txn_id`](super::txn_id)): one of 25 would come twice.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use store::{private_socket, until_reboot};

/// The first half of a message's hash.
pub(super) type Digest = [u8; 16];

/// Its name, beside the gateway's sockets.
const FILE: &str = "recent-messages";
/// Places: as many as there may be messages. Together they take 512 KiB, when all are used.
const PLACES: u32 = 1 << 14;
/// Bytes of a place: digest, time of the first receipt, lifetime, number.
const PLACE: usize = 32;

/// A message that made the homeserver act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Remembered {
    pub(super) digest: Digest,
    /// Since the machine's boot.
    pub(super) first: Duration,
    pub(super) lifetime: Duration,
}

/// The file: a ring of places. A newer message takes the place of the oldest.
pub struct RecentFile {
    file: File,
    /// Of the next message; 0 is that of an empty place.
    number: u32,
    /// What was in it, the oldest first.
    before: Vec<Remembered>,
}

impl RecentFile {
    /// The file that lasts until the machine reboots. None without a folder in memory: the log says what that means.
    #[must_use]
    pub fn until_reboot() -> Option<Self> {
        let path = private_socket::default_path(FILE)?;
        let is_in_memory = path.parent().is_some_and(until_reboot::is_in_memory);
        if !is_in_memory {
            return None;
        }
        let opened = Self::open(&path);
        let opened = opened.inspect_err(|error| {
            tracing::info!(
                "a message that a device repeats across a restart of this gateway can come twice: {}: {error}",
                path.display()
            );
        });
        opened.ok()
    }

    fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        let mut content = Vec::new();
        let most = u64::from(PLACES) * PLACE as u64;
        Read::by_ref(&mut file)
            .take(most)
            .read_to_end(&mut content)?;
        let places = content.chunks_exact(PLACE).filter_map(read);
        let mut numbered: Vec<(u32, Remembered)> = places.collect();
        numbered.sort_by_key(|(number, _)| *number);
        let last = numbered.last().map_or(0, |(number, _)| *number);
        Ok(Self {
            file,
            number: last.wrapping_add(1).max(1),
            before: numbered.into_iter().map(|(_, one)| one).collect(),
        })
    }

    /// What was in it, the oldest first; once.
    pub(super) fn take_before(&mut self) -> Vec<Remembered> {
        std::mem::take(&mut self.before)
    }

    /// Adds a message. Memory takes it, or is full: then it is as without the file.
    pub(super) fn add(&mut self, message: &Remembered) {
        let Remembered {
            digest,
            first,
            lifetime,
        } = message;
        let mut place = [0; PLACE];
        let nanoseconds = u64::try_from(first.as_nanos()).unwrap_or(u64::MAX);
        let seconds = u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX);
        place[..16].copy_from_slice(digest);
        place[16..24].copy_from_slice(&nanoseconds.to_be_bytes());
        place[24..28].copy_from_slice(&seconds.to_be_bytes());
        place[28..].copy_from_slice(&self.number.to_be_bytes());
        let offset = u64::from(self.number % PLACES) * PLACE as u64;
        let _ = self.file.write_all_at(&place, offset);
        self.number = self.number.wrapping_add(1).max(1);
    }
}

/// The number and the message of a place; none of an empty one.
fn read(place: &[u8]) -> Option<(u32, Remembered)> {
    let (digest, rest) = place.split_first_chunk::<16>()?;
    let (first, rest) = rest.split_first_chunk::<8>()?;
    let (lifetime, rest) = rest.split_first_chunk::<4>()?;
    let number = u32::from_be_bytes(*rest.first_chunk::<4>()?);
    let message = Remembered {
        digest: *digest,
        first: Duration::from_nanos(u64::from_be_bytes(*first)),
        lifetime: Duration::from_secs(u32::from_be_bytes(*lifetime).into()),
    };
    (number != 0).then_some((number, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: u32) -> Remembered {
        Remembered {
            digest: u128::from(number).to_be_bytes(),
            first: Duration::from_nanos(u64::from(number) * 1_000_000_007),
            lifetime: Duration::from_secs(247),
        }
    }

    fn path(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("comatrix-{name}-{}", std::process::id()));
        let _ = std::fs::remove_file(&folder);
        folder
    }

    #[test]
    fn what_was_added_is_there_after_a_restart_and_the_newest_replace_the_oldest() {
        let path = path("recent");
        let mut file = RecentFile::open(&path).unwrap();
        assert_eq!(file.take_before(), []);
        file.add(&message(1));
        file.add(&message(2));
        let mut file = RecentFile::open(&path).unwrap();
        assert_eq!(file.take_before(), [message(1), message(2)]);
        for number in 3..=PLACES + 5 {
            file.add(&message(number));
        }
        let before = RecentFile::open(&path).unwrap().take_before();
        assert_eq!(before.len(), PLACES as usize);
        assert_eq!(before.first(), Some(&message(6)));
        assert_eq!(before.last(), Some(&message(PLACES + 5)));
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_file_of_another_kind_is_read_as_far_as_it_has_whole_places() {
        let path = path("recent-odd");
        std::fs::write(&path, [7; 40]).unwrap();
        let mut file = RecentFile::open(&path).unwrap();
        assert_eq!(file.take_before().len(), 1);
        std::fs::remove_file(path).unwrap();
    }
}
