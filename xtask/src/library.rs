//! Libraries of C that programs of the tests are compiled against.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

/// A library of C with its headers.
#[derive(Debug)]
pub struct Library {
    /// A header that a program includes.
    pub header: &'static str,
    /// The Debian package that has it.
    pub package: &'static str,
}

/// The guide for authors of devices has a program of it.
pub const LIBCOAP: Library = Library {
    header: "coap3/coap.h",
    package: "libcoap3-dev",
};

/// The compiler does not find a library.
#[derive(Debug, thiserror::Error)]
#[error(
    "the compiler `cc` does not find the header {}. Install it: apt-get install {} gcc libc6-dev", .0.header,
    .0.package
)]
pub struct LibraryError(pub &'static Library);

impl Library {
    /// Whether the compiler finds the header. `path` is a list of folders as in the variable PATH.
    pub fn check(&'static self, path: &OsStr) -> Result<(), LibraryError> {
        let status = Command::new("cc")
            .args(["-E", "-x", "c", "-include", self.header, "/dev/null"])
            .env("PATH", path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        match status {
            Ok(status) if status.success() => Ok(()),
            _ => Err(LibraryError(self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_header_that_the_compiler_does_not_find_is_named_with_its_package() {
        let folder = Scratch::new("library");
        folder.script("cc", "exit 1");
        let error = LIBCOAP.check(folder.path().as_os_str()).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("coap3/coap.h") && text.contains("libcoap3-dev"),
            "{text}"
        );
        folder.script("cc", "exit 0");
        assert!(LIBCOAP.check(folder.path().as_os_str()).is_ok());
    }
}
