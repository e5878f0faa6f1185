//! Folders for tests.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::atomic::{AtomicU32, Ordering};

/// A new folder, removed with this value.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes it; `purpose` is part of its name.
    pub fn new(purpose: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("xtask-{purpose}-{}-{number}", process::id()));
        fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        Self(folder)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a shell script that can be run; returns its file.
    pub fn script(&self, name: &str, lines: &str) -> PathBuf {
        let file = self.0.join(name);
        // Another process writes it: a file that this process has open for writing cannot be run, and a child that
        // another test starts meanwhile would keep it open.
        let status = Command::new("sh")
            .args(["-c", "printf '%s\\n' \"$1\" > \"$0\" && chmod 755 \"$0\""])
            .arg(&file)
            .arg(format!("#!/bin/sh\n{lines}"))
            .status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "{}",
            file.display()
        );
        file
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
