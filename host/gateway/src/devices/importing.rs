//! Devices come from a file, all of them or none, and go into one.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;
use secure::hexadecimal;
use store::database::{Batch, Space};

use super::credential::{Credential, Method, kid_of};
use super::enrolled::Inner;
use super::enrolling::MOST;
use super::fleet::{self, Faults};
use super::numbers::Numbers;
use super::own_key;
use super::packed::Entry;
use super::row::Row;

/// Sequence numbers that an imported context skips for each second since [`BEGIN`]: more than a gateway has used before
/// or after it has made the file. So a file that is imported once more uses no number twice (RFC 8613 §7.2.1). There
/// are 2^40: enough until 2162.
const NUMBERS_PER_SECOND: u64 = 1 << 8;
/// 2026-01-01, in seconds since 1970.
const BEGIN: u64 = 1_767_225_600;

impl Inner {
    /// Enrols the devices of a file that are not enrolled with the same secret already. Returns how many, and how many
    /// were enrolled.
    ///
    /// # Errors
    /// Sentences with line and remedy; nothing has changed.
    pub(super) async fn import(&self, text: &str) -> Result<(usize, usize), String> {
        let entries = fleet::read(text)?;
        let _turn = self.turn.lock().await;
        let in_file = entries.len();
        let new = self.new_ones(entries)?;
        let now = self.clock.now();
        let first_number = now.map(|now| now.saturating_sub(BEGIN) * NUMBERS_PER_SECOND);
        let mut batch = Batch::new();
        let mut rows = Vec::new();
        for (number, entry) in (self.next_number.get()..).zip(new) {
            let Entry {
                name, credential, ..
            } = entry;
            let stored_end = match (&credential, first_number) {
                // The context of a key pair is agreed on later.
                (Credential::Psk(_) | Credential::Certificate(_) | Credential::Edhoc(_), _) => 0,
                (Credential::Oscore(_), Some(first)) => first,
                (Credential::Oscore(_), None) => {
                    return Err(
                        "nothing was imported: the gateway's clock is not set, and by it it knows which sequence \
                         numbers of OSCORE are unused; set the clock"
                            .to_owned(),
                    );
                }
            };
            let row = Row {
                name,
                enrolled: now,
                credential,
            };
            batch.put(Space::Devices, number, row.encode());
            let numbers = Numbers::beginning_at(stored_end);
            batch.put(Space::Numbers, number, numbers.encode());
            rows.push((number, row, numbers));
        }
        if rows.is_empty() {
            return Ok((0, in_file));
        }
        let has_key_pair =
            |(_, row, _): &(u64, Row, Numbers)| row.credential.method() == Method::Edhoc;
        let needs_key = self.identity.borrow().is_none() && rows.iter().any(has_key_pair);
        let identity = needs_key.then(|| own_key::make(&mut batch));
        self.commit(batch).await?;
        if let Some(identity) = identity {
            self.set_identity(identity);
        }
        let count = rows.len();
        self.next_number.set(self.next_number.get() + count as u64);
        for (number, row, numbers) in rows {
            // Of a device of this name that was removed while it logged in.
            self.sessions.forget_device(&row.name);
            self.insert(number, row, numbers);
        }
        Ok((count, in_file - count))
    }

    /// Those that are not enrolled.
    fn new_ones(&self, entries: Vec<Entry>) -> Result<Vec<Entry>, String> {
        let table = self.table.borrow();
        let mut marks: BTreeMap<(&str, String), String> = table
            .iter()
            .filter_map(|(name, device)| {
                let mark = device.credential.mark()?;
                Some((mark, format!("the device {name}, which is enrolled")))
            })
            .collect();
        let mut faults = Faults::default();
        let mut new = Vec::new();
        for entry in entries {
            let Entry {
                name,
                credential,
                line,
            } = &entry;
            if let Some(before) = table.get(name.as_str()) {
                if !before.credential.is(credential) {
                    let remedy = "it is enrolled with another secret; remove it, there or here";
                    faults.add(*line, name, remedy);
                }
                continue;
            }
            if let Some(mark) = credential.mark() {
                let what = mark.0;
                let other = marks.insert(mark, format!("the device {name} of this file"));
                if let Some(other) = other {
                    let fault = format!("its {what} is that of {other}; give it another one");
                    faults.add(*line, name, &fault);
                }
            }
            new.push(entry);
        }
        faults.check()?;
        if table.len() + new.len() > MOST {
            return Err(format!(
                "nothing was imported: with these devices {} would be enrolled, and {MOST} are the most allowed",
                table.len() + new.len()
            ));
        }
        Ok(new)
    }

    /// All devices with their secrets, as a file.
    pub(super) fn export(&self) -> SecretString {
        let table = self.table.borrow();
        let devices = table.iter();
        fleet::write(devices.map(|(name, device)| (&**name, &device.credential)))
    }

    /// A number whose `kid` no device but this one has: an imported device can have any.
    pub(super) fn free_kid(&self, number: u64, name: &str) -> u64 {
        let table = self.table.borrow();
        let others = table.iter().filter(|(other, _)| &***other != name);
        let kids: BTreeSet<&str> = others
            .filter_map(|(_, device)| device.credential.kid())
            .collect();
        let is_free = |number: &u64| !kids.contains(hexadecimal::digits(&kid_of(*number)).as_str());
        // Of as many numbers as there are devices, and one more, one is free.
        (number..).find(is_free).unwrap_or(number)
    }
}
