//! The values of payloads in JSON and in CBOR.

/// Arrays and maps within each other: [`cbor::decode`](crate::cbor::decode) and [`json::decode`](crate::json::decode)
/// refuse more. Real Matrix content has about ten; each level costs a few hundred bytes of a rule's 16 KiB stack.
pub const MAX_DEPTH: usize = 32;

/// Values of one payload, keys included; the decoders refuse more. It keeps the worst payload within an instance's
/// 2 MiB (a value takes 16 bytes, and up to 5 times as many as the only element of an array) and within a call's
/// 20 ms. A Matrix event of 65,536 bytes with as many values would have 8 bytes for each.
pub const MAX_VALUES: usize = 8192;

/// A value of JSON or CBOR. Every JSON value has exactly one form here, and so has every CBOR value that JSON can
/// carry.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer from 0 to 2^64 − 1 (RFC 8949 §3.1, major type 0).
    Unsigned(u64),
    /// The integer −1 − n (RFC 8949 §3.1, major type 1): from −2^64 to −1.
    Negative(u64),
    /// A number with a fraction or an exponent. The decoders let only finite ones in; JSON has no others.
    Float(f64),
    /// Text.
    Text(String),
    /// Values in their order.
    Array(Vec<Value>),
    /// Pairs in their order. The decoders let no key occur twice.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// A map's value for `key`; none if there is no such key, or if this is no map.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Map(pairs) => pairs
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The integer, if it is one and not negative.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Value::Unsigned(number) => Some(*number),
            _ => None,
        }
    }

    /// A map of these pairs, in their order.
    pub fn map<const N: usize>(pairs: [(&str, Value); N]) -> Value {
        Value::Map(pairs.map(|(key, value)| (key.to_owned(), value)).into())
    }

    /// A map of these texts, in their order.
    pub fn texts<const N: usize>(pairs: [(&str, &str); N]) -> Value {
        Value::Map(
            pairs
                .map(|(key, text)| (key.to_owned(), Value::Text(text.to_owned())))
                .into(),
        )
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        match u64::try_from(number) {
            Ok(number) => Value::Unsigned(number),
            // −1 − n in two's complement is n with every bit inverted.
            Err(_) => Value::Negative(!number as u64),
        }
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Value {
        Value::from(i64::from(number))
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Value {
        Value::Unsigned(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value::Bool(truth)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<Vec<Value>> for Value {
    fn from(values: Vec<Value>) -> Value {
        Value::Array(values)
    }
}

/// The first key that occurs twice.
pub(crate) fn repeated_key(pairs: &[(String, Value)]) -> Option<&str> {
    // Indices in the order of the keys. A BTreeSet would do the same for four kilobytes of component.
    let mut sorted: Vec<usize> = Vec::new();
    for (index, (key, _)) in pairs.iter().enumerate() {
        match sorted.binary_search_by(|earlier| pairs[*earlier].0.cmp(key)) {
            Ok(_) => return Some(key),
            Err(place) => sorted.insert(place, index),
        }
    }
    None
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Any value within the bounds, with integers down to `lowest` (as `Negative`'s n).
    pub(crate) fn any_value(lowest: u64) -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<u64>().prop_map(Value::Unsigned),
            (0..=lowest).prop_map(Value::Negative),
            prop::num::f64::NORMAL.prop_map(Value::Float),
            (prop::num::f64::SUBNORMAL | prop::num::f64::ZERO).prop_map(Value::Float),
            any::<i32>().prop_map(|whole| Value::Float(whole.into())),
            ".{0,12}".prop_map(Value::Text),
            "[\\x00-\\x7f\"\\\\]{0,12}".prop_map(Value::Text),
        ];
        scalar.prop_recursive(6, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
                prop::collection::btree_map(".{0,8}", inner, 0..20)
                    .prop_map(|map| Value::Map(map.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn a_repeated_key_is_found_in_small_and_in_large_maps() {
        for size in [2, 12, 13, 100] {
            let mut pairs: Vec<_> = (0..size).map(|n| (n.to_string(), Value::Null)).collect();
            assert_eq!(repeated_key(&pairs), None);
            pairs.push(("1".to_owned(), Value::Null));
            assert_eq!(repeated_key(&pairs), Some("1"));
        }
    }

    #[test]
    fn negative_integers_keep_their_value() {
        assert_eq!(Value::from(-1), Value::Negative(0));
        assert_eq!(Value::from(i64::MIN), Value::Negative(i64::MAX as u64));
        assert_eq!(Value::from(7), Value::Unsigned(7));
    }
}
