//! Finds a tool on this machine and checks whether its version is enough.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use comatrix_rule_build::version::Version;

use crate::tool::{Found, Tool};
use crate::tool_error::ToolError;

impl Tool {
    /// Finds the tool in the folders of `path`, a list as in the variable PATH, and checks its version.
    pub fn check(&'static self, path: &OsStr) -> Result<Found, ToolError> {
        let file = self.find(path).ok_or(ToolError::Missing(self))?;
        let version = self.ask_version(&file)?;
        match version.is_older_than(&self.minimum_version()) {
            false => Ok(Found { file, version }),
            true => Err(ToolError::TooOld {
                file,
                version,
                tool: self,
            }),
        }
    }

    /// The file that a command by one of the names would run.
    fn find(&self, path: &OsStr) -> Option<PathBuf> {
        let files = self
            .programs
            .iter()
            .flat_map(|program| env::split_paths(path).map(move |folder| folder.join(program)));
        files.into_iter().find(|file| file.is_file())
    }

    fn ask_version(&'static self, file: &Path) -> Result<Version, ToolError> {
        let output = Command::new(file)
            .args(self.version_arguments)
            // Other languages have other words before the version.
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .output()
            .map_err(|source| ToolError::Start {
                file: file.to_owned(),
                source,
                tool: self,
            })?;
        // Some print it among messages for people, on standard error, with a failure as their status.
        let streams = [output.stdout, output.stderr]
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let version = streams
            .iter()
            .find_map(|text| Version::after(self.version_prefix, text));
        version.ok_or_else(|| ToolError::Unreadable {
            command: format!("{} {}", file.display(), self.version_arguments.join(" ")),
            output: streams
                .concat()
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned(),
            tool: self,
        })
    }
}

/// Checks that the first numbers of two versions are equal, as programs need that are released together.
pub fn check_same_release(first: Found, second: Found, packages: &[&str]) -> Result<(), ToolError> {
    match first.version.major() == second.version.major() {
        true => Ok(()),
        false => Err(ToolError::Different {
            found: Box::new([first, second]),
            packages: packages.join(" "),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use crate::tools::{CHROMEDRIVER, CHROMIUM, NODE};

    /// A folder with a program that prints this on standard output, and this on standard error, and fails.
    fn fake(program: &str, output: &str, error: &str) -> Scratch {
        let folder = Scratch::new("fake-tool");
        folder.script(
            program,
            &format!("echo '{output}'\necho '{error}' >&2\nexit 1"),
        );
        folder
    }

    #[test]
    fn a_tool_that_is_too_old_is_named_with_its_place_its_version_the_reason_and_the_package() {
        let folder = fake("node", "v16.20.2", "");
        let error = NODE.check(folder.path().as_os_str()).unwrap_err();
        assert!(matches!(error, ToolError::TooOld { .. }));
        let text = error.to_string();
        let file = folder.path().join("node").display().to_string();
        for part in [
            &file,
            "16.20.2",
            "18 or later",
            NODE.reason,
            "apt-get install nodejs",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn a_tool_that_is_too_old_hides_a_later_one_behind_it_on_the_path() {
        let (old, new) = (fake("node", "v16.20.2", ""), fake("node", "v22.1.0", ""));
        let path = |folders: [&Scratch; 2]| env::join_paths(folders.map(Scratch::path)).unwrap();
        assert!(NODE.check(&path([&old, &new])).is_err());
        let found = NODE.check(&path([&new, &old])).unwrap();
        assert_eq!(found.version, Version::new(&[22, 1, 0]));
    }

    #[test]
    fn apt_installs_missing_tools_and_none_that_another_program_would_hide() {
        let nowhere = Scratch::new("fake-tool");
        let missing = NODE.check(nowhere.path().as_os_str()).unwrap_err();
        assert!(matches!(missing, ToolError::Missing(_)) && missing.is_for_apt());
        let folder = fake("node", "v16.20.2", "");
        assert!(
            !NODE
                .check(folder.path().as_os_str())
                .unwrap_err()
                .is_for_apt()
        );
        let of_debian = ToolError::TooOld {
            file: "/usr/bin/node".into(),
            version: Version::new(&[16]),
            tool: &NODE,
        };
        assert!(of_debian.is_for_apt());
    }

    #[test]
    fn a_version_is_also_read_from_standard_error_and_from_a_program_that_fails() {
        let folder = fake("node", "usage: ...", "node v20.1.0, a runtime");
        assert_eq!(
            NODE.check(folder.path().as_os_str())
                .unwrap()
                .version
                .major(),
            20
        );
    }

    #[test]
    fn a_program_that_prints_no_version_is_reported_with_its_output() {
        let folder = fake("node", "Segmentation fault", "");
        let error = NODE
            .check(folder.path().as_os_str())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("Segmentation fault") && error.contains("--version"),
            "{error}"
        );
    }

    #[test]
    fn browser_and_driver_must_be_of_one_release() {
        let browser = fake(
            "chromium",
            "Chromium 148.0.7778.167 built on Debian GNU/Linux 12 (bookworm)",
            "",
        );
        let found = |driver: &Scratch| {
            let browser = CHROMIUM.check(browser.path().as_os_str()).unwrap();
            let driver = CHROMEDRIVER.check(driver.path().as_os_str()).unwrap();
            check_same_release(browser, driver, &["chromium", "chromium-driver"])
        };
        assert!(
            found(&fake(
                "chromedriver",
                "ChromeDriver 148.0.7778.96 (abc)",
                ""
            ))
            .is_ok()
        );
        let error = found(&fake(
            "chromedriver",
            "ChromeDriver 156.0.8078.108 (abc)",
            "",
        ))
        .unwrap_err();
        let text = error.to_string();
        for part in [
            "148.0.7778.167",
            "156.0.8078.108",
            "apt-get install chromium chromium-driver",
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!error.is_for_apt(), "neither is Debian's");
    }
}
