//! Devices with certificates: signed by an authority, or enrolled one by one, and played by libcoap with OpenSSL and
//! GnuTLS.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::certificate_files::{Authority, sign_itself};
use crate::coaps_stage::{LONG, Stage, clients};
use crate::scratch;

pub const WITH_AUTHORITY: &str = "log_level = \"debug\"\n[coaps]\ncertificate = \"own.pem\"\n\
    key = \"own.key\"\nca_file = \"ca.pem\"\n";
const WITHOUT: &str = "[coaps]\ncertificate = \"own.pem\"\nkey = \"own.key\"\n";

/// A gateway whose certificate and those of its devices are signed by one authority.
fn stage(test: &str, configuration: &str) -> (Stage, Authority) {
    let folder = scratch::folder(test);
    let authority = Authority::new(test);
    authority.write(&folder, "ca.pem");
    authority.sign(&folder, "own", "127.0.0.1", 2090);
    let stage = Stage::start_in(folder, configuration);
    (stage, authority)
}

/// What a client prints that shows the certificate and key of these names to a gateway.
fn ask(stage: &Stage, client: &str, file: &str) -> String {
    request(stage, client, file, "time", &[])
}

/// The same for another request.
fn request(stage: &Stage, client: &str, file: &str, path: &str, args: &[&str]) -> String {
    let uri = format!("coaps://127.0.0.1:{}/{path}", stage.coaps_port());
    let [certificate, key] = [format!("{file}.pem"), format!("{file}.key")];
    let output = Command::new(client)
        .args(["-B", "5", "-c", &certificate, "-j", &key, "-R", "ca.pem"])
        .args(args)
        .arg(uri)
        .current_dir(&stage.running.folder)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{client}: {error}; install libcoap3-bin"));
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&said).into_owned()
}

fn tells_time(stage: &Stage, client: &str, file: &str) -> bool {
    has_time(&ask(stage, client, file))
}

fn has_time(said: &str) -> bool {
    said.lines().any(|line| {
        line.trim()
            .parse()
            .is_ok_and(|seconds: u64| seconds > 1_600_000_000)
    })
}

#[test]
fn a_certificate_of_the_authority_lets_a_device_in_under_its_common_name() {
    let (stage, authority) = stage("certified", WITH_AUTHORITY);
    let folder = stage.running.folder.clone();
    authority.sign(&folder, "meadow", "meadow-7", 2090);
    for client in clients() {
        let said = ask(&stage, client, "meadow");
        assert!(tells_time(&stage, client, "meadow"), "{client}: {said}");
    }
    let (_, log) = stage.restart();
    assert!(log.contains("principal=meadow-7"), "{log}");
}

#[test]
fn a_foreign_an_expired_and_a_nameless_certificate_are_refused_and_the_operator_reads_why_once() {
    let (stage, authority) = stage("certified-wrong", WITH_AUTHORITY);
    let folder = stage.running.folder.clone();
    Authority::new("certified-wrong").sign(&folder, "forged", "meadow", 2090);
    Authority::new("elsewhere").sign(&folder, "foreign", "meadow", 2090);
    authority.sign(&folder, "expired", "meadow", 2021);
    authority.sign(&folder, "nameless", "two words", 2090);
    for client in clients() {
        for file in ["forged", "foreign", "expired", "nameless"] {
            assert!(!tells_time(&stage, client, file), "{client}: {file}");
        }
    }
    let (_, log) = stage.restart();
    for part in [
        "its signature is not that of the authority that it names",
        "devices add NAME --certificate FILE",
        "it expired 2021-01-01T00:00:00Z; give the device a new one",
        "its subject has no common name of 1 to 64",
    ] {
        assert_eq!(log.matches(part).count(), 1, "{part:?} once an hour: {log}");
    }
}

#[test]
fn an_enrolled_certificate_needs_no_authority_and_ends_with_its_enrolment() {
    let folder = scratch::folder("pinned");
    sign_itself(&folder, "own", "127.0.0.1");
    fs::copy(folder.join("own.pem"), folder.join("ca.pem")).expect("it is there");
    let stage = Stage::start_in(folder.clone(), WITHOUT);
    sign_itself(&folder, "kitchen", "whatever");
    sign_itself(&folder, "other", "kitchen");
    let add = ["add", "kitchen", "--certificate", "kitchen.pem"];
    let (code, said) = stage.devices(&add);
    assert_eq!(code, 0, "{said}");
    let commands: Vec<&str> = said
        .lines()
        .filter(|line| line.starts_with("  coap"))
        .collect();
    for command in commands {
        let command = command.replace("localhost", "127.0.0.1");
        let output = Command::new("sh")
            .args(["-c", &command])
            .current_dir(&folder)
            .output();
        let output = output.expect("there is a shell");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        // Where libcoap is not installed there is nothing to show.
        assert!(
            has_time(&printed) || errors.contains("not found"),
            "{command}: {printed}"
        );
    }
    let (code, said) = stage.devices(&["list"]);
    assert!(
        code == 0 && said.contains("kitchen  certificate ") && said.contains("until 2099-01-01"),
        "{said}"
    );
    for client in clients() {
        assert!(!tells_time(&stage, client, "other"), "{client}");
    }
    // It survives a restart.
    let (stage, log) = stage.restart();
    assert!(log.contains("principal=kitchen"), "{log}");
    for client in clients() {
        assert!(tells_time(&stage, client, "kitchen"), "{client}");
    }
    let (code, said) = stage.devices(&["add", "roof", "--certificate", "kitchen.pem"]);
    assert!(
        code == 1 && said.contains("that of the device kitchen"),
        "{said}"
    );
    let (code, said) = stage.devices(&["rotate", "kitchen"]);
    assert!(
        code == 1 && said.contains("--certificate kitchen.pem"),
        "{said}"
    );
    let (code, said) = stage.devices(&["rotate", "kitchen", "--certificate", "other.pem"]);
    assert_eq!(code, 0, "{said}");
    for client in clients() {
        assert!(tells_time(&stage, client, "other"), "{client}");
        assert!(!tells_time(&stage, client, "kitchen"), "{client}");
    }
    assert_eq!(stage.devices(&["remove", "kitchen"]).0, 0);
    for client in clients() {
        assert!(!tells_time(&stage, client, "other"), "{client}");
    }
}

#[test]
fn a_certificate_that_no_device_can_use_is_not_enrolled() {
    let (stage, authority) = stage("pinned-wrong", WITHOUT);
    let folder = stage.running.folder.clone();
    authority.sign(&folder, "expired", "kitchen", 2021);
    fs::write(folder.join("text.pem"), "no certificate").expect("it is the test's");
    for (file, part) in [
        ("expired.pem", "it expired 2021-01-01T00:00:00Z"),
        ("text.pem", "it has no X.509 certificate in PEM or DER"),
        ("nowhere.pem", "check the path and its permissions"),
    ] {
        let (code, said) = stage.devices(&["add", "kitchen", "--certificate", file]);
        assert!(code == 1 && said.contains(part), "{said}");
    }
    let (_, said) = stage.devices(&["list"]);
    assert!(said.contains("no devices are enrolled"), "{said}");
}

#[test]
fn an_authority_cannot_give_a_device_the_name_of_an_enrolled_one() {
    let (stage, authority) = stage("certified-reserved", WITH_AUTHORITY);
    let folder = stage.running.folder.clone();
    authority.sign(&folder, "meadow", "meadow", 2090);
    for client in clients() {
        assert!(tells_time(&stage, client, "meadow"), "{client}");
    }
    assert_eq!(stage.devices(&["add", "meadow", "--oscore"]).0, 0);
    for client in clients() {
        assert!(!tells_time(&stage, client, "meadow"), "{client}");
    }
    assert_eq!(stage.devices(&["remove", "meadow"]).0, 0);
    for client in clients() {
        assert!(tells_time(&stage, client, "meadow"), "{client}");
    }
    let (_, log) = stage.restart();
    assert!(
        log.contains("is that of a device that is enrolled another way"),
        "{log}"
    );
}

/// A device that observes a room in one session until it is interrupted.
fn observer(stage: &Stage, file: &str) -> Child {
    let uri = format!("coaps://127.0.0.1:{}/getmsg/!a:h", stage.coaps_port());
    let output = stage.running.folder.join(format!("{file}.out"));
    let [certificate, key] = [format!("{file}.pem"), format!("{file}.key")];
    let child = Command::new("coap-client-openssl")
        .args([
            "-v",
            "7",
            "-s",
            "600",
            "-B",
            "600",
            "-A",
            "0",
            "-O",
            "256,syt_of_kitchen",
        ])
        .args([
            "-c",
            &certificate,
            "-j",
            &key,
            "-R",
            "ca.pem",
            "-o",
            "-",
            &uri,
        ])
        .current_dir(&stage.running.folder)
        .stdin(Stdio::null())
        .stdout(fs::File::create(&output).expect("the folder is the test's"))
        .stderr(Stdio::null())
        .spawn()
        .expect("libcoap3-bin is installed");
    let began = Instant::now();
    let last = &LONG[LONG.len() - 20..];
    while !fs::read_to_string(&output).is_ok_and(|said| said.contains(last)) {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "it observes nothing"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

/// Ends it as a person does who has had enough.
fn interrupt(mut observer: Child) {
    let id = i32::try_from(observer.id()).expect("it is a process id");
    let id = Pid::from_raw(id).expect("it is not zero");
    // It may have ended by itself.
    let _ = kill_process(id, Signal::INT);
    observer.wait().expect("it ends");
}

#[test]
fn a_reload_applies_a_new_certificate_and_sessions_go_on_while_their_authority_is_configured() {
    let (stage, authority) = stage("certificates-reload", WITH_AUTHORITY);
    let folder = stage.running.folder.clone();
    for name in ["meadow", "barn", "stable"] {
        authority.sign(&folder, name, name, 2090);
    }
    let barn = observer(&stage, "barn");
    // Another authority has signed the gateway's next certificate.
    let next = Authority::new("next");
    next.sign(&folder, "own", "127.0.0.1", 2090);
    let (code, said) = stage.running.rules(&["reload"]);
    assert_eq!(code, 0, "{said}");
    for client in clients() {
        assert!(
            !tells_time(&stage, client, "meadow"),
            "{client} trusts the former one"
        );
    }
    // Now it trusts the next one. The gateway has not read the file again.
    next.write(&folder, "ca.pem");
    for client in clients() {
        assert!(tells_time(&stage, client, "meadow"), "{client}");
    }
    interrupt(barn);
    let stable = observer(&stage, "stable");
    let (code, said) = stage.running.rules(&["reload"]);
    assert_eq!(code, 0, "{said}");
    for client in clients() {
        assert!(
            !tells_time(&stage, client, "meadow"),
            "{client}: nobody vouches for it"
        );
    }
    interrupt(stable);
    let (_, log) = stage.restart();
    for end in [
        "session of barn closed by the device",
        "session of stable closed by the gateway",
    ] {
        assert!(log.contains(end), "{end}: {log}");
    }
}

#[test]
fn a_login_is_not_that_of_another_device_whose_name_another_authority_has_given() {
    let Some(client) = clients().next() else {
        return;
    };
    for is_reloaded in [true, false] {
        let test = format!("certified-login-{is_reloaded}");
        let (stage, authority) = stage(&test, WITH_AUTHORITY);
        let folder = stage.running.folder.clone();
        authority.sign(&folder, "meadow", "meadow-7", 2090);
        let login = r#"{"type":"m.login.password","password":"s","identifier":{"type":"m.id.user","user":"m"}}"#;
        let login = ["-m", "post", "-t", "50", "-e", login];
        let send = ["-m", "put", "-t", "0", "-e", "the brook is over its banks"];
        let texts = |stage: &Stage, args: &[&str]| {
            request(stage, client, "meadow", "send/!a:h", args);
            stage.texts()
        };
        assert_eq!(texts(&stage, &send), 0, "it has not logged in");
        request(&stage, client, "meadow", "login", &login);
        assert_eq!(texts(&stage, &send), 1, "it has logged in");
        // The same authority is read again.
        assert_eq!(stage.running.rules(&["reload"]).0, 0);
        assert_eq!(texts(&stage, &send), 2);
        // Another one takes its place, and gives the same name. Clients trust the former one.
        let other = Authority::new("elsewhere");
        fs::copy(folder.join("ca.pem"), folder.join("former.pem")).expect("it is there");
        other.write(&folder, "ca.pem");
        other.sign(&folder, "own", "127.0.0.1", 2090);
        other.sign(&folder, "meadow", "meadow-7", 2090);
        let stage = if is_reloaded {
            assert_eq!(stage.running.rules(&["reload"]).0, 0);
            stage
        } else {
            stage.restart().0
        };
        assert!(tells_time(&stage, client, "meadow"), "it is let in");
        assert_eq!(
            texts(&stage, &send),
            2,
            "as a device that has not logged in"
        );
        request(&stage, client, "meadow", "login", &login);
        assert_eq!(texts(&stage, &send), 3);
    }
}
