//! What a resource remembers from one call to the next: a CBOR array of the answer's format and the resource's own
//! fields. Which fields there are tells which call was made.

use crate::payload::Format;
use crate::refusal::Refusal;
use crate::{Value, cbor, code};

/// Bytes; the gateway ends an exchange with more (`step.state` in `wit/types.wit`).
pub const MAX_STATE: usize = 16 * 1024;

/// What to remember; `remedy` tells the device what to do if it is too much.
#[inline]
pub fn remember(format: Format, fields: Vec<Value>, remedy: &str) -> Result<Vec<u8>, Refusal> {
    let refusal = || Refusal::new(code::REQUEST_ENTITY_TOO_LARGE, format!("payload: {remedy}"));
    // Before it is copied: an instance has 2 MiB.
    if fields
        .iter()
        .filter_map(Value::as_text)
        .map(str::len)
        .sum::<usize>()
        > MAX_STATE
    {
        return Err(refusal());
    }
    let mut values = vec![Value::Unsigned(format.number().into())];
    values.extend(fields);
    let state = cbor::encode(&Value::Array(values));
    if state.len() > MAX_STATE {
        Err(refusal())
    } else {
        Ok(state)
    }
}

/// Only the format; never too much.
#[inline]
pub fn format_only(format: Format) -> Vec<u8> {
    cbor::encode(&Value::Array(vec![Value::Unsigned(format.number().into())]))
}

/// What was remembered.
#[inline]
pub fn recall(state: &[u8]) -> Result<(Format, Vec<Value>), Refusal> {
    let Ok(Value::Array(mut values)) = cbor::decode(state) else {
        return Err(damaged());
    };
    let number = values
        .first()
        .and_then(Value::as_u64)
        .and_then(|number| u32::try_from(number).ok());
    let format = number.and_then(Format::from_number).ok_or_else(damaged)?;
    values.remove(0);
    Ok((format, values))
}

/// The state is none that this resource made.
#[inline]
pub fn damaged() -> Refusal {
    Refusal::new(
        code::INTERNAL_SERVER_ERROR,
        "the gateway handed back a state that the rule did not make",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_recalled() {
        let fields = vec![Value::Text("txn".to_owned()), Value::Unsigned(3)];
        let state = remember(Format::Json, fields.clone(), "").expect("it is small");
        assert_eq!(recall(&state), Ok((Format::Json, fields)));
        assert_eq!(
            recall(&format_only(Format::Cbor)),
            Ok((Format::Cbor, vec![]))
        );
    }

    #[test]
    fn more_than_the_gateway_keeps_is_refused_with_4_13() {
        let fields = vec![Value::Text("x".repeat(MAX_STATE))];
        let refusal = remember(Format::Cbor, fields, "send less").expect_err("it is too much");
        assert_eq!(
            refusal,
            Refusal::new(code::REQUEST_ENTITY_TOO_LARGE, "payload: send less")
        );
    }

    #[test]
    fn a_damaged_state_is_an_error_of_the_gateway() {
        for state in [&b""[..], b"\x80", b"\x81\x00", b"\xa0"] {
            assert_eq!(recall(state), Err(damaged()));
        }
    }
}
