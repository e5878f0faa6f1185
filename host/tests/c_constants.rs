//! The constants in C that `comatrix-gateway devices add` prints: they compile, and libcoap connects with them.

use std::path::Path;
use std::process::Command;

use crate::coaps_stage::Stage;
use crate::enrolment_lines::{assert_time, commands};

/// What comes with Zephyr and RIOT on a device, as far as the constants need it.
const HEAD: &str = "#include <stdint.h>\n#include <stdio.h>\n#include <string.h>\n";

/// GETs the time of the port in its argument.
const CLIENT: &str = r#"
static int is_done;

static coap_response_t on_response(coap_session_t *session, const coap_pdu_t *sent,
                                   const coap_pdu_t *received, coap_mid_t mid) {
  size_t length;
  const uint8_t *payload;
  (void)session; (void)sent; (void)mid;
  if (coap_get_data(received, &length, &payload))
    printf("%.*s\n", (int)length, (const char *)payload);
  is_done = 1;
  return COAP_RESPONSE_OK;
}

int main(int count, char **words) {
  coap_address_t gateway;
  coap_startup();
  if (count < 2)
    return 1;
  coap_address_init(&gateway);
  gateway.addr.sin.sin_family = AF_INET;
  gateway.addr.sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  gateway.addr.sin.sin_port = htons((uint16_t)atoi(words[1]));
  coap_context_t *context = coap_new_context(NULL);
  coap_register_response_handler(context, on_response);
  coap_session_t *session =
      coap_new_client_session_psk2(context, NULL, &gateway, COAP_PROTO_DTLS, &psk_setup);
  if (!session)
    return 1;
  coap_pdu_t *request = coap_new_pdu(COAP_MESSAGE_CON, COAP_REQUEST_CODE_GET, session);
  coap_add_option(request, COAP_OPTION_URI_PATH, 4, (const uint8_t *)"time");
  coap_send(session, request);
  for (int turn = 0; turn < 100 && !is_done; turn++)
    coap_io_process(context, 100);
  coap_session_release(session);
  coap_free_context(context);
  coap_cleanup();
  return !is_done;
}
"#;

/// Compiles a program without a warning.
fn compile(folder: &Path, name: &str, source: &str, libraries: &[&str]) {
    let file = format!("{name}.c");
    std::fs::write(folder.join(&file), source).expect("the folder is the test's");
    let compiled = Command::new("cc")
        .args([
            "-std=gnu11",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-o",
            name,
            &file,
        ])
        .args(libraries)
        .current_dir(folder)
        .output()
        .expect("a C compiler links Rust programs, too");
    let said = String::from_utf8_lossy(&compiled.stderr);
    assert!(
        compiled.status.success(),
        "run `cargo xtask setup`; {said}\n{source}"
    );
}

/// What a program prints.
fn run(folder: &Path, name: &str, words: &[&str]) -> String {
    let output = Command::new(folder.join(name)).args(words).output();
    let output = output.expect("it was compiled");
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&said).into_owned()
}

/// A program with these constants that prints the bytes of some of them.
fn printing(constants: &[&str], names: &[&str]) -> String {
    let prints = names.iter().map(|name| {
        format!(
            "for (size_t at = 0; at < sizeof({name}); at++) printf(\"%02x\", {name}[at]);\n\
             printf(\"\\n\");\n"
        )
    });
    let prints: String = prints.collect();
    format!(
        "{HEAD}{}\nint main(void) {{\n{prints}return 0;\n}}\n",
        constants.join("\n")
    )
}

fn digits(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_constants_of_a_key_compile_and_libcoap_gets_the_time_with_them() {
    let stage = Stage::start("constants-psk");
    let folder = stage.running.folder.clone();
    let (code, said) = stage.devices(&["add", "kitchen", "--psk"]);
    assert_eq!(code, 0, "{said}");
    let line = said.lines().find(|line| line.starts_with("key "));
    let key = line.and_then(|line| line.split_whitespace().nth(1));
    let key = digits(key.expect("it is shown"));

    let riot = commands(&said, "RIOT, tinydtls_keys.h:");
    let uses = "static const uint8_t id[] = PSK_DEFAULT_IDENTITY;\n\
        static const uint8_t key[] = PSK_DEFAULT_KEY;";
    let source = printing(&[&riot[..], &[uses]].concat(), &["id", "key"]);
    compile(&folder, "riot", &source, &[]);
    let expected = format!("{}00\n{key}00\n", digits("kitchen"));
    assert_eq!(run(&folder, "riot", &[]), expected);

    let zephyr = commands(&said, "Zephyr, for tls_credential_add");
    compile(
        &folder,
        "zephyr",
        &printing(&zephyr, &["psk_id", "psk"]),
        &[],
    );
    let expected = format!("{}00\n{key}\n", digits("kitchen"));
    assert_eq!(run(&folder, "zephyr", &[]), expected);

    let libcoap = commands(&said, "libcoap, for coap_new_client_session_psk2:");
    let includes = "#include <coap3/coap.h>\n#include <netinet/in.h>\n#include <stdlib.h>\n";
    let source = format!("{HEAD}{includes}{}\n{CLIENT}", libcoap.join("\n"));
    let port = stage.coaps_port().to_string();
    for library in ["gnutls", "openssl"] {
        let library_name = format!("-lcoap-3-{library}");
        compile(&folder, library, &source, &[&library_name]);
        assert_time(&run(&folder, library, &[&port]));
    }
}

#[test]
fn the_constants_of_a_security_context_compile_and_are_those_that_are_shown() {
    let stage = Stage::start("constants-oscore");
    let folder = stage.running.folder.clone();
    let (code, said) = stage.devices(&["add", "kitchen", "--oscore"]);
    assert_eq!(code, 0, "{said}");
    let shown = |title: &str| {
        let line = said.lines().find(|line| line.starts_with(title));
        let digits = line.and_then(|line| line.split_whitespace().nth(2));
        digits.expect("it is shown").to_owned()
    };
    let values = ["master secret", "master salt", "sender ID", "recipient ID"].map(shown);

    let bytes = commands(&said, "RIOT (libOSCORE)");
    let names = ["master_secret", "master_salt", "sender_id", "recipient_id"];
    compile(&folder, "bytes", &printing(&bytes, &names), &[]);
    assert_eq!(run(&folder, "bytes", &[]), values.join("\n") + "\n");

    let text = commands(&said, "libcoap 4.3.3 and later, the text");
    let source = format!(
        "{HEAD}{}\nint main(void) {{ return fputs(oscore_conf, stdout) < 0; }}\n",
        text.join("\n")
    );
    compile(&folder, "text", &source, &[]);
    // The same text as in the file for libcoap's client.
    let file = commands(&said, "libcoap 4.3.4 and later (Debian 13)")[0];
    let printed = Command::new("sh")
        .args(["-ec", file])
        .current_dir(&folder)
        .status();
    assert!(printed.is_ok_and(|status| status.success()));
    let expected = std::fs::read_to_string(folder.join("kitchen.oscore")).expect("it was printed");
    assert_eq!(run(&folder, "text", &[]), expected);
}
