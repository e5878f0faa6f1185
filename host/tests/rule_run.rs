//! `comatrix-gateway rule run` and `rule compile`: the output for an exchange, and native code.

use std::fs;

use runtime::DEFAULT_RULE;

use crate::rule_commands::{fails, folder_with_rule, ok};
use crate::scratch;

#[test]
fn a_run_prints_each_effect_of_an_exchange() {
    let folder = folder_with_rule("commands-run");
    let out = ok(
        &folder,
        &[
            "run",
            "mine.wasm",
            "--request",
            "GET /test accept=50",
            "--upstream-response",
            "200 {\"b\": [true]}",
        ],
    );
    assert_eq!(
        out,
        "-> GET /test  (link /test)\n   Accept (17): 50 (application/json)\n\
        => call 1: GET /needed  upstream standard, credential none\n   state, 3 bytes\n\
        <= 200\n   header content-type: application/json\n   body, 13 bytes: {\"b\": [true]}\n\
        <- 2.05 Content\n   Content-Format (12): 50 (application/json)\n   payload, 7 bytes: {\"a\": 1}\n"
    );
    fails(
        &folder,
        &["run", "mine.wasm", "--request", "GET /test"],
        2,
        &["=> call 1: GET /needed", "one more --upstream-response"],
    );
    for (request, response) in [
        ("GET /else", "<- 4.04 Not Found, from the gateway"),
        ("POST /test", "<- 4.05"),
    ] {
        let out = ok(&folder, &["run", "mine.wasm", "--request", request]);
        assert!(out.contains(response), "{out}");
    }
    let out = ok(
        &folder,
        &[
            "run",
            "mine.wasm",
            "--request",
            "GET /test",
            "--upstream-response",
            "error:unreachable",
            "--upstream-response",
            "200",
        ],
    );
    assert!(
        out.contains("<= no response: unreachable")
            && out.contains("1 of --upstream-response were not used"),
        "{out}"
    );
}

#[test]
fn a_run_of_the_default_rule_prints_cbor_decoded_and_json_complete() {
    let folder = scratch::folder("commands-default");
    fs::write(folder.join("comatrix.wasm"), DEFAULT_RULE).unwrap();
    let request = "PUT /send cf=60 payload={\"msgtype\": \"m.text\", \"body\": \"21.5 C\"}";
    let args = [
        "run",
        "comatrix.wasm",
        "--json",
        "--request",
        request,
        "--proxy-uri",
        "/9/!r:h/m.room.message/7",
        "--upstream-response",
        "200 {\"event_id\": \"$x\"}",
    ];
    let out: serde_json::Value = serde_json::from_str(&ok(&folder, &args)).unwrap();
    let events = out["events"].as_array().unwrap();
    let names: Vec<_> = events
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["request", "deliver", "outcome", "answer"]);
    assert_eq!(events[0]["payload"]["value"]["body"], "21.5 C");
    assert_eq!(events[1]["path"][4], "!r:h");
    assert_eq!(events[1]["lane"], "!r:h");
    assert_eq!(events[1]["transaction"], "7");
    assert_eq!(events[1]["body"]["value"]["body"], "21.5 C");
    assert_eq!(events[3]["code"], "2.04");
    assert_eq!(events[3]["payload"]["value"]["event_id"], "$x");
}

#[test]
fn a_run_prints_lane_and_transaction_of_a_delivery_for_people() {
    let folder = scratch::folder("commands-delivery");
    fs::write(folder.join("comatrix.wasm"), DEFAULT_RULE).unwrap();
    let args = [
        "run",
        "comatrix.wasm",
        "--request",
        "PUT /send/!r:h/7 cf=0 payload=21.5 C",
        "--upstream-response",
        "200 {\"event_id\": \"$x\"}",
    ];
    let out = ok(&folder, &args);
    for part in [
        "=> delivery 1: PUT /_matrix/client/v3/rooms/!r:h/send/m.room.message  upstream",
        "lane !r:h, transaction 7",
        "the gateway appends the transaction id",
        "<- 2.04",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let out = ok(&folder, &["check", "comatrix.wasm"]);
    assert!(out.contains("ok    outbox: exported"), "{out}");
}

#[test]
fn a_run_with_observe_polls_with_the_remaining_responses() {
    let folder = scratch::folder("commands-observe");
    fs::write(folder.join("comatrix.wasm"), DEFAULT_RULE).unwrap();
    let message = |id: &str, body: &str| {
        format!(
            r#"{{"type":"m.room.message","event_id":"{id}","sender":"@a:h","content":{}}}"#,
            format_args!(r#"{{"msgtype":"m.text","body":"{body}"}}"#)
        )
    };
    let response = |next: &str, limited: bool, events: &str| {
        format!(
            r#"200 {{"next_batch":"{next}","rooms":{{"join":{{"!r:h":{{"timeline":{}}}}}}}}}"#,
            format_args!(r#"{{"events":[{events}],"limited":{limited}}}"#)
        )
    };
    let responses = [
        response("s1", false, &message("$1", "one")),
        response("s2", false, &message("$2", "two")),
        "error:cut-off sent".to_owned(),
        response("s3", true, &message("$3", "three")),
    ];
    let mut args = vec!["run", "comatrix.wasm", "--request"];
    args.push("GET /getmsg/!r:h accept=50 observe=0");
    for response in &responses {
        args.extend(["--upstream-response", response]);
    }
    let out = ok(&folder, &args);
    for part in [
        "starts an observation of !r:h",
        r#"payload, 30 bytes: {"body": "one", "sender": "@a:h"}"#,
        "held for 30000 ms",
        r#"payload, 30 bytes: {"body": "two", "sender": "@a:h"}"#,
        "query since=s2",
        "messages were lost",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert!(!out.contains("not used"), "{out}");
    // Without Observe the same responses are too many.
    args[3] = "GET /getmsg/!r:h";
    let page = r#"200 {"chunk":[]}"#;
    args[5] = page;
    let out = ok(&folder, &args);
    assert!(
        out.contains("4.04") && out.contains("3 of --upstream-response"),
        "{out}"
    );
}

#[test]
fn compiled_code_is_written_beside_the_component_or_to_the_output_path() {
    let folder = folder_with_rule("commands-compile");
    let out = ok(&folder, &["compile", "mine.wasm"]);
    assert!(
        out.starts_with("mine.cwasm: ") && out.contains("native code"),
        "{out}"
    );
    ok(&folder, &["compile", "mine.wasm", "-o", "other.cwasm"]);
    assert!(
        fs::read(folder.join("other.cwasm"))
            .unwrap()
            .starts_with(b"\x7fELF")
    );
    assert_eq!(
        fs::read(folder.join("mine.cwasm")).unwrap(),
        fs::read(folder.join("other.cwasm")).unwrap()
    );
    fails(
        &folder,
        &["compile", "mine.wasm", "-o", "no/such/folder.cwasm"],
        2,
        &["choose a folder"],
    );
}
