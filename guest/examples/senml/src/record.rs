//! A SenML record as it comes (RFC 8428 §4): labels and their values.

use crate::decimal::Decimal;

/// Labels with their numbers in CBOR (RFC 8428 §6, table 4).
const LABELS: &[(i64, &str)] = &[
    (-1, "bver"),
    (-2, "bn"),
    (-3, "bt"),
    (-4, "bu"),
    (-5, "bv"),
    (-6, "bs"),
    (0, "n"),
    (1, "u"),
    (2, "v"),
    (3, "vs"),
    (4, "vb"),
    (5, "s"),
    (6, "t"),
    (7, "ut"),
    (8, "vd"),
];

/// The label with this number in CBOR.
pub fn label(number: i64) -> Option<&'static str> {
    let found = LABELS.iter().find(|(label, _)| *label == number);
    found.map(|(_, label)| *label)
}

/// The value of a label.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// A number.
    Number(Decimal),
    /// Text.
    Text(String),
    /// A truth value.
    Bool(bool),
    /// Bytes (only in CBOR; in JSON they are text).
    Bytes(Vec<u8>),
    /// Anything else, which only labels of extensions have.
    Other,
}

/// One record, with its base fields not yet applied. Numbers are exact.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    /// Base Name.
    pub bn: Option<String>,
    /// Base Time.
    pub bt: Option<Decimal>,
    /// Base Unit.
    pub bu: Option<String>,
    /// Base Value.
    pub bv: Option<Decimal>,
    /// Base Sum.
    pub bs: Option<Decimal>,
    /// Base Version.
    pub bver: Option<Decimal>,
    /// Name.
    pub n: Option<String>,
    /// Unit.
    pub u: Option<String>,
    /// Value.
    pub v: Option<Decimal>,
    /// String Value.
    pub vs: Option<String>,
    /// Boolean Value.
    pub vb: Option<bool>,
    /// Data Value, in base64url (RFC 8428 §5).
    pub vd: Option<String>,
    /// Sum.
    pub s: Option<Decimal>,
    /// Time.
    pub t: Option<Decimal>,
    /// Update Time.
    pub ut: Option<Decimal>,
}

impl Record {
    /// Sets a label. Unknown ones are passed over, unless they end with `_`, which says that a receiver must
    /// understand them (RFC 8428 §4.4). The error is the reason.
    pub fn set(&mut self, label: &str, scalar: Scalar) -> Result<(), String> {
        let set = match label {
            "bn" => text(&mut self.bn, scalar),
            "bt" => number(&mut self.bt, scalar),
            "bu" => text(&mut self.bu, scalar),
            "bv" => number(&mut self.bv, scalar),
            "bs" => number(&mut self.bs, scalar),
            "bver" => number(&mut self.bver, scalar),
            "n" => text(&mut self.n, scalar),
            "u" => text(&mut self.u, scalar),
            "v" => number(&mut self.v, scalar),
            "vs" => text(&mut self.vs, scalar),
            "vb" => match scalar {
                Scalar::Bool(truth) => once(&mut self.vb, truth),
                _ => Err("must be true or false"),
            },
            "vd" => match scalar {
                Scalar::Bytes(bytes) => once(&mut self.vd, base64url(&bytes)),
                scalar => text(&mut self.vd, scalar),
            },
            "s" => number(&mut self.s, scalar),
            "t" => number(&mut self.t, scalar),
            "ut" => number(&mut self.ut, scalar),
            unknown if unknown.ends_with('_') => Err("must be understood, and is not"),
            _ => Ok(()),
        };
        set.map_err(|what| format!("label {label}: {what}"))
    }
}

fn text(field: &mut Option<String>, scalar: Scalar) -> Result<(), &'static str> {
    match scalar {
        Scalar::Text(text) => once(field, text),
        _ => Err("must be text"),
    }
}

fn number(field: &mut Option<Decimal>, scalar: Scalar) -> Result<(), &'static str> {
    match scalar {
        Scalar::Number(number) => once(field, number),
        _ => Err("must be a number"),
    }
}

fn once<T>(field: &mut Option<T>, value: T) -> Result<(), &'static str> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err("stands twice in the record"),
    }
}

/// Without padding (RFC 4648 §5).
fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..=chunk.len() {
            let six = bits >> (18 - 6 * place) & 0x3f;
            text.push(char::from(ALPHABET[six as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_base64url_without_padding() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"f", "Zg"),
            (b"fo", "Zm8"),
            (b"foo", "Zm9v"),
            (b"\xfb\xff\xfe", "-__-"),
        ] {
            assert_eq!(base64url(bytes), text);
        }
    }

    #[test]
    fn a_label_has_its_type_and_stands_once() {
        let mut record = Record::default();
        assert_eq!(record.set("vb", Scalar::Bool(true)), Ok(()));
        assert!(record.set("vb", Scalar::Bool(true)).is_err());
        assert!(record.set("n", Scalar::Bool(true)).is_err());
        assert!(record.set("v", Scalar::Text("1".into())).is_err());
        assert_eq!(record.set("vendor", Scalar::Other), Ok(()));
        assert!(record.set("vendor_", Scalar::Other).is_err());
    }
}
