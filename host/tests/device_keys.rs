//! `comatrix-gateway device …` with certificates and with EDHOC, and the probe by all ways.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::certificate_files::{Authority, sign_itself};
use crate::coaps_certificates::WITH_AUTHORITY;
use crate::coaps_stage::Stage;
use crate::device_secured::{
    all, device, enrol_with_context, patiently, tells_its_story, with_context, with_key, write,
};
use crate::edhoc_device::{hexadecimal, identity};
use crate::scratch;

/// Enrols a device by its CCS, and writes its file.
pub fn enrol_for_edhoc(stage: &Stage, name: &str) {
    let device = identity(7);
    let ccs = hexadecimal(device.ccs().as_bytes());
    let (code, said) = stage.devices(&["add", name, "--edhoc", &ccs]);
    assert_eq!(code, 0, "{said}");
    // The lines for this program, as they are printed.
    let command = said
        .lines()
        .find(|line| line.contains("private_key,hex"))
        .unwrap_or_else(|| panic!("{said}"));
    let command = command.replace("PRIVATE", &"07".repeat(32));
    let written = std::process::Command::new("sh")
        .args(["-ec", &command])
        .current_dir(&stage.running.folder)
        .status();
    assert!(written.is_ok_and(|status| status.success()), "{command}");
}

/// The options of a device with a key pair.
pub fn with_edhoc(stage: &Stage) -> Vec<String> {
    let gateway = stage.running.client.peer_addr().expect("it is connected");
    let gateway = format!("coap://{gateway}");
    ["--gateway", &gateway, "--edhoc", "kitchen.edhoc"]
        .map(str::to_owned)
        .to_vec()
}

/// The options of a device with a certificate, at the gateway of this name.
fn with_certificate(stage: &Stage, host: &str, file: &str, ca: &str) -> Vec<String> {
    let gateway = format!("coaps://{host}:{}", stage.coaps_port());
    let [certificate, key] = [format!("{file}.pem"), format!("{file}.key")];
    [
        "--gateway",
        &gateway,
        "--certificate",
        &certificate,
        "--key",
        &key,
        "--ca",
        ca,
    ]
    .map(str::to_owned)
    .to_vec()
}

/// A gateway whose certificate and those of its devices are signed by one authority.
fn certified(test: &str) -> (Stage, Authority) {
    let folder = scratch::folder(test);
    let authority = Authority::new(test);
    authority.write(&folder, "ca.pem");
    authority.sign(&folder, "own", "127.0.0.1", 2090);
    authority.sign(&folder, "kitchen", "kitchen", 2090);
    (Stage::start_in(folder, WITH_AUTHORITY), authority)
}

#[test]
fn a_device_with_a_certificate_tells_its_story_and_is_named_in_the_log() {
    let (stage, _) = certified("device-certified");
    tells_its_story(
        &stage,
        &with_certificate(&stage, "127.0.0.1", "kitchen", "ca.pem"),
    );
    // The gateway's own certificate will do, too, whatever its name.
    let pinned = with_certificate(&stage, "localhost", "kitchen", "own.pem");
    let (code, said) = device(&stage, &all(&["time"], &pinned));
    assert_eq!(code, 0, "{said}");
    let (_, log) = stage.restart();
    assert_eq!(log.matches("principal=kitchen").count(), 7, "{log}");
}

#[test]
fn a_gateway_that_the_device_cannot_trust_gets_no_request() {
    let (stage, _) = certified("device-certified-foreign");
    let folder = stage.running.folder.clone();
    Authority::new("elsewhere").write(&folder, "other.pem");
    sign_itself(&folder, "stranger", "kitchen");
    for (host, file, ca, part) in [
        (
            "127.0.0.1",
            "kitchen",
            "other.pem",
            "neither in the file of --ca nor signed",
        ),
        (
            "localhost",
            "kitchen",
            "ca.pem",
            "it does not name localhost",
        ),
        ("127.0.0.1", "stranger", "ca.pem", "alert 42"),
    ] {
        let options = with_certificate(&stage, host, file, ca);
        let (code, said) = device(&stage, &all(&["time"], &options));
        assert!(code == 6 && said.contains(part), "{part}: {said}");
    }
    let good = with_certificate(&stage, "127.0.0.1", "kitchen", "ca.pem");
    for (words, part) in [
        (
            &good[..6],
            "or --certificate FILE, --key FILE and --ca FILE",
        ),
        (&good[2..], "are for coaps:// gateways"),
        (
            &with_certificate(&stage, "127.0.0.1", "kitchen", "kitchen.key")[..],
            "no PEM file with X.509 certificates",
        ),
        (
            &[
                &good[..4],
                &["--key", "own.key"].map(str::to_owned),
                &good[6..],
            ]
            .concat(),
            "the key belongs to another certificate",
        ),
    ] {
        let (code, said) = device(&stage, &all(&["time"], words));
        assert!(code == 2 && said.contains(part), "{part}: {said}");
    }
    let open = fs::Permissions::from_mode(0o644);
    fs::set_permissions(folder.join("kitchen.key"), open).expect("it is there");
    let (code, said) = device(&stage, &all(&["time"], &good));
    assert!(code == 2 && said.contains("other users can read"), "{said}");
    let (_, log) = stage.restart();
    assert!(!log.contains("path=/time"), "{log}");
}

#[test]
fn a_device_with_a_key_pair_tells_its_story_also_after_a_restart_of_the_gateway() {
    let stage = Stage::start("device-edhoc");
    enrol_for_edhoc(&stage, "kitchen");
    tells_its_story(&stage, &with_edhoc(&stage));
    let (stage, log) = stage.restart();
    // Each command shakes hands, and the three repetitions are one command.
    let handshakes = log.matches("path=/.well-known/edhoc").count();
    assert_eq!(handshakes, 2 * 4, "{log}");
    let lines = log
        .lines()
        .filter(|line| line.contains("principal=kitchen"));
    assert_eq!(
        lines.filter(|line| !line.contains("edhoc")).count(),
        6,
        "{log}"
    );
    let (code, said) = patiently(&stage, &all(&["time"], &with_edhoc(&stage)));
    assert!(
        code == 0 && said.contains("with OSCORE after EDHOC"),
        "{said}"
    );
    assert_eq!(stage.devices(&["remove", "kitchen"]).0, 0);
    let (code, said) = device(&stage, &all(&["time"], &with_edhoc(&stage)));
    assert!(
        code == 6 && said.contains("compare both with those"),
        "{said}"
    );
}

#[test]
fn a_device_with_another_key_or_another_credential_of_the_gateway_fails_with_a_remedy() {
    let stage = Stage::start("device-edhoc-wrong");
    enrol_for_edhoc(&stage, "kitchen");
    let file = stage.running.folder.join("kitchen.edhoc");
    let good = fs::read_to_string(&file).expect("it is there");
    let other = hexadecimal(identity(8).ccs().as_bytes());
    let lines: Vec<&str> = good.lines().collect();
    let wrong_gateway = format!("{}\n{}\ngateway,hex,\"{other}\"\n", lines[0], lines[1]);
    write(&stage, "kitchen.edhoc", &wrong_gateway);
    let (code, said) = device(&stage, &all(&["time"], &with_edhoc(&stage)));
    assert!(
        code == 6 && said.contains("does not prove the key"),
        "{said}"
    );
    let wrong_key = good.replace(&"07".repeat(32), &"08".repeat(32));
    write(&stage, "kitchen.edhoc", &wrong_key);
    let (code, said) = device(&stage, &all(&["time"], &with_edhoc(&stage)));
    assert!(
        code == 2 && said.contains("not that of the credential"),
        "{said}"
    );
}

#[test]
fn the_probe_measures_by_each_way_in_which_a_device_proves_itself() {
    let (stage, authority) = certified("device-probe-secured");
    authority.sign(&stage.running.folder, "window", "window", 2090);
    let kitchen = stage.enrol(&["add", "roof", "--psk"]);
    write(&stage, "kitchen.key", &kitchen.key);
    enrol_with_context(&stage, &["add", "meadow", "--oscore"]);
    enrol_for_edhoc(&stage, "kitchen");
    for (options, most) in [
        (with_key(&kitchen), 29),
        (
            with_certificate(&stage, "127.0.0.1", "window", "ca.pem"),
            37,
        ),
        (with_context(&stage), 17),
        (with_edhoc(&stage), 19),
    ] {
        let (code, said) = patiently(&stage, &all(&["probe", "--json"], &options));
        assert_eq!(code, 0, "{options:?}: {said}");
        let found: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
        let more = found["protection_bytes"].as_u64().expect("a number");
        assert!((10..=most).contains(&more), "{options:?}: {said}");
        assert_eq!(
            (&found["lost"], &found["incomplete"]),
            (&0.into(), &false.into()),
            "{said}"
        );
        assert_eq!(found["block_wise_responses"], true, "{said}");
    }
}
