//! What pip compiles DTLSSocket with, the library of aiocoap for DTLS: there are no wheels of it.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::tool::Tool;

/// The Debian package with the headers that extensions of Python are compiled against.
pub const PYTHON_HEADERS: &str = "python3-dev";

/// Succeeds if the headers of the Python that runs it are there.
const HAS_HEADERS: &str = "\
import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path('include'), 'Python.h')))
";

const REASON: &str = "it is the oldest version that has compiled DTLSSocket here";

const AUTOCONF: Tool = Tool {
    programs: &["autoconf"],
    version_arguments: &["--version"],
    version_prefix: "(GNU Autoconf) ",
    minimum: &[2, 71],
    reason: REASON,
    package: "autoconf",
};

const AUTOMAKE: Tool = Tool {
    programs: &["automake"],
    version_prefix: "(GNU automake) ",
    minimum: &[1, 16],
    package: "automake",
    ..AUTOCONF
};

const LIBTOOLIZE: Tool = Tool {
    programs: &["libtoolize"],
    version_prefix: "(GNU libtool) ",
    minimum: &[2, 4],
    package: "libtool",
    ..AUTOCONF
};

const MAKE: Tool = Tool {
    programs: &["make"],
    version_prefix: "GNU Make ",
    minimum: &[4, 3],
    package: "make",
    ..AUTOCONF
};

/// All of them.
pub const AUTOTOOLS: [&Tool; 4] = [&AUTOCONF, &AUTOMAKE, &LIBTOOLIZE, &MAKE];

/// Whether extensions of this Python can be compiled.
pub fn has_headers(python: &Path) -> bool {
    let status = Command::new(python)
        .args(["-c", HAS_HEADERS])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use comatrix_rule_build::version::Version;

    use super::*;

    #[test]
    fn the_versions_that_debian_12_has_are_enough() {
        let outputs = [
            "autoconf (GNU Autoconf) 2.71\nCopyright (C) 2021 Free Software Foundation, Inc.\n",
            "automake (GNU automake) 1.16.5\nCopyright (C) 2021 Free Software Foundation, Inc.\n",
            "libtoolize (GNU libtool) 2.4.7\nWritten by Gary V. Vaughan, 2003\n",
            "GNU Make 4.3\nBuilt for x86_64-pc-linux-gnu\n",
        ];
        for (tool, output) in AUTOTOOLS.into_iter().zip(outputs) {
            let version = Version::after(tool.version_prefix, output).expect(output);
            assert!(
                !version.is_older_than(&Version::new(tool.minimum)),
                "{output}"
            );
        }
    }

    #[test]
    fn a_python_that_is_not_there_has_no_headers() {
        assert!(!has_headers(Path::new("/nowhere/python3")));
    }
}
