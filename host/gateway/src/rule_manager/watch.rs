//! Notices files that are replaced by a rename. A file that is written in place is not noticed, because the gateway
//! cannot tell when the write is complete.

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

/// Bytes of one read: some dozen events. The rest is read at once afterwards.
const BUFFER: usize = 4096;

/// By watch descriptor: the rules whose files are in that folder, by the name of the component's file.
type Folders = BTreeMap<i32, Vec<(OsString, String)>>;

/// The watched folders.
pub struct Watch {
    inotify: OwnedFd,
    folders: Mutex<Folders>,
}

/// The result of [`Watch::follow`].
#[derive(Default)]
pub struct Followed {
    /// Whether a folder is watched that was not watched before: earlier changes in it may have been missed.
    pub is_new: bool,
    /// Folders that cannot be watched, because the system has no watch left or a folder is missing.
    pub unwatched: Vec<WatchError>,
}

/// A folder cannot be watched.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot watch {folder}: {cause}; the gateway retries, and until then it notices a replaced rule there only at \
     SIGHUP"
)]
pub struct WatchError {
    /// The folder.
    pub folder: PathBuf,
    cause: io::Error,
}

impl Watch {
    /// A watch without folders.
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

    /// Watches the folders of these rules' components, and no others.
    pub fn follow<'a>(&self, specs: impl Iterator<Item = &'a RuleSpec>) -> Followed {
        let mut descriptors = BTreeMap::new();
        let (mut next, mut unwatched) = (Folders::new(), Vec::new());
        for spec in specs {
            let Some(component) = spec.component.file() else {
                continue;
            };
            let folder = match component.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            };
            // A folder that is watched already keeps its descriptor. The table of folders is not locked here, so that
            // the data path's thread does not wait for a slow disk.
            let descriptor = *descriptors.entry(folder).or_insert_with(|| {
                let wanted = inotify::WatchFlags::MOVED_TO | inotify::WatchFlags::MOVE_SELF;
                let watched = inotify::add_watch(&self.inotify, folder, wanted);
                let failed = |error: Errno| WatchError {
                    folder: folder.to_owned(),
                    cause: error.into(),
                };
                watched.map_err(|error| unwatched.push(failed(error))).ok()
            });
            if let Some(descriptor) = descriptor {
                let file = component.file_name().unwrap_or_default().to_owned();
                let rules = next.entry(descriptor).or_default();
                rules.push((file, spec.name.clone()));
            }
        }
        let former = std::mem::replace(&mut *self.folders(), next.clone());
        for left in former.keys().filter(|left| !next.contains_key(left)) {
            // The system has removed the watch of a removed folder already.
            let _ = inotify::remove_watch(&self.inotify, *left);
        }
        Followed {
            is_new: next.keys().any(|folder| !former.contains_key(folder)),
            unwatched,
        }
    }

    /// Sends events of replaced files until the receiver is gone. Needs a runtime with I/O.
    pub async fn run(self: Arc<Self>, events: Events) {
        if let Err(error) = self.send_events(&events).await {
            tracing::error!("the gateway notices replaced rules only at SIGHUP: {error}");
        }
    }

    #[allow(unsafe_code)]
    async fn send_events(&self, events: &Events) -> io::Result<()> {
        // SAFETY: the descriptor is an `OwnedFd` of `self`, which is borrowed until this function ends. It therefore
        // stays open and the same for longer than the `AsyncFd`, a local variable of this function that is not
        // forgotten.
        let inotify =
            unsafe { AsyncFd::register_with_interest(self.inotify.as_fd(), Interest::READABLE) }?;
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut reader = inotify::Reader::new(&self.inotify, &mut buffer);
        loop {
            // Endless renames in a folder must not delay the data path.
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
            for meaning in self.meaning(&event) {
                if events.send(meaning).is_err() {
                    return Ok(());
                }
            }
        }
    }

    fn folders(&self) -> MutexGuard<'_, Folders> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The meaning of an event: a file belongs to rules as component, manifest or signature.
    fn meaning(&self, event: &inotify::Event<'_>) -> Vec<Event> {
        if event.events().contains(inotify::ReadFlags::QUEUE_OVERFLOW) {
            return vec![Event::Folders];
        }
        let folders = self.folders();
        // A folder of an earlier configuration does not matter.
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
