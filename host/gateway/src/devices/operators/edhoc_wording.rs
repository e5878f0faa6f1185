//! What goes into a device with a key pair, as text for a terminal.

use super::request::ShownCcs;

/// The two credentials, and commands that work as they stand on the gateway's machine once the device's private key is
/// beside them.
pub(super) fn enrolment(
    name: &str,
    device: &ShownCcs,
    gateway: &ShownCcs,
    is_made: bool,
) -> String {
    let origin = match is_made {
        true => "which the gateway has made from its public key",
        false => "as it was given",
    };
    let (own, peer) = (&device.diagnostic, &gateway.diagnostic);
    format!(
        "device {name} is enrolled with a public key, for EDHOC and OSCORE. Both sides need both credentials, byte by \
         byte:\n\
         \n\
         of the device (kid {}), {origin}:\n\
         \x20 {}\n\
         of the gateway (kid {}):\n\
         \x20 {}\n\
         (CCS in hexadecimal digits; EDHOC method 3, cipher suite 2)\n\
         \n\
         comatrix-gateway device, with the 64 hexadecimal digits of the device's private key in place of PRIVATE:\n\
         \x20 umask 077; printf '%s\\n' 'private_key,hex,\"PRIVATE\"' 'credential,hex,\"{}\"' \
         'gateway,hex,\"{}\"' > {name}.edhoc\n\
         \x20 comatrix-gateway device --edhoc {name}.edhoc time\n\
         \n\
         Try it on this machine, with the private key of the device in {name}.cosekey, where aiocoap-keygen writes it; \
         elsewhere,\nwrite the gateway's name in place of localhost:\n\
         \n\
         aiocoap 0.4 with lakers-python 0.6:\n\
         cat > {name}.diag <<'END'\n\
         {{\"coap://localhost/*\": {{\"edhoc-oscore\": {{\"suite\": 2, \"method\": 3, \"own_cred_style\": \
         \"by-key-id\", \"own_cred\": {{14: {own}}}, \"private_key_file\": \"{name}.cosekey\", \"peer_cred\": \
         {{14: {peer}}}}}}}}}\n\
         END\n\
         aiocoap-client --credentials {name}.diag coap://localhost/time",
        device.kid, device.hex, gateway.kid, gateway.hex, device.hex, gateway.hex
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enrolment_has_both_credentials_and_a_file_for_aiocoap() {
        let ccs = |kid: &str| ShownCcs {
            hex: format!("a108{kid}"),
            diagnostic: format!("{{8: {kid}}}"),
            kid: kid.to_owned(),
        };
        let text = enrolment("kitchen", &ccs("01"), &ccs("00"), true);
        for part in [
            "of the device (kid 01), which the gateway has made from its public key:\n  a10801\n",
            "of the gateway (kid 00):\n  a10800\n",
            "'credential,hex,\"a10801\"' 'gateway,hex,\"a10800\"' > kitchen.edhoc\n",
            "{\"coap://localhost/*\": {\"edhoc-oscore\": {\"suite\": 2, \"method\": 3, ",
            "\"own_cred\": {14: {8: 01}}, \"private_key_file\": \"kitchen.cosekey\", ",
            "\"peer_cred\": {14: {8: 00}}}}}\nEND\naiocoap-client --credentials kitchen.diag ",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(enrolment("kitchen", &ccs("01"), &ccs("00"), false).contains("as it was given"));
    }
}
