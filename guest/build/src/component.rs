//! From a core module to a component in a file.

use std::fs;
use std::path::Path;
use std::process;

use crate::BuildError;

/// Wraps the module into a component, by the WIT that its bindings have left in it. There is no adapter: a rule
/// that imports WASI is refused here.
pub fn componentise(module: &Path) -> Result<Vec<u8>, BuildError> {
    let bytes = fs::read(module).map_err(|source| BuildError::File {
        path: module.to_owned(),
        source,
    })?;
    wit_component::ComponentEncoder::default()
        .validate(true)
        .module(&bytes)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| BuildError::Component {
            module: module.to_owned(),
            reason: format!("{error:#}"),
        })
}

/// Replaces `file` in one step, so that no reader ever sees half a component.
pub fn write_if_changed(file: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    if fs::read(file).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    let failed = |source| BuildError::File {
        path: file.to_owned(),
        source,
    };
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    // The process id keeps two builds at the same time apart.
    let unfinished = file.with_extension(format!("{}.part", process::id()));
    fs::write(&unfinished, bytes).map_err(failed)?;
    fs::rename(&unfinished, file).map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::SystemTime;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("rule-build-{name}-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn an_unchanged_component_keeps_its_time_and_a_changed_one_is_replaced() {
        let folder = folder("write");
        let file = folder.join("below/rule.wasm");
        write_if_changed(&file, b"one").unwrap();
        let long_ago = SystemTime::UNIX_EPOCH;
        fs::File::options()
            .write(true)
            .open(&file)
            .unwrap()
            .set_modified(long_ago)
            .unwrap();
        write_if_changed(&file, b"one").unwrap();
        assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), long_ago);
        write_if_changed(&file, b"two").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert_eq!(
            fs::read_dir(folder.join("below")).unwrap().count(),
            1,
            "nothing unfinished is left"
        );
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_module_without_the_contract_is_refused_with_its_name() {
        let folder = folder("componentise");
        let module = folder.join("stray.wasm");
        fs::write(&module, b"\0asm\x01\0\0").unwrap();
        let error = componentise(&module).unwrap_err().to_string();
        assert!(
            error.contains("stray.wasm") && error.contains("export!"),
            "{error}"
        );
        fs::remove_dir_all(&folder).unwrap();
    }
}
