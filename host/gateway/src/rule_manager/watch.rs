//! Notices files that take another's place. Only a rename counts: a file that is being written in place is half-written at
//! some moment, and nobody says when it is whole.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::inotify;
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::event::{Event, Events};
use crate::config::RuleSpec;

/// Bytes of one read: some dozen events. What is left is read at once afterwards.
const BUFFER: usize = 4096;

/// By watch descriptor: the rules whose files are in that folder, by the name of the component's file.
type Folders = BTreeMap<i32, Vec<(OsString, String)>>;

/// Folders with rules in them.
pub struct Watch {
    inotify: OwnedFd,
    folders: Mutex<Folders>,
}

/// What [`Watch::follow`] has found.
#[derive(Default)]
pub struct Followed {
    /// Whether a folder is watched that was not: what has happened there before is not known.
    pub is_new: bool,
    /// What cannot be watched, since the system has no watch left or a folder is not there.
    pub unwatched: Vec<WatchError>,
}

/// A folder cannot be watched.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot watch {folder}: {cause}; it is tried again, until then a replaced rule there is noticed at SIGHUP"
)]
pub struct WatchError {
    /// The folder.
    pub folder: PathBuf,
    cause: io::Error,
}

impl Watch {
    /// Watches no folder yet.
    ///
    /// # Errors
    /// [`WatchError`]: the system has no such watch left (`fs.inotify.max_user_instances`).
    pub fn new() -> Result<Arc<Self>, WatchError> {
        let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
        let inotify = inotify::init(flags).map_err(|error| WatchError {
            folder: "the folders of rules".into(),
            cause: error.into(),
        })?;
        Ok(Arc::new(Self {
            inotify,
            folders: Mutex::default(),
        }))
    }

    /// Watches the folders of these rules' components, and no others any more.
    pub fn follow<'a>(&self, specs: impl Iterator<Item = &'a RuleSpec>) -> Followed {
        let mut descriptors = BTreeMap::new();
        let (mut next, mut unwatched) = (Folders::new(), Vec::new());
        for spec in specs {
            let Some(component) = &spec.component else {
                continue;
            };
            let folder = match component.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            };
            // One that is watched already keeps its descriptor. The data path's thread must not wait for a slow disk here:
            // the table of folders is not locked.
            let descriptor = *descriptors.entry(folder).or_insert_with(|| {
                let wanted = inotify::WatchFlags::MOVED_TO | inotify::WatchFlags::MOVE_SELF;
                let watched = inotify::add_watch(&self.inotify, folder, wanted);
                let unheard = |error: Errno| WatchError {
                    folder: folder.to_owned(),
                    cause: error.into(),
                };
                watched.map_err(|error| unwatched.push(unheard(error))).ok()
            });
            if let Some(descriptor) = descriptor {
                let file = component.file_name().unwrap_or_default().to_owned();
                let rules = next.entry(descriptor).or_default();
                rules.push((file, spec.name.clone()));
            }
        }
        let former = std::mem::replace(&mut *self.folders(), next.clone());
        for left in former.keys().filter(|left| !next.contains_key(left)) {
            // A folder that is gone has taken its watch along.
            let _ = inotify::remove_watch(&self.inotify, *left);
        }
        Followed {
            is_new: next.keys().any(|folder| !former.contains_key(folder)),
            unwatched,
        }
    }

    /// Tells of replaced files until nobody listens. Runs on a runtime with I/O.
    pub async fn run(self: Arc<Self>, events: Events) {
        if let Err(error) = self.tell(&events).await {
            tracing::error!("replaced rules are noticed at SIGHUP only: {error}");
        }
    }

    #[allow(unsafe_code)]
    async fn tell(&self, events: &Events) -> io::Result<()> {
        // SAFETY: the descriptor is an `OwnedFd` of `self`, which is borrowed until this function ends, so that it is open and
        // the same for longer than the `AsyncFd`, which is a local of it and is not forgotten.
        let inotify =
            unsafe { AsyncFd::register_with_interest(self.inotify.as_fd(), Interest::READABLE) }?;
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut reader = inotify::Reader::new(&self.inotify, &mut buffer);
        loop {
            // A folder in which somebody renames without end must not keep the data path waiting.
            tokio::task::consume_budget().await;
            let mut ready = inotify.readable().await?;
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::AGAIN) => {
                    ready.clear_ready();
                    continue;
                }
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            for heard in self.heard(&event) {
                if events.send(heard).is_err() {
                    return Ok(());
                }
            }
        }
    }

    fn folders(&self) -> MutexGuard<'_, Folders> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an event means: a file belongs to rules as component, manifest or signature.
    fn heard(&self, event: &inotify::Event<'_>) -> Vec<Event> {
        if event.events().contains(inotify::ReadFlags::QUEUE_OVERFLOW) {
            return vec![Event::Folders];
        }
        let folders = self.folders();
        // Of one that another configuration has left nothing is missed.
        let Some(files) = folders.get(&event.wd()) else {
            return Vec::new();
        };
        let elsewhere = inotify::ReadFlags::IGNORED | inotify::ReadFlags::MOVE_SELF;
        if event.events().intersects(elsewhere) {
            return vec![Event::Folders];
        }
        let name = event.file_name().map(|name| name.to_bytes().to_vec());
        let name = name.unwrap_or_default();
        let meant = files
            .iter()
            .filter(|(component, _)| belongs(&name, component.as_bytes()));
        meant
            .map(|(_, rule)| Event::Replaced(rule.clone()))
            .collect()
    }
}

/// Whether a file is a component's own, its manifest or its signature.
fn belongs(name: &[u8], component: &[u8]) -> bool {
    let stem = component.strip_suffix(b".wasm").unwrap_or(component);
    name == component
        || name
            .strip_prefix(stem)
            .is_some_and(|rest| rest == b".rule.json" || rest == b".rule.json.sig")
}

#[cfg(test)]
mod tests {
    use super::belongs;

    #[test]
    fn a_rule_has_a_component_a_manifest_and_a_signature() {
        for file in ["senml.wasm", "senml.rule.json", "senml.rule.json.sig"] {
            assert!(belongs(file.as_bytes(), b"senml.wasm"), "{file}");
        }
        for suffix in ["", ".rule.json", ".rule.json.sig"] {
            let file = format!("senml.cwasm{suffix}");
            assert!(belongs(file.as_bytes(), b"senml.cwasm"), "{file}");
        }
        for file in ["senml.wasm.tmp", "senml2.wasm", "senml.json", ""] {
            assert!(!belongs(file.as_bytes(), b"senml.wasm"), "{file}");
        }
    }
}
