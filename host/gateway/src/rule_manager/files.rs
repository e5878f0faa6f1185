//! The manager's reaction to changed files and folders of rules, which [`Watch`](super::Watch) notices.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::event::Event;
use super::manager::Manager;
use super::source::{Source, read};
use super::watch::Followed;

/// After a file was replaced, the time for its other files (manifest, signature) to follow.
const SETTLING: Duration = Duration::from_millis(50);

/// Time between attempts to watch a missing folder. An attempt costs some system calls.
const UNWATCHED: Duration = Duration::from_secs(5);

impl Manager {
    /// The next event, or a timeout when it is time to look for missing folders.
    pub(super) fn next(&self, events: &Receiver<Event>) -> Result<Event, RecvTimeoutError> {
        if self.unwatched.is_empty() {
            let event = events.recv();
            event.map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            events.recv_timeout(UNWATCHED)
        }
    }

    /// Files of one release are replaced one after the other, so their events are handled together.
    pub(super) fn replaced(&mut self, rule: String, events: &Receiver<Event>) {
        let mut names = vec![rule];
        let mut later = None;
        let settled = Instant::now() + SETTLING;
        while later.is_none() {
            match events.recv_timeout(settled.saturating_duration_since(Instant::now())) {
                Ok(Event::Replaced(rule)) if names.contains(&rule) => {}
                Ok(Event::Replaced(rule)) => names.push(rule),
                Ok(other) => later = Some(other),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        for name in names {
            if let Some(index) = self.index(&name) {
                self.replace_and_log(index, Source::Configured);
            }
        }
        if let Some(later) = later {
            self.act(later, events);
        }
    }

    /// A folder was moved, or events were lost.
    pub(super) fn folders_changed(&mut self) {
        // Another folder is probably about to take its place.
        thread::sleep(SETTLING);
        self.watch_folders();
        self.check_files();
    }

    /// Watches the folders of the serving rules. If one of them was not watched before, its files may have changed.
    pub(super) fn watch_folders_again(&mut self) {
        if self.watch_folders() {
            self.check_files();
        }
    }

    /// Watches the folders of the rules' components. The log names each folder once that cannot be watched; the gateway
    /// serves all the same. Returns whether a folder is watched that was not watched before.
    pub(super) fn watch_folders(&mut self) -> bool {
        let specs = self.rules.iter().map(|rule| &rule.spec);
        let followed = self.watch.as_ref().map(|watch| watch.follow(specs));
        let Followed { is_new, unwatched } = followed.unwrap_or_default();
        for error in &unwatched {
            if !self.unwatched.contains(&error.folder) {
                tracing::warn!("{error}");
            }
        }
        self.unwatched = unwatched.into_iter().map(|error| error.folder).collect();
        is_new
    }

    /// Reads every rule's file and replaces the rules whose file has changed. A swap or a rollback stays in effect
    /// while the file is the same.
    fn check_files(&mut self) {
        for index in 0..self.rules.len() {
            let rule = &self.rules[index];
            let package = read(&rule.spec, Source::Configured, &self.trust);
            let keeps_other = package.is_ok_and(|package| rule.keeps_other_than(&package));
            if rule.spec.component.file().is_some() && !keeps_other {
                self.replace_and_log(index, Source::Configured);
            }
        }
    }
}
