//! Devices as text for a terminal.

use contract::escaping::escaped;

use super::constants;
use super::edhoc_wording;
use super::request::{DeviceLine, DeviceList, Enrolment, Method, Secret};

/// Bytes of a text in a line.
const MAX_TEXT: usize = 200;

/// Above the constants of each system.
const IN_C: &str = "Constants in C:\n";

/// The list.
pub(super) fn list(list: &DeviceList) -> String {
    if list.devices.is_empty() {
        return "no devices are enrolled; `comatrix-gateway devices add NAME` enrols one with --psk, --oscore, \
                --certificate FILE or --edhoc PUBLIC_KEY"
            .to_owned();
    }
    let mut lines: Vec<String> = list.devices.iter().map(line).collect();
    if list.left_out > 0 {
        lines.push(format!("{} more are not shown", list.left_out));
    }
    lines.join("\n")
}

fn line(device: &DeviceLine) -> String {
    let enrolled = match device.enrolled {
        Some(seconds) => format!("since {}", date(seconds)),
        None => "since a time when the clock was not set".to_owned(),
    };
    let expires = match device.expires {
        Some(seconds) => format!(", valid until {}", date(seconds)),
        None => String::new(),
    };
    let mut line = format!(
        "{}  {} {}{expires}, {enrolled}",
        escaped(&device.name, 64),
        method(device.method),
        escaped(&device.fingerprint, 64)
    );
    for session in &device.sessions {
        let since = session
            .opened
            .map(|opened| format!(", since {}", date(opened)));
        line += &format!(
            "\n  logged in as {} at {}{}",
            escaped(&session.user, 255),
            escaped(&session.homeserver, MAX_TEXT),
            since.unwrap_or_default()
        );
    }
    line
}

fn method(method: Method) -> &'static str {
    match method {
        Method::Psk => "pre-shared key",
        Method::Oscore => "OSCORE secret",
        Method::Certificate => "certificate",
        Method::Edhoc => "EDHOC public key",
    }
}

/// A day, from seconds since 1970 (the civil calendar from days, after Howard Hinnant's description of it).
fn date(seconds: u64) -> String {
    let days = seconds / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// What goes into the device, and commands that work as they stand on the gateway's machine.
pub(super) fn enrolment(enrolment: &Enrolment) -> String {
    let name = &enrolment.device.name;
    match &enrolment.secret {
        Secret::Psk { key, port } => format!(
            "{}\n\n{IN_C}\n{}",
            with_key(name, &key.0, port.as_ref()),
            constants::of_key(name, &key.0)
        ),
        Secret::Oscore {
            secret,
            salt,
            sender_id,
            recipient_id,
        } => {
            let [salt, sender, recipient] = [salt, sender_id, recipient_id];
            format!(
                "{}\n\n{IN_C}\n{}",
                with_context(name, &secret.0, [salt, sender, recipient]),
                constants::of_context(&secret.0, [salt, sender, recipient])
            )
        }
        Secret::Certificate { port } => with_certificate(name, port.as_ref()),
        Secret::Edhoc {
            device,
            gateway,
            is_made,
        } => edhoc_wording::enrolment(name, device, gateway, *is_made),
    }
}

fn with_context(name: &str, secret: &str, [salt, sender, recipient]: [&str; 3]) -> String {
    format!(
        "device {name} is enrolled with a security context for OSCORE, which is shown only now:\n\
         \n\
         master secret  {secret}\n\
         master salt    {salt}\n\
         sender ID      {sender}\n\
         recipient ID   {recipient}\n\
         (hexadecimal; AES-CCM-16-64-128, HKDF with SHA-256, no ID Context)\n\
         \n\
         Try it on this machine; elsewhere, write the gateway's name in place of localhost:\n\
         \n\
         aiocoap 0.4, which keeps sequence numbers in the folder:\n\
         \x20 mkdir {name}; echo '{{\"sender-id_hex\": \"{sender}\", \"recipient-id_hex\": \"{recipient}\", \
         \"secret_hex\": \"{secret}\", \"salt_hex\": \"{salt}\"}}' > {name}/settings.json\n\
         \x20 echo '{{\"coap://localhost/*\": {{\"oscore\": {{\"basedir\": \"{name}/\"}}}}}}' > {name}.json\n\
         \x20 aiocoap-client --credentials {name}.json coap://localhost/time\n\
         libcoap 4.3.4 and later (Debian 13):\n\
         \x20 printf '%s\\n' 'master_secret,hex,\"{secret}\"' 'master_salt,hex,\"{salt}\"' \
         'sender_id,hex,\"{sender}\"' 'recipient_id,hex,\"{recipient}\"' 'replay_window,integer,32' \
         'aead_alg,integer,10' 'hkdf_alg,integer,-10' > {name}.oscore\n\
         \x20 coap-client-openssl -E {name}.oscore,{name}.seq coap://localhost/time"
    )
}

fn with_key(name: &str, key: &str, port: Result<&u16, &String>) -> String {
    let head = format!(
        "device {name} is enrolled with a pre-shared key, which is shown only now:\n\
         \n\
         identity  {name}\n\
         key       {key}   (16 characters, used as ASCII)\n\
         \n"
    );
    let uri = match uri(port) {
        Ok(uri) => uri,
        Err(reason) => return format!("{head}{reason}"),
    };
    format!(
        "{head}Try it on this machine; elsewhere, write the gateway's name in place of localhost:\n\
         \n\
         libcoap with OpenSSL (Debian: libcoap3-bin):\n\
         \x20 coap-client-openssl -B 5 -u {name} -k {key} {uri}/time\n\
         libcoap with GnuTLS:\n\
         \x20 coap-client-gnutls -B 5 -u {name} -k {key} {uri}/time\n\
         aiocoap 0.4 with DTLSSocket:\n\
         \x20 echo '{{\"{uri}/*\": {{\"dtls\": {{\"psk\": {{\"ascii\": \"{key}\"}}, \"client-identity\": \
         {{\"ascii\": \"{name}\"}}}}}}}}' > {name}.json\n\
         \x20 aiocoap-client --credentials {name}.json {uri}/time\n\
         \n\
         OpenSSL 3.2 and later (Debian 13) offers PSK_AES128_CCM_8 only with CipherString = DEFAULT:@SECLEVEL=0 in the \
         file\nthat OPENSSL_CONF names."
    )
}

fn with_certificate(name: &str, port: Result<&u16, &String>) -> String {
    let head =
        format!("device {name} is enrolled with its certificate, and no other is accepted.\n\n");
    let uri = match uri(port) {
        Ok(uri) => uri,
        Err(reason) => return format!("{head}{reason}"),
    };
    format!(
        "{head}Try it on this machine, with its certificate and key in {name}.pem and {name}.key, and in ca.pem the \
         certificate of\nthe authority that signed the gateway's, or the gateway's own if it signed itself:\n\
         \n\
         libcoap with OpenSSL (Debian: libcoap3-bin):\n\
         \x20 coap-client-openssl -B 5 -c {name}.pem -j {name}.key -R ca.pem {uri}/time\n\
         libcoap with GnuTLS:\n\
         \x20 coap-client-gnutls -B 5 -c {name}.pem -j {name}.key -R ca.pem {uri}/time"
    )
}

/// Where the device connects; else why it cannot.
fn uri(port: Result<&u16, &String>) -> Result<String, String> {
    match port {
        Ok(5684) => Ok("coaps://localhost".to_owned()),
        Ok(port) => Ok(format!("coaps://localhost:{port}")),
        Err(reason) => Err(format!(
            "It cannot connect yet: {}",
            escaped(reason, MAX_TEXT)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::request::{Method, Secret, SessionLine, ShownSecret};
    use super::*;

    fn kitchen() -> DeviceLine {
        DeviceLine {
            name: "kitchen".to_owned(),
            method: Method::Psk,
            fingerprint: "0123456789abcdef".to_owned(),
            enrolled: Some(1_709_164_800),
            expires: None,
            sessions: Vec::new(),
        }
    }

    #[test]
    fn the_list_shows_fingerprints_and_days() {
        let mut devices = DeviceList::default();
        assert!(list(&devices).contains("devices add"));
        devices.devices.push(kitchen());
        devices.left_out = 2;
        assert_eq!(
            list(&devices),
            "kitchen  pre-shared key 0123456789abcdef, since 2024-02-29\n2 more are not shown"
        );
        let days = [0, 951_782_400, 951_868_800, 1_796_083_199].map(date);
        assert_eq!(
            days,
            ["1970-01-01", "2000-02-29", "2000-03-01", "2026-11-30"]
        );
    }

    #[test]
    fn a_device_is_shown_with_its_logins() {
        let session = |opened| SessionLine {
            homeserver: "https://h".to_owned(),
            user: "@kitchen:h".to_owned(),
            opened,
        };
        let device = DeviceLine {
            sessions: vec![session(Some(1_709_164_800)), session(None)],
            ..kitchen()
        };
        assert_eq!(
            line(&device),
            "kitchen  pre-shared key 0123456789abcdef, since 2024-02-29\n  logged in as @kitchen:h at https://h, \
             since 2024-02-29\n  logged in as @kitchen:h at https://h"
        );
    }

    #[test]
    fn an_enrolment_has_commands_with_the_key_and_the_port() {
        let with = |port| Enrolment {
            device: kitchen(),
            secret: Secret::Psk {
                key: ShownSecret("secretPSK1234567".to_owned()),
                port,
            },
        };
        let text = enrolment(&with(Ok(5684)));
        for part in [
            "coap-client-openssl -B 5 -u kitchen -k secretPSK1234567 coaps://localhost/time",
            r#"'{"coaps://localhost/*": {"dtls": {"psk": {"ascii": "secretPSK1234567"}, "#,
            r#""client-identity": {"ascii": "kitchen"}}}}' > kitchen.json"#,
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(!format!("{:?}", with(Ok(1))).contains("secretPSK"));
        assert!(enrolment(&with(Ok(1))).contains("coaps://localhost:1/time"));
        let text = enrolment(&with(Err("switched off".to_owned())));
        assert!(
            text.contains("secretPSK")
                && text.contains("switched off")
                && !text.contains("coap-client")
        );
    }
}
