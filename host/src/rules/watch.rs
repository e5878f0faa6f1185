//! Notices files that take another's place. Only a rename counts: a file that is being written in place is half-written at
//! some moment, and nobody says when it is whole.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::{Event, Events, RuleSpec};
use rustix::fs::inotify;

/// Bytes of one read: some dozen events. What is left is read at once afterwards.
const BUFFER: usize = 4096;

/// By watch descriptor: the rules whose files are in that folder, by the name of the component's file.
type Folders = BTreeMap<i32, Vec<(OsString, String)>>;

/// Folders with rules in them.
pub struct Watch(Arc<Shared>);

struct Shared {
    inotify: OwnedFd,
    folders: Mutex<Folders>,
}

/// A folder cannot be watched.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot watch {folder}: {cause}; a replaced rule there is noticed at SIGHUP or by `comatrix-gateway rules swap`"
)]
pub struct WatchError {
    folder: PathBuf,
    cause: io::Error,
}

impl Watch {
    /// Begins to tell `events` of replaced files, by a thread of its own; of none until it is told where.
    ///
    /// # Errors
    /// [`WatchError`]: the system has no thread or watch left.
    pub fn start(events: &Events) -> Result<Self, WatchError> {
        let failed = |cause| WatchError {
            folder: "the folders of rules".into(),
            cause,
        };
        let inotify =
            inotify::init(inotify::CreateFlags::CLOEXEC).map_err(|error| failed(error.into()))?;
        let shared = Arc::new(Shared {
            inotify,
            folders: Mutex::default(),
        });
        let (watched, events) = (shared.clone(), events.clone());
        thread::Builder::new()
            .name("watch".into())
            .stack_size(64 << 10)
            .spawn(move || {
                if let Err(error) = watched.run(&events) {
                    tracing::error!("replaced rules are noticed at SIGHUP only: {error}");
                }
            })
            .map_err(failed)?;
        Ok(Self(shared))
    }

    /// Watches the folders of these rules' components, and no others any more. Returns what cannot be watched, since the
    /// system has no watch left or a folder is not there.
    pub fn follow<'a>(&self, specs: impl Iterator<Item = &'a RuleSpec>) -> Vec<WatchError> {
        let inotify = &self.0.inotify;
        let (mut next, mut unwatched) = (Folders::new(), Vec::new());
        let mut folders = self.0.folders();
        for spec in specs {
            let Some(component) = &spec.component else {
                continue;
            };
            let folder = match component.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            };
            // One that is watched already keeps its descriptor.
            match inotify::add_watch(inotify, folder, inotify::WatchFlags::MOVED_TO) {
                Ok(descriptor) => {
                    let file = component.file_name().unwrap_or_default().to_owned();
                    let rules = next.entry(descriptor).or_default();
                    rules.push((file, spec.name.clone()));
                }
                Err(error) => unwatched.push(WatchError {
                    folder: folder.to_owned(),
                    cause: error.into(),
                }),
            }
        }
        for left in folders.keys().filter(|left| !next.contains_key(left)) {
            // A folder that is gone has taken its watch along.
            let _ = inotify::remove_watch(inotify, *left);
        }
        *folders = next;
        unwatched
    }
}

impl Shared {
    fn folders(&self) -> MutexGuard<'_, Folders> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of replaced files until nobody listens. It waits in the system.
    fn run(&self, events: &Events) -> io::Result<()> {
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut reader = inotify::Reader::new(&self.inotify, &mut buffer);
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            if event.events().contains(inotify::ReadFlags::IGNORED) {
                // One that another configuration has left is not missed.
                if self.folders().remove(&event.wd()).is_some() {
                    tracing::error!(
                        "a folder with rules is gone; rules replaced there are noticed at SIGHUP or by `comatrix-gateway rules swap`"
                    );
                }
                continue;
            }
            for rule in self.rules_of(&event) {
                if events.send(Event::Replaced(rule)).is_err() {
                    return Ok(());
                }
            }
        }
    }

    /// The rules that a file belongs to: as component, manifest or signature. All of them where events were lost.
    fn rules_of(&self, event: &inotify::Event<'_>) -> Vec<String> {
        let folders = self.folders();
        if event.events().contains(inotify::ReadFlags::QUEUE_OVERFLOW) {
            let all = folders.values().flatten();
            return all.map(|(_, rule)| rule.clone()).collect();
        }
        let name = event.file_name().map(|name| name.to_bytes().to_vec());
        let name = name.unwrap_or_default();
        folders
            .get(&event.wd())
            .into_iter()
            .flatten()
            .filter(|(component, _)| belongs(&name, component.as_bytes()))
            .map(|(_, rule)| rule.clone())
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
