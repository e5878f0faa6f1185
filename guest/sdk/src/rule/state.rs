//! The state of a rule from one call of the gateway to the next.

use crate::error_response::ErrorResponse;
use crate::value::Value;
use crate::{cbor, code};

/// Bytes; the gateway ends an exchange with more (`step.state` in `wit/types.wit`).
pub(super) const MAX_STATE: usize = 16 * 1024;

/// A type whose values can wait for the homeserver's response
/// ([`Prepared::send_with_state`](super::Prepared::send_with_state)). A type of a rule's own implements it by way of
/// a tuple.
pub trait State: Sized {
    /// The value as it is stored.
    fn into_value(self) -> Value;

    /// The stored value; none if it is of another type.
    fn from_value(value: Value) -> Option<Self>;
}

/// As the gateway stores it: a CBOR array; 4.13 if it is too much.
pub(super) fn encode(fields: Vec<Value>) -> Result<Vec<u8>, ErrorResponse> {
    let state = cbor::encode(&Value::Array(fields));
    match state.len() <= MAX_STATE {
        true => Ok(state),
        false => Err(too_large()),
    }
}

/// The fields.
pub(super) fn decode(state: &[u8]) -> Result<Vec<Value>, ErrorResponse> {
    match cbor::decode(state) {
        Ok(Value::Array(fields)) => Ok(fields),
        _ => Err(damaged()),
    }
}

pub(super) fn too_large() -> ErrorResponse {
    ErrorResponse::new(
        code::REQUEST_ENTITY_TOO_LARGE,
        "payload: too large; send less, or name the room by its id",
    )
}

/// The rule did not make this state.
pub(super) fn damaged() -> ErrorResponse {
    ErrorResponse::internal("the gateway handed back a state that the rule did not make")
}

impl State for () {
    fn into_value(self) -> Value {
        Value::Null
    }

    fn from_value(value: Value) -> Option<()> {
        (value == Value::Null).then_some(())
    }
}

impl State for Value {
    fn into_value(self) -> Value {
        self
    }

    fn from_value(value: Value) -> Option<Value> {
        Some(value)
    }
}

impl State for bool {
    fn into_value(self) -> Value {
        Value::Bool(self)
    }

    fn from_value(value: Value) -> Option<bool> {
        match value {
            Value::Bool(truth) => Some(truth),
            _ => None,
        }
    }
}

impl State for u64 {
    fn into_value(self) -> Value {
        Value::Unsigned(self)
    }

    fn from_value(value: Value) -> Option<u64> {
        value.as_u64()
    }
}

impl State for String {
    fn into_value(self) -> Value {
        Value::Text(self)
    }

    fn from_value(value: Value) -> Option<String> {
        match value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl<T: State> State for Vec<T> {
    fn into_value(self) -> Value {
        Value::Array(self.into_iter().map(State::into_value).collect())
    }

    fn from_value(value: Value) -> Option<Vec<T>> {
        match value {
            Value::Array(values) => values.into_iter().map(T::from_value).collect(),
            _ => None,
        }
    }
}

/// None is an empty array, so that an option within an option keeps its level.
impl<T: State> State for Option<T> {
    fn into_value(self) -> Value {
        Value::Array(self.into_iter().map(State::into_value).collect())
    }

    fn from_value(value: Value) -> Option<Option<T>> {
        let mut values = Vec::from_value(value)?;
        let last = values.pop();
        values.is_empty().then_some(last)
    }
}

macro_rules! state_of_tuple {
    ($($kind:ident $name:ident),+) => {
        impl<$($kind: State),+> State for ($($kind,)+) {
            fn into_value(self) -> Value {
                let ($($name,)+) = self;
                Value::Array(vec![$($name.into_value()),+])
            }

            fn from_value(value: Value) -> Option<Self> {
                let Value::Array(values) = value else {
                    return None;
                };
                let mut values = values.into_iter();
                let restored = ($($kind::from_value(values.next()?)?,)+);
                values.next().is_none().then_some(restored)
            }
        }
    };
}

state_of_tuple!(A a, B b);
state_of_tuple!(A a, B b, C c);
state_of_tuple!(A a, B b, C c, D d);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_restored_with_its_type() {
        type Stored = (u64, Option<String>, Vec<bool>, Option<Option<()>>);
        let state: Stored = (7, Some("a".to_owned()), vec![true, false], Some(None));
        assert_eq!(Stored::from_value(state.clone().into_value()), Some(state));
    }

    #[test]
    fn a_value_of_another_type_is_not_restored() {
        assert_eq!(u64::from_value("7".to_owned().into_value()), None);
        assert_eq!(<(u64, bool)>::from_value(vec![7_u64].into_value()), None);
        assert_eq!(<(u64, u64)>::from_value(vec![7_u64; 3].into_value()), None);
        assert_eq!(Option::<u64>::from_value(vec![7_u64; 2].into_value()), None);
        assert_eq!(<()>::from_value(true.into_value()), None);
    }

    #[test]
    fn what_is_stored_comes_back() {
        let fields = vec![Value::Text("txn".to_owned()), Value::Unsigned(3)];
        let state = encode(fields.clone()).expect("it is small");
        assert_eq!(decode(&state), Ok(fields));
    }

    #[test]
    fn more_than_the_gateway_keeps_is_refused_with_4_13() {
        let fields = vec![Value::Text("x".repeat(MAX_STATE))];
        let error = encode(fields).expect_err("it is too much");
        assert_eq!(error.code, code::REQUEST_ENTITY_TOO_LARGE);
    }

    #[test]
    fn a_damaged_state_is_an_error_of_the_gateway() {
        for state in [&b""[..], b"\x81", b"\xa0", b"\x00"] {
            assert_eq!(decode(state), Err(damaged()));
        }
    }
}
