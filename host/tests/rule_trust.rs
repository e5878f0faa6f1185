//! Whose keys count, and that keys and signatures are those of openssl.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use runtime::{PrivateKey, PublicKey, Trust};

use crate::rule_package::{Files, one_line, set_mode};

#[test]
fn a_folder_of_keys_is_trusted_only_if_no_other_user_can_write_there() {
    let files = Files::new("package-trust");
    let refused = |required| one_line(&Trust::open(Some(&files.keys), required).unwrap_err());
    let key = files.keys.join("ann.pub");
    for (path, mode, good) in [
        (&files.keys, 0o775, 0o755),
        (&files.keys, 0o757, 0o755),
        (&key, 0o664, 0o644),
        (&key, 0o646, 0o644),
    ] {
        set_mode(path, mode);
        let said = refused(false);
        assert!(
            said.contains("chmod go-w") && said.contains(&path.display().to_string()),
            "{said}"
        );
        set_mode(path, good);
    }
    fs::write(files.keys.join("notes.txt"), "no key").unwrap();
    assert!(files.trust(true).has_keys());

    symlink(&key, files.keys.join("link.pub")).unwrap();
    assert!(refused(false).contains("put the key itself there"));
    fs::remove_file(files.keys.join("link.pub")).unwrap();

    fs::write(
        files.keys.join("bad.pub"),
        files.key.to_pem().unwrap().as_bytes(),
    )
    .unwrap();
    let said = refused(false);
    assert!(
        said.contains("bad.pub") && said.contains("openssl pkey -pubout"),
        "{said}"
    );
    fs::write(files.keys.join("bad.pub"), [b'a'; 4097]).unwrap();
    assert!(refused(false).contains("more than 4096 bytes"));

    for index in 0..64 {
        fs::copy(&key, files.keys.join(format!("{index}.pub"))).unwrap();
    }
    assert!(refused(false).contains("more than 64 .pub files"));

    fs::remove_dir_all(&files.keys).unwrap();
    assert!(refused(false).contains("check the path"));
    fs::create_dir(&files.keys).unwrap();
    set_mode(&files.keys, 0o700);
    assert!(refused(true).contains("rule keygen"));
    assert!(one_line(&Trust::open(None, true).unwrap_err()).contains("rule keygen"));
    assert!(!files.trust(false).has_keys());
}

#[test]
fn keys_and_signatures_of_openssl_are_ours_to_the_byte() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openssl");
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    let key = PrivateKey::from_pem(&read("rfc8410.key")).unwrap();
    let public = PublicKey::from_pem(&read("rfc8410.pub")).unwrap();
    let signature: [u8; 64] = read("message.sig").try_into().unwrap();
    assert!(public.verifies(&read("message"), &signature));
    assert_eq!(key.sign(&read("message")), signature);
    assert_eq!(key.to_pem().unwrap().as_bytes(), read("rfc8410.key"));
    assert_eq!(public.to_pem().unwrap().as_bytes(), read("rfc8410.pub"));
}
