//! Compiled rules on disk: used where they can be trusted, compiled again where they cannot.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use contract::Digest;
use runtime::DEFAULT_RULE;
use runtime::{ActivationError, Cache, CacheError, Revision, RuleLimits};

use crate::default_rule::{activate_rule, engine};
use crate::rule_text::RuleText;
use crate::scratch;

fn open(folder: &Path) -> Cache {
    Cache::open(folder).unwrap_or_else(|error| panic!("{error}"))
}

/// With an engine of its own, as after a restart.
fn activate(cache: &Cache, component: &[u8]) -> Result<Revision, ActivationError> {
    let limits = RuleLimits::default();
    activate_rule(
        &engine(),
        Some(cache),
        "mine",
        component,
        BTreeMap::new(),
        limits,
    )
}

/// The one file in the folder.
fn compiled(folder: &Path) -> PathBuf {
    let entries = fs::read_dir(folder).expect("the cache has made it");
    let files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    let [file] = <[PathBuf; 1]>::try_from(files).expect("one file");
    file
}

/// A rule that compiles fast.
fn small() -> Vec<u8> {
    RuleText::new().component()
}

#[test]
fn a_later_start_loads_the_rules_that_an_earlier_one_compiled() {
    let folder = scratch::folder("cache-second").join("cache");
    let cache = open(&folder);
    activate(&cache, DEFAULT_RULE).unwrap_or_else(|error| panic!("{error}"));
    // Bytes that nobody can compile become a revision if their file is there: so it was read.
    let other = b"not a component";
    assert!(activate(&cache, other).is_err());
    let file = compiled(&folder);
    let name = file
        .file_name()
        .and_then(|name| name.to_str())
        .expect("its name is text");
    let digest = format!("{:#}", Digest::of(DEFAULT_RULE));
    let renamed = name.replace(&digest, &format!("{:#}", Digest::of(other)));
    assert_ne!(name, renamed);
    fs::rename(&file, folder.join(renamed)).expect("the folder is the test's");
    let revision = activate(&cache, other).unwrap_or_else(|error| panic!("{error}"));
    assert!(!revision.description().links.is_empty());
}

#[test]
fn stored_files_are_for_their_owner_only() {
    let folder = scratch::folder("cache-mode").join("deep").join("cache");
    activate(&open(&folder), &small()).unwrap_or_else(|error| panic!("{error}"));
    let mode = |path: &Path| {
        fs::metadata(path)
            .map(|metadata| metadata.mode() & 0o777)
            .ok()
    };
    assert_eq!(mode(&folder), Some(0o700));
    assert_eq!(mode(&compiled(&folder)), Some(0o600));
}

#[test]
fn a_damaged_file_is_not_run_but_compiled_again() {
    let folder = scratch::folder("cache-damaged").join("cache");
    let (cache, component) = (open(&folder), small());
    activate(&cache, &component).unwrap_or_else(|error| panic!("{error}"));
    let file = compiled(&folder);
    let whole = fs::read(&file).expect("it is there");
    let flipped = |place: usize| {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        bytes
    };
    let mut damaged = vec![
        Vec::new(),
        b"not compiled code".to_vec(),
        vec![0; whole.len()],
        whole[..whole.len() - 1].to_vec(),
        whole[..whole.len() / 2].to_vec(),
        [&whole[..], b"more"].concat(),
        component.clone(),
    ];
    damaged.extend((0..16).map(|part| flipped(whole.len() * part / 16)));
    damaged.push(flipped(whole.len() - 1));
    for (number, bytes) in damaged.into_iter().enumerate() {
        fs::write(&file, bytes).expect("the folder is the test's");
        activate(&cache, &component).unwrap_or_else(|error| panic!("{number}: {error}"));
        assert!(fs::read(&file).is_ok_and(|now| now == whole), "{number}");
    }
}

#[test]
fn a_file_that_a_power_cut_left_half_written_is_removed_and_one_that_is_being_written_is_not() {
    let folder = scratch::folder("cache-leftovers").join("cache");
    let cache = open(&folder);
    activate(&cache, &small()).unwrap_or_else(|error| panic!("{error}"));
    let whole = compiled(&folder);
    // No process has this number: it is above the kernel's bound (proc(5), pid_max).
    let left = PathBuf::from(format!("{}.4194305.tmp", whole.display()));
    // Process 1 is always there.
    let written_now = PathBuf::from(format!("{}.1.tmp", whole.display()));
    let somebodys = folder.join("notes.tmp");
    for path in [&left, &written_now, &somebodys] {
        fs::write(path, "half").expect("the folder is the test's");
    }
    open(&folder);
    assert!(!left.exists());
    assert!(written_now.exists() && somebodys.exists() && whole.exists());
}

#[test]
fn a_cache_that_cannot_be_written_does_not_keep_a_rule_from_serving() {
    let folder = scratch::folder("cache-gone").join("cache");
    let cache = open(&folder);
    fs::remove_dir(&folder).expect("it is empty");
    assert!(activate(&cache, &small()).is_ok());
}

#[test]
fn old_revisions_do_not_fill_the_disk() {
    let folder = scratch::folder("cache-full").join("cache");
    let cache = open(&folder);
    for number in 0..160 {
        fs::write(folder.join(format!("{number}.cwasm")), "old").expect("the folder is the test's");
    }
    activate(&cache, &small()).unwrap_or_else(|error| panic!("{error}"));
    let count = fs::read_dir(&folder).expect("it is there").count();
    assert_eq!(count, 128);
    assert!(activate(&cache, &small()).is_ok());
}

fn refused(folder: &Path) -> String {
    match Cache::open(folder) {
        Ok(_) => panic!("{} was trusted", folder.display()),
        Err(error) => {
            assert!(matches!(error, CacheError::Untrusted { .. }), "{error}");
            error.to_string()
        }
    }
}

#[test]
fn a_folder_that_others_can_enter_is_refused_with_the_remedy() {
    let folder = scratch::folder("cache-open");
    for mode in [0o755, 0o770, 0o701, 0o702, 0o740, 0o1777] {
        fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).expect("it is the test's");
        let said = refused(&folder);
        assert!(
            said.contains("chmod 700") && said.contains("--cache-dir"),
            "{said}"
        );
    }
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("it is the test's");
    assert!(Cache::open(&folder).is_ok());
}

#[test]
fn a_link_to_a_folder_and_a_file_are_refused() {
    let folder = scratch::folder("cache-link");
    let (own, link, file) = (folder.join("own"), folder.join("link"), folder.join("file"));
    open(&own);
    symlink(&own, &link).expect("the folder is the test's");
    assert!(refused(&link).contains("link"));
    fs::write(&file, "").expect("the folder is the test's");
    let error = Cache::open(&file).expect_err("it is a file").to_string();
    assert!(error.contains("--cache-dir"), "{error}");
}

#[test]
fn a_folder_of_another_user_is_refused() {
    let folder = scratch::folder("cache-foreign").join("cache");
    open(&folder);
    // Root gives it to another user; others find that root's own folder is not theirs.
    let foreign = match chown(&folder, Some(65_534), None) {
        Ok(()) => folder,
        Err(_) => PathBuf::from("/usr"),
    };
    assert!(refused(&foreign).contains("another user"));
}
