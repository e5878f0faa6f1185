//! message_1 (RFC 9528 §5.2.1), checked before the library reads it.

use super::curve;
use super::external;
use super::refusal::{Refusal, SUITE};
use crate::cbor_reader::Reader;
use crate::oscore::Identifier;

/// Bytes of the library's buffer.
const LONGEST: usize = lakers::MAX_MESSAGE_SIZE_LEN;
/// Static Diffie-Hellman keys on both sides (RFC 9528 §3.2).
const METHOD: i64 = 3;
/// Suites that the library keeps (`lakers::MAX_SUITES_LEN`).
const MOST_SUITES: u32 = 9;

/// What a message_1 says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message1 {
    /// C_I, the Sender ID of the gateway in the security context.
    pub(super) c_i: Identifier,
    /// The ephemeral key of the device, which may be off the curve: to find out costs as much as a protected request.
    pub(super) g_x: [u8; curve::ELEMENT],
}

/// Reads a message.
pub(super) fn read(bytes: &[u8]) -> Result<Message1, Refusal> {
    let mut reader = Reader::new(bytes);
    let method = reader.int().ok_or(Refusal::Malformed)?;
    let selected = selected_suite(&mut reader)?;
    // The suites first: a device that wants another one may have a key of another curve.
    if selected != i64::from(SUITE) {
        return Err(Refusal::Suite(selected));
    }
    if method != METHOD {
        return Err(Refusal::Method(method));
    }
    let g_x = reader.bytes().and_then(|bytes| bytes.try_into().ok());
    let g_x = g_x.ok_or(Refusal::Malformed)?;
    let c_i = connection_identifier(&mut reader).ok_or(Refusal::Malformed)?;
    external::read(&mut reader)?;
    match bytes.len() <= LONGEST {
        true => Ok(Message1 { c_i, g_x }),
        false => Err(Refusal::TooLong),
    }
}

/// The last one of SUITES_I: one number, or an array of at least two.
fn selected_suite(reader: &mut Reader<'_>) -> Result<i64, Refusal> {
    if let Some(suite) = reader.int() {
        return Ok(suite);
    }
    let suites = reader.array().ok_or(Refusal::Malformed)?;
    if !(2..=MOST_SUITES).contains(&suites) {
        return Err(Refusal::Malformed);
    }
    let mut selected = 0;
    for _ in 0..suites {
        selected = reader.int().ok_or(Refusal::Malformed)?;
    }
    Ok(selected)
}

/// A connection identifier (RFC 9528 §3.3.2): one byte that is the encoding of a small integer is sent as that integer,
/// and never as a byte string. At most 7 bytes, as an identifier of OSCORE.
pub(super) fn connection_identifier(reader: &mut Reader<'_>) -> Option<Identifier> {
    let first = *reader.rest().first()?;
    if let Some(bytes) = reader.bytes() {
        let is_small = matches!(bytes, [byte] if is_small_integer(*byte));
        return (!is_small).then(|| Identifier::new(bytes))?;
    }
    reader.int()?;
    is_small_integer(first).then(|| Identifier::new(&[first]))?
}

/// Whether a byte encodes an integer from -24 to 23.
fn is_small_integer(byte: u8) -> bool {
    matches!(byte, 0x00..=0x17 | 0x20..=0x37)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edhoc::tests::{hex, trace};

    const G_X: &str = "58208af6f430ebe18d34184017a9a11bf511c8dff8f834730b96c1b7c8dbca2fc3b6";

    fn read(before: &str, after: &str) -> Result<Identifier, Refusal> {
        let bytes = hex(&format!("{before}{G_X}{after}"));
        super::read(&bytes).map(|message| message.c_i)
    }

    #[test]
    fn the_message_of_the_trace_is_read() {
        let message = super::read(&hex(trace::MESSAGE_1)).expect("it is good");
        assert_eq!(message.c_i.as_bytes(), [0x37]);
        assert_eq!(message.g_x.to_vec(), hex(G_X)[2..]);
    }

    #[test]
    fn identifiers_have_one_spelling_and_at_most_seven_bytes() {
        for (spelled, bytes) in [
            ("00", "00"),
            ("17", "17"),
            ("37", "37"),
            ("40", ""),
            ("4118", "18"),
            ("420102", "0102"),
            ("4701020304050607", "01020304050607"),
        ] {
            let c_i = read("0302", spelled).expect(spelled);
            assert_eq!(c_i.as_bytes(), hex(bytes), "{spelled}");
        }
        for wrong in [
            "",
            "1818",
            "3818",
            "4101",
            "4120",
            "480102030405060708",
            "6130",
            "f5",
            "8101",
        ] {
            assert_eq!(read("0302", wrong), Err(Refusal::Malformed), "{wrong}");
        }
    }

    #[test]
    fn another_suite_or_method_is_named_and_a_critical_item_is_refused() {
        for (before, refusal) in [
            ("0300", Refusal::Suite(0)),
            ("03820203", Refusal::Suite(3)),
            ("03821820382a", Refusal::Suite(-43)),
            ("0002", Refusal::Method(0)),
            ("0000", Refusal::Suite(0)),
            ("038102", Refusal::Malformed),
            ("038a02020202020202020202", Refusal::Malformed),
            ("03f5", Refusal::Malformed),
            ("f502", Refusal::Malformed),
        ] {
            assert_eq!(read(before, "01"), Err(refusal), "{before}");
        }
        assert!(read("03820302", "01").is_ok());
        assert!(read("0302", "010f").is_ok(), "an item that is not critical");
        assert_eq!(read("0302", "0120"), Err(Refusal::CriticalData(1)));
        assert_eq!(
            read("0302", &format!("010058a0{}", "00".repeat(160))),
            Err(Refusal::TooLong)
        );
    }
}
