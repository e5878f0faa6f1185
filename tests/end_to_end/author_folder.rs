//! A rule author's folder, with a component, a key, and the commands of the full gateway.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use comatrix_tests::gateway;
use comatrix_tests::places::{self, Scratch};

/// Copies an example rule's component from its last build.
pub fn copy_example(rule: &str, folder: &Path) {
    let file = format!("{rule}.wasm");
    let built = places::workspace().join("target/guest").join(&file);
    fs::copy(&built, folder.join(&file))
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask guest`", built.display()));
}

/// The folder of the rule's author.
pub struct AuthorFolder(Scratch);

impl AuthorFolder {
    /// A folder with the example rule `senml` and a key, `ann`.
    pub fn new() -> Self {
        let author = Self(Scratch::new("author-folder"));
        copy_example("senml", author.path());
        author.rule(&["keygen", "ann"]);
        author
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// `comatrix-gateway rule …`; it must succeed.
    pub fn rule(&self, arguments: &[&str]) {
        let output = Command::new(gateway::full())
            .arg("rule")
            .args(arguments)
            .current_dir(self.path())
            .output()
            .expect("the full gateway starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "rule {arguments:?}: {errors}");
    }

    /// An operator trusts the author: `keys/ann.pub` in this folder, which nobody else can write.
    pub fn is_trusted_in(&self, folder: &Path) {
        let keys = folder.join("keys");
        fs::create_dir(&keys).expect("the folder is the test's");
        fs::set_permissions(&keys, Permissions::from_mode(0o755)).expect("it was just made");
        let public = keys.join("ann.pub");
        fs::copy(self.path().join("ann.pub"), &public).expect("it was made");
        fs::set_permissions(&public, Permissions::from_mode(0o644)).expect("it was just made");
    }
}
