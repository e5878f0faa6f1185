//! Files with the secrets of devices, as `devices import` and `export` read and write them: for their owner alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use store::environment::own_uid;
use store::file::suffixed;

/// Bytes of a file: 20,000 devices with the longest names and credentials have 7.5 MB, others 4 MB.
const MOST_BYTES: u64 = 8 << 20;

/// Reads a file that nobody else can read.
///
/// # Errors
/// A sentence with the remedy.
pub(super) fn read(path: &Path) -> Result<SecretString, String> {
    let shown = path.display();
    let failed = |error: io::Error| format!("cannot read {shown}: {error}; check the path");
    // A pipe would wait for its other end.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
        .map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(format!("{shown} is not a file; name one"));
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(format!(
            "others can read {shown}, which has the secrets of devices: chmod 600 it, and rotate the keys of devices \
             if somebody may have read it"
        ));
    }
    if ![0, own_uid()].contains(&metadata.uid()) {
        return Err(format!(
            "{shown} belongs to another user, who can read and change it; copy it to a file of your own"
        ));
    }
    let mut text = String::new();
    file.take(MOST_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(failed)?;
    let text = SecretString::from(text);
    match text.expose_secret().len() as u64 <= MOST_BYTES {
        true => Ok(text),
        false => Err(format!(
            "{shown} has more than {MOST_BYTES} bytes; split it into several files"
        )),
    }
}

/// Writes a file that nobody else can read: wholly, or not at all.
///
/// # Errors
/// A sentence with the remedy; a file that was there is unchanged.
pub(super) fn write(path: &Path, text: &SecretString) -> Result<(), String> {
    let written = suffixed(path, &format!(".{}.tmp", std::process::id()));
    let write = || {
        // A new one: somebody else could have opened one that is there.
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&written)?;
        let whole = (|| {
            file.write_all(text.expose_secret().as_bytes())?;
            file.sync_all()?;
            fs::rename(&written, path)
        })();
        if whole.is_err() {
            let _ = fs::remove_file(&written);
        }
        whole?;
        // Not every file system can do it; then the old file can come back after a power cut.
        if let Some(folder) = path.parent() {
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
        Ok(())
    };
    write().map_err(|error: io::Error| {
        format!(
            "cannot write {}: {error}; choose a folder that you may write to",
            path.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_its_owners_alone_and_another_one_is_not_read() {
        let folder = std::env::temp_dir().join(format!("comatrix-fleet-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("fleet.toml");
        write(&path, &"first".into()).unwrap();
        write(&path, &"second".into()).unwrap();
        let mode = fs::metadata(&path).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(
            fs::read_dir(&folder).unwrap().count(),
            1,
            "nothing else is left"
        );
        assert_eq!(read(&path).unwrap().expose_secret(), "second");
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = read(&path).map(|_| ()).unwrap_err();
            assert!(error.contains("chmod 600"), "{error}");
        }
        let error = read(&folder).map(|_| ()).unwrap_err();
        assert!(error.contains("is not a file"), "{error}");
        let error = read(&folder.join("none")).map(|_| ()).unwrap_err();
        assert!(error.contains("check the path"), "{error}");
        let error = write(&folder.join("no/fleet.toml"), &"x".into()).unwrap_err();
        assert!(error.contains("choose a folder"), "{error}");
        fs::remove_dir_all(&folder).unwrap();
    }
}
