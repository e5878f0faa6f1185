//! With scripts in place of Debian's programs.

use super::*;
use crate::scratch::Scratch;

const WITH_OSCORE: &str = "echo 'coap-client-openssl v4.3.4'; echo '(Have OSCORE)'; exit 1";
const WITHOUT: &str = "echo 'coap-client-openssl v4.3.1'; exit 1";

/// An apt-get that lists these targets and writes down how else it is run, and a dpkg-deb that unpacks a client.
fn programs(scratch: &Scratch, targets: &str, client: &str) -> Programs {
    let log = scratch.path().join("log").display().to_string();
    let apt_get = format!(
        "if test \"$1\" = indextargets; then printf '{targets}'; exit; fi\n\
         for word; do case $word in\n\
         Dir::Cache::Archives=*) archives=${{word#*=}} ;;\n\
         Dir::Etc::SourceList=*) cat \"${{word#*=}}\" >> '{log}' ;;\n\
         update|install|libcoap3-bin|--download-only) printf '%s ' \"$word\" >> '{log}' ;;\n\
         esac; done\n\
         echo >> '{log}'\n\
         touch \"$archives/libcoap3-bin.deb\""
    );
    let dpkg_deb = format!(
        "echo \"$1 ${{2##*/}}\" >> '{log}'\n\
         mkdir -p \"$3/usr/lib/any-linux-gnu\" \"$3/usr/bin\"\n\
         printf '#!/bin/sh\\nshift 2\\nexec sh \"$@\"\\n' > \"$3/usr/lib/any-linux-gnu/ld-linux.so.2\"\n\
         chmod 755 \"$3/usr/lib/any-linux-gnu/ld-linux.so.2\"\n\
         cat > \"$3/usr/bin/coap-client-openssl\" << 'END'\n{client}\nEND"
    );
    Programs {
        apt_get: scratch.script("apt-get", &apt_get),
        dpkg_deb: scratch.script("dpkg-deb", &dpkg_deb),
    }
}

fn log(scratch: &Scratch) -> String {
    fs::read_to_string(scratch.path().join("log")).unwrap_or_default()
}

const TARGETS: &str = "\
    oldstable-security http://mirror.example/security/\\n\
    oldstable http://mirror.example/debian/\\n";

#[test]
fn the_client_of_the_next_release_is_unpacked_once_from_the_mirror_of_the_system() {
    let scratch = Scratch::new("oscore-client");
    let programs = programs(&scratch, TARGETS, WITH_OSCORE);
    let folder = scratch.path().join("client");
    for _ in 0..2 {
        complete(&folder, OsStr::new(""), &programs).unwrap();
    }
    let log = log(&scratch);
    let lines: Vec<&str> = log.lines().collect();
    let [source, update, again, install, unpack] = lines[..] else {
        panic!("{log}");
    };
    assert!(
        source.starts_with("deb ")
            && source.ends_with(" http://mirror.example/debian/ trixie main"),
        "{source}"
    );
    assert_eq!(again, source);
    assert_eq!(update, "update ");
    assert_eq!(install, "install --download-only libcoap3-bin ");
    assert_eq!(unpack, "-x libcoap3-bin.deb");
    assert!(!folder.join("apt").exists());
    let given = Command::new(folder.join(CLIENT))
        .arg("-v")
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&given.stdout).contains("v4.3.4"));
}

#[test]
fn a_client_of_the_system_that_has_oscore_is_taken_and_nothing_is_downloaded() {
    let scratch = Scratch::new("oscore-client");
    let programs = programs(&scratch, TARGETS, WITHOUT);
    scratch.script("coap-client-openssl", WITHOUT);
    scratch.script("coap-client", &format!("echo \"$1\"; {WITH_OSCORE}"));
    let folder = scratch.path().join("client");
    complete(&folder, scratch.path().as_os_str(), &programs).unwrap();
    assert_eq!(log(&scratch), "");
    let given = Command::new(folder.join(CLIENT))
        .arg("-E")
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&given.stdout).starts_with("-E\n"));
}

#[test]
fn a_system_without_a_mirror_of_debian_is_told_what_else_helps() {
    let scratch = Scratch::new("oscore-client");
    let programs = programs(&scratch, "", WITH_OSCORE);
    let error = complete(&scratch.path().join("client"), OsStr::new(""), &programs).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("apt-get update") && text.contains("libcoap 4.3.4"),
        "{text}"
    );
}

#[test]
fn a_failed_download_is_reported_with_the_mirror_and_begins_anew_the_next_time() {
    let scratch = Scratch::new("oscore-client");
    let mut programs = programs(&scratch, TARGETS, WITH_OSCORE);
    let working = programs.apt_get.clone();
    programs.apt_get = scratch.script(
        "failing",
        "test \"$1\" = indextargets && echo 'stable http://mirror.example/debian/'",
    );
    let folder = scratch.path().join("client");
    let error = complete(&folder, OsStr::new(""), &programs).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("http://mirror.example/debian/") && text.contains("debian-archive-keyring"),
        "{text}"
    );
    programs.apt_get = working;
    complete(&folder, OsStr::new(""), &programs).unwrap();
}

#[test]
fn an_unpacked_client_without_oscore_is_an_error() {
    let scratch = Scratch::new("oscore-client");
    let programs = programs(&scratch, TARGETS, WITHOUT);
    let error = complete(&scratch.path().join("client"), OsStr::new(""), &programs).unwrap_err();
    assert!(matches!(error, OscoreClientError::Unfit(_)), "{error}");
}
