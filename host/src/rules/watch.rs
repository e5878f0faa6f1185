//! Notices files that take another's place. Only a rename counts: a file that is being written in place is half-written at
//! some moment, and nobody says when it is whole.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::{Event, Events, RuleSpec};
use rustix::fs::inotify;

/// Bytes of one read: some dozen events. What is left is read at once afterwards.
const BUFFER: usize = 4096;

/// Folders with rules in them.
pub struct Watch {
    inotify: OwnedFd,
    /// By watch descriptor: the rules whose files are in that folder, by the name of the component's file.
    folders: BTreeMap<i32, Vec<(OsString, String)>>,
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
    /// Watches the folders of these rules' components. None where no rule has a file; and what cannot be watched,
    /// since the system has no watch left or a folder is not there.
    pub fn start(specs: &[RuleSpec]) -> (Option<Self>, Vec<WatchError>) {
        let mut folders: BTreeMap<i32, Vec<(OsString, String)>> = BTreeMap::new();
        let mut unwatched = Vec::new();
        let mut failed = |folder: &Path, cause: io::Error| {
            unwatched.push(WatchError {
                folder: folder.to_owned(),
                cause,
            });
        };
        let inotify = match inotify::init(inotify::CreateFlags::CLOEXEC) {
            Ok(inotify) => inotify,
            Err(error) => {
                failed(Path::new("the folders of rules"), error.into());
                return (None, unwatched);
            }
        };
        for spec in specs {
            let Some(component) = &spec.component else {
                continue;
            };
            let folder = match component.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            };
            match inotify::add_watch(&inotify, folder, inotify::WatchFlags::MOVED_TO) {
                Ok(descriptor) => {
                    let file = component.file_name().unwrap_or_default().to_owned();
                    let rules = folders.entry(descriptor).or_default();
                    rules.push((file, spec.name.clone()));
                }
                Err(error) => failed(folder, error.into()),
            }
        }
        let watch = (!folders.is_empty()).then_some(Self { inotify, folders });
        (watch, unwatched)
    }

    /// Tells of replaced files until nobody listens. It waits in the system: a thread of its own has to run it.
    ///
    /// # Errors
    /// The system's.
    pub fn run(self, events: &Events) -> io::Result<()> {
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut reader = inotify::Reader::new(&self.inotify, &mut buffer);
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            if event.events().contains(inotify::ReadFlags::IGNORED) {
                tracing::error!(
                    "a folder with rules is gone; rules replaced there are noticed at SIGHUP or by `comatrix-gateway rules swap`"
                );
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
        let all = || self.folders.values().flatten();
        if event.events().contains(inotify::ReadFlags::QUEUE_OVERFLOW) {
            return all().map(|(_, rule)| rule.clone()).collect();
        }
        let name = event.file_name().map(|name| name.to_bytes().to_vec());
        let name = name.unwrap_or_default();
        self.folders
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
        for file in ["senml.wasm.tmp", "senml2.wasm", "senml.json", ""] {
            assert!(!belongs(file.as_bytes(), b"senml.wasm"), "{file}");
        }
    }
}
