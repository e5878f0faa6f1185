//! Files of devices.

use super::*;

const FILE: &str = "\
    # A fleet.\n\
    [kitchen]\n\
    psk = \"secret\\\"PSK\\\\12345\"\n\
    \n\
    [\"roof.1\"]\n\
    oscore = { secret = \"00112233445566778899AABBCCDDEEFF\", salt = \"\", sender_id = \"0A\" }\n";

/// On P-256 (RFC 9529 §3.1).
const PUBLIC_KEY: &str = "ac75e9ece3e50bfc8ed60399889522405c47bf16df96660a41298cb4307f7eb6";

#[test]
fn what_was_written_is_read_again() {
    let (ccs, _) = Ccs::enrolled(PUBLIC_KEY, &[12]).unwrap();
    let more = format!(
        "[shed]\ncertificate = {{ sha256 = \"{}\", expires = 1830297600 }}\n[cellar]\nedhoc = \"{}\"\n",
        "a5".repeat(32),
        hexadecimal::digits(ccs.as_bytes())
    );
    let entries = read(&[FILE, &more].concat()).unwrap();
    let seen: Vec<_> = entries
        .iter()
        .map(|entry| (entry.name.as_str(), entry.line))
        .collect();
    assert_eq!(
        seen,
        [("cellar", 9), ("kitchen", 2), ("roof.1", 5), ("shed", 7)]
    );
    let devices = entries
        .iter()
        .map(|entry| (&*entry.name, &entry.credential));
    let written = write(devices);
    let again = read(written.expose_secret()).unwrap();
    let prints = |entries: &[Entry]| -> Vec<String> {
        let prints = entries.iter().map(|entry| entry.credential.fingerprint());
        prints.collect()
    };
    assert_eq!(prints(&again), prints(&entries));
}

#[test]
fn each_fault_has_its_line_and_none_shows_a_secret() {
    for (text, part) in [
        (
            "\n[kitchen]\npsk = \"short\"\n",
            "line 2, device kitchen: psk",
        ),
        ("[kitchen]\n", "line 1, device kitchen: it needs one of"),
        (
            "[\"a b\"]\npsk = \"secretPSK1234567\"\n",
            "line 1, device a b",
        ),
        ("[k]\npsk = 7\n", "line 1, device k: write psk"),
        (
            "[k]\nkey = \"secretPSK1234567\"\n",
            "line 1, device k: write psk",
        ),
        ("[k]\npsk = \"secretPSK1234567\"\n[k]\n", "line 3"),
        ("[k]\npsk = \"secretPSK1234567\n", "line 2"),
        ("k = \"secretPSK1234567\"\n", "line 1"),
        (
            "[k]\noscore = { secret = \"secretPSK\", salt = \"\", sender_id = \"01\" }",
            "line 1, device k: oscore: secret",
        ),
        (
            "[k]\noscore = { secret = \"00112233445566778899aabbccddeeff\", salt = \"\", sender_id = \"00\" }",
            "gateway's own",
        ),
    ] {
        let error = read(text).map(|entries| entries.len()).unwrap_err();
        assert!(error.contains(part), "{part:?} is not in {error:?}");
        assert!(!error.contains("secretPSK"), "{error}");
    }
}

#[test]
fn all_faults_are_reported_up_to_a_screen() {
    let lines: String = (0..100).map(|number| format!("[d{number}]\n")).collect();
    let error = read(&lines).map(|entries| entries.len()).unwrap_err();
    assert_eq!(error.lines().count(), 1 + MOST_FAULTS + 1, "{error}");
    assert!(error.ends_with("80 more"), "{error}");
}

#[test]
fn a_file_of_thousands_is_read_without_counting_its_lines_for_each_device() {
    let device = |number: usize| format!("[device{number}]\npsk = \"secretPSK1234567\"\n");
    let file: String = (0..5_000).map(device).collect();
    let began = std::time::Instant::now();
    let entries = read(&file).unwrap();
    let last = entries.iter().find(|entry| entry.name == "device4999");
    assert_eq!(last.map(|entry| entry.line), Some(9_999));
    // With a count for each it took a minute, optimised a second.
    assert!(began.elapsed() < std::time::Duration::from_secs(15));
}
