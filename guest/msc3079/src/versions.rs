//! `GET /versions`, in which clients find out that the gateway speaks low-bandwidth Matrix.

use comatrix_sdk::settings::Settings;
use comatrix_sdk::{Value, json};

use crate::key_version::VERSION;
use crate::settings::dtls_port;

/// The proposal's name, and the one until it is part of the specification.
const NAMES: [&str; 2] = ["m.low_bandwidth", "org.matrix.msc3079.low_bandwidth"];

/// The homeserver's answer with what the gateway offers beside it. An answer that cannot be read stays as it is.
pub fn with_low_bandwidth(settings: &dyn Settings, body: &[u8]) -> Vec<u8> {
    let Ok(Value::Map(mut members)) = json::decode(body) else {
        return body.to_vec();
    };
    let mut features = match members
        .iter()
        .position(|(name, _)| name == "unstable_features")
    {
        Some(index) => match members.remove(index).1 {
            Value::Map(features) => features,
            _ => Vec::new(),
        },
        None => Vec::new(),
    };
    features.retain(|(name, _)| !NAMES.contains(&name.as_str()));
    for name in NAMES {
        features.push((name.to_owned(), offered(settings)));
    }
    members.push(("unstable_features".to_owned(), Value::Map(features)));
    json::encode(&Value::Map(members))
}

fn offered(settings: &dyn Settings) -> Value {
    let number = |name: &str, number: u32| (name.to_owned(), Value::Unsigned(number.into()));
    let port = dtls_port(settings).map(|port| number("dtls", port.into()));
    let enumerations = ["cbor_enum_version", "coap_enum_version"].map(|name| number(name, VERSION));
    Value::Map(port.into_iter().chain(enumerations).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(body: &str, settings: &dyn Settings) -> String {
        String::from_utf8(with_low_bandwidth(settings, body.as_bytes())).expect("JSON is text")
    }

    #[test]
    fn both_names_are_added_to_what_the_homeserver_has() {
        let low = r#"{"dtls":5684,"cbor_enum_version":1,"coap_enum_version":1}"#;
        let both = format!(r#""m.low_bandwidth":{low},"org.matrix.msc3079.low_bandwidth":{low}"#);
        for (body, before) in [
            (
                r#"{"versions":["v1.1"]}"#,
                r#"{"versions":["v1.1"],"unstable_features":{"#,
            ),
            (
                r#"{"unstable_features":{"a":true},"versions":[]}"#,
                r#"{"versions":[],"unstable_features":{"a":true,"#,
            ),
            (
                r#"{"versions":[],"unstable_features":{"m.low_bandwidth":1}}"#,
                r#"{"versions":[],"unstable_features":{"#,
            ),
        ] {
            assert_eq!(with(body, &[]), format!("{before}{both}}}}}"));
        }
    }

    #[test]
    fn a_gateway_without_dtls_names_no_port() {
        assert!(!with("{}", &[("dtls_port", "0")]).contains("dtls"));
        assert!(with("{}", &[("dtls_port", "8008")]).contains(r#""dtls":8008"#));
    }

    #[test]
    fn what_is_no_object_stays_as_it_is() {
        for body in ["", "[]", "<html>"] {
            assert_eq!(with(body, &[]), body);
        }
    }
}
