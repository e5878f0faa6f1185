//! Devices that are enrolled from a file, all of them or none.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use coap::code;

use crate::coaps_stage::{Enrolled, Stage, clients};
use crate::exchange::request;
use crate::oscore_device::Device;

#[test]
fn an_exported_fleet_goes_on_at_another_gateway() {
    let before = Stage::start("fleets-before");
    let kitchen = before.enrol(&["add", "kitchen", "--psk"]);
    let (mut roof, _) = Device::enrol(&before, &["add", "roof", "--oscore"]);
    assert_eq!(roof.ask(request(code::GET, "time")).0.code, code::CONTENT);
    let (code, said) = before.devices(&["export", "fleet.toml"]);
    assert!(code == 0 && said.contains("fleet.toml"), "{said}");
    let file = before.running.folder.join("fleet.toml");
    let mode = fs::metadata(&file)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!said.contains(&kitchen.key), "{said}");

    let stage = Stage::start("fleets-after");
    let file = file.display().to_string();
    let (code, said) = stage.devices(&["add", "other", "--psk"]);
    assert_eq!(code, 0, "{said}");
    let (code, said) = stage.devices(&["import", &file]);
    assert!(
        code == 0 && said.contains("enrolled 2 devices; 0 others"),
        "{said}"
    );
    let (code, said) = stage.devices(&["import", &file]);
    assert!(
        code == 0 && said.contains("enrolled 0 devices; 2 others"),
        "{said}"
    );
    roof.move_to(&stage);
    let (time, is_protected) = roof.ask_again(request(code::GET, "time"));
    assert!(is_protected && time.code == code::CONTENT, "{time:?}");
    let other = stage.enrol(&["rotate", "other"]);
    let kitchen = Enrolled {
        port: other.port,
        ..kitchen
    };
    for client in clients() {
        assert!(kitchen.tells_time(client), "{client}");
    }
    let (stage, log) = stage.restart();
    assert!(!log.contains(&kitchen.key), "no key is logged");
    let (_, list) = stage.devices(&["list"]);
    assert_eq!(list.lines().count(), 3, "{list}");
}

#[test]
fn a_file_with_a_fault_or_for_others_to_read_enrols_nobody_and_the_line_is_named() {
    let stage = Stage::start("fleets-faults");
    let kitchen = stage.enrol(&["add", "kitchen", "--psk"]);
    let file = stage.running.folder.join("fleet.toml");
    let import = |text: &str, mode: u32| {
        fs::write(&file, text).expect("the folder is the test's");
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("it is the test's");
        stage.devices(&["import", "fleet.toml"])
    };
    let good = "[shed]\npsk = \"secretPSK1234567\"\n";
    let own = format!("[kitchen]\npsk = \"{}\"\n", kitchen.key);
    let context = "oscore = { secret = \"00112233445566778899aabbccddeeff\", salt = \"\", sender_id = \"07\" }\n";
    for (text, mode, part) in [
        (good.to_owned(), 0o644, "chmod 600"),
        (
            format!("{good}\n[kitchen]\npsk = \"secretPSK1234567\"\n"),
            0o600,
            "line 4, device kitchen: it is enrolled with another secret",
        ),
        (
            format!("{good}{own}[roof]\npsk = \"short\"\n"),
            0o600,
            "line 5, device roof: psk",
        ),
        (
            format!("{good}[a]\n{context}[b]\n{context}"),
            0o600,
            "line 5, device b: its sender_id is that of the device a of this file",
        ),
        ("shed = 1\n".to_owned(), 0o600, "line 1"),
    ] {
        let (code, said) = import(&text, mode);
        assert!(
            code == 1 && said.contains(part),
            "{part:?} is not in {said:?}"
        );
        assert!(!said.contains("secretPSK"), "{said}");
        let (_, list) = stage.devices(&["list"]);
        assert!(!list.contains("shed") && list.contains("kitchen"), "{list}");
    }
    let (code, said) = import(&format!("{good}{own}"), 0o600);
    assert!(
        code == 0 && said.contains("enrolled 1 devices; 1 others"),
        "{said}"
    );
    // An imported device has the sender ID that the next one would get.
    let text = format!("[a]\n{}", context.replace("\"07\"", "\"04\""));
    let (code, said) = import(&text, 0o600);
    assert!(code == 0, "{said}");
    let (mut next, secret) = Device::enrol(&stage, &["add", "b", "--oscore"]);
    assert_eq!(secret["sender_id"], "05");
    assert_eq!(next.ask(request(code::GET, "time")).0.code, code::CONTENT);
    let (code, said) = stage.devices(&["export", "none/fleet.toml"]);
    assert!(code == 1 && said.contains("choose a folder"), "{said}");
}

#[test]
fn thousands_of_contexts_have_their_sequence_numbers_after_a_few_writes() {
    let stage = Stage::start("fleets-thousands");
    let fleet: String = (0..3_000)
        .map(|number| {
            let context =
                format!("secret = \"{number:032x}\", salt = \"\", sender_id = \"ff{number:04x}\"");
            format!("[device{number}]\noscore = {{ {context} }}\n")
        })
        .collect();
    let file = stage.running.folder.join("fleet.toml");
    fs::write(&file, fleet).expect("the folder is the test's");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("it is the test's");
    let (code, said) = stage.devices(&["import", "fleet.toml"]);
    assert!(
        code == 0 && said.contains("enrolled 3000 devices"),
        "{said}"
    );
    let (mut kitchen, _) = Device::enrol(&stage, &["add", "kitchen", "--oscore"]);
    let (stage, imported) = stage.restart();
    kitchen.move_to(&stage);
    let (time, is_protected) = kitchen.ask_again(request(code::GET, "time"));
    assert!(is_protected && time.code == code::CONTENT, "{time:?}");
    let (_, restarted) = stage.restart();
    for log in [imported, restarted] {
        assert!(!log.contains("for their sequence numbers"), "{log}");
    }
}
