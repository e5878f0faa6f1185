//! SenML in JSON (RFC 8428 §5).

use comatrix_sdk::error_response::ErrorResponse;
use comatrix_sdk::value::Value;

use crate::decimal::Decimal;
use crate::pack::Pack;
use crate::record::{Record, Scalar};

/// Reads a pack's records into `pack`.
pub fn read(payload: &[u8], pack: &mut Pack) -> Result<(), ErrorResponse> {
    let wrong =
        |what: &dyn std::fmt::Display| ErrorResponse::bad_request(format!("payload: {what}"));
    let value = comatrix_sdk::json::decode(payload).map_err(|error| wrong(&error))?;
    let Value::Array(records) = value else {
        return Err(wrong(&"not an array of records"));
    };
    for value in records {
        let here = pack.here();
        let wrong = |what: &str| ErrorResponse::bad_request(format!("payload: {here}: {what}"));
        let Value::Map(pairs) = value else {
            return Err(wrong("not an object"));
        };
        let mut record = Record::default();
        for (label, value) in pairs {
            record
                .set(&label, scalar(value))
                .map_err(|what| wrong(&what))?;
        }
        pack.push(record)?;
    }
    Ok(())
}

fn scalar(value: Value) -> Scalar {
    let number = match value {
        Value::Text(text) => return Scalar::Text(text),
        Value::Bool(truth) => return Scalar::Bool(truth),
        Value::Unsigned(number) => Decimal::new(number.into(), 0),
        Value::Negative(number) => Decimal::new(-1 - i128::from(number), 0),
        Value::Float(number) => Decimal::from_f64(number),
        Value::Null | Value::Array(_) | Value::Map(_) => None,
    };
    number.map_or(Scalar::Other, Scalar::Number)
}
