//! What goes into the program of a device: constants in C, where the examples of each system have theirs.

/// Those of a device with a pre-shared key. Identity and key have no character that C would escape.
pub(super) fn of_key(name: &str, key: &str) -> String {
    let (identity_length, key_length) = (name.len(), key.len());
    let key_bytes = key.bytes().map(|byte| format!("0x{byte:02x}"));
    let key_bytes = key_bytes.collect::<Vec<_>>().join(", ");
    format!(
        "RIOT, tinydtls_keys.h:\n\
         \x20 #define PSK_DEFAULT_IDENTITY \"{name}\"\n\
         \x20 #define PSK_DEFAULT_KEY \"{key}\"\n\
         Zephyr, for tls_credential_add with TLS_CREDENTIAL_PSK_ID (without the last byte) and TLS_CREDENTIAL_PSK:\n\
         \x20 static const char psk_id[] = \"{name}\";\n\
         \x20 static const unsigned char psk[] = {{{key_bytes}}};\n\
         libcoap, for coap_new_client_session_psk2:\n\
         \x20 static coap_dtls_cpsk_t psk_setup = {{\n\
         \x20   .version = COAP_DTLS_CPSK_SETUP_VERSION,\n\
         \x20   .psk_info = {{\n\
         \x20     .identity = {{{identity_length}, (const uint8_t *)\"{name}\"}},\n\
         \x20     .key = {{{key_length}, (const uint8_t *)\"{key}\"}},\n\
         \x20   }},\n\
         \x20 }};"
    )
}

/// Those of a device with a security context, from hexadecimal digits.
pub(super) fn of_context(secret: &str, [salt, sender, recipient]: [&str; 3]) -> String {
    let bytes = |digits: &str| {
        let pairs = digits.as_bytes().chunks(2).map(String::from_utf8_lossy);
        pairs
            .map(|pair| format!("0x{pair}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    format!(
        "RIOT (libOSCORE) and Zephyr (uoscore-uedhoc):\n\
         \x20 static const uint8_t master_secret[] = {{{}}};\n\
         \x20 static const uint8_t master_salt[] = {{{}}};\n\
         \x20 static const uint8_t sender_id[] = {{{}}};\n\
         \x20 static const uint8_t recipient_id[] = {{{}}};\n\
         libcoap 4.3.3 and later, the text for coap_new_oscore_conf:\n\
         \x20 static const char oscore_conf[] =\n\
         \x20   \"master_secret,hex,\\\"{secret}\\\"\\n\"\n\
         \x20   \"master_salt,hex,\\\"{salt}\\\"\\n\"\n\
         \x20   \"sender_id,hex,\\\"{sender}\\\"\\n\"\n\
         \x20   \"recipient_id,hex,\\\"{recipient}\\\"\\n\"\n\
         \x20   \"replay_window,integer,32\\n\"\n\
         \x20   \"aead_alg,integer,10\\n\"\n\
         \x20   \"hkdf_alg,integer,-10\\n\";",
        bytes(secret),
        bytes(salt),
        bytes(sender),
        bytes(recipient)
    )
}
