//! SenML in CBOR (RFC 8428 §6): labels are small integers, values may be byte strings and decimal fractions.

use comatrix_sdk::cbor::{CborError, Header, Items};
use comatrix_sdk::error_response::ErrorResponse;
use comatrix_sdk::value::MAX_DEPTH;

use crate::decimal::Decimal;
use crate::pack::Pack;
use crate::record::{Record, Scalar, label};

/// Decimal fraction: an array of exponent and mantissa (RFC 8949 §3.4.4).
const DECIMAL_FRACTION: u64 = 4;
/// The first byte of a float of four bytes, and of one of two (RFC 8949 §3.3).
const SINGLE: u8 = 0xfa;
const HALF: u8 = 0xf9;
/// `false` and `true` (RFC 8949 §3.3).
const FALSE: u8 = 20;
const TRUE: u8 = 21;

/// Reads a pack's records into `pack`.
pub fn read(payload: &[u8], pack: &mut Pack) -> Result<(), ErrorResponse> {
    let mut items = Items::new(payload);
    let (at, header) = items.header().map_err(refusal)?;
    let Header::Array(length) = header else {
        return Err(refusal(wrong(at, "not an array of records")));
    };
    let mut read = 0;
    while length != Some(read) {
        match items.header().map_err(refusal)? {
            (_, Header::Break) if length.is_none() => break,
            (_, Header::Map(length)) => pack.push(record(&mut items, length).map_err(refusal)?)?,
            (at, _) => return Err(refusal(wrong(at, "a record that is not a map"))),
        }
        read += 1;
    }
    items.end().map_err(refusal)
}

fn refusal(error: CborError) -> ErrorResponse {
    ErrorResponse::bad_request(format!("payload: {error}"))
}

fn wrong(offset: usize, reason: impl Into<std::borrow::Cow<'static, str>>) -> CborError {
    CborError {
        offset,
        reason: reason.into(),
    }
}

fn record(items: &mut Items<'_>, length: Option<usize>) -> Result<Record, CborError> {
    let mut record = Record::default();
    let mut read = 0;
    while length != Some(read) {
        let (at, header) = items.header()?;
        let label = match header {
            Header::Break if length.is_none() => break,
            Header::Text(length) => items.text(length)?,
            Header::Positive(_) | Header::Negative(_) => {
                // Numbers without a name yet belong to extensions, and those that must be understood have text labels.
                let label = integer(header).and_then(|number| label(i64::try_from(number).ok()?));
                label.unwrap_or("").to_owned()
            }
            _ => return Err(wrong(at, "a label that is neither text nor a number")),
        };
        let scalar = scalar(items)?;
        record.set(&label, scalar).map_err(|what| wrong(at, what))?;
        read += 1;
    }
    Ok(record)
}

fn scalar(items: &mut Items<'_>) -> Result<Scalar, CborError> {
    let (at, header) = items.header()?;
    let number = match header {
        Header::Text(length) => return items.text(length).map(Scalar::Text),
        Header::Bytes(length) => return items.bytes(length).map(Scalar::Bytes),
        Header::Simple(FALSE) => return Ok(Scalar::Bool(false)),
        Header::Simple(TRUE) => return Ok(Scalar::Bool(true)),
        Header::Positive(_) | Header::Negative(_) => {
            integer(header).and_then(|integer| Decimal::new(integer, 0))
        }
        Header::Float(number) => match items.byte(at) {
            // In a wider form than the device sent, it would get digits that the device did not measure.
            Some(SINGLE | HALF) => Decimal::from_f32(number as f32),
            _ => Decimal::from_f64(number),
        },
        Header::Tag(DECIMAL_FRACTION) => decimal_fraction(items)?,
        header => {
            items.skip(at, header, MAX_DEPTH)?;
            return Ok(Scalar::Other);
        }
    };
    number.map(Scalar::Number).ok_or_else(|| {
        wrong(
            at,
            "no number within the bounds: NaN, infinity, or too large an exponent",
        )
    })
}

fn decimal_fraction(items: &mut Items<'_>) -> Result<Option<Decimal>, CborError> {
    let (at, header) = items.header()?;
    if !matches!(header, Header::Array(Some(2))) {
        return Err(wrong(at, "a decimal fraction is an array of two integers"));
    }
    let mut next = || {
        let (at, header) = items.header()?;
        integer(header)
            .ok_or_else(|| wrong(at, "a decimal fraction has integers of at most 64 bits"))
    };
    let (exponent, mantissa) = (next()?, next()?);
    let exponent = i64::try_from(exponent).ok();
    Ok(exponent.and_then(|exponent| Decimal::new(mantissa, exponent)))
}

fn integer(header: Header) -> Option<i128> {
    match header {
        Header::Positive(number) => Some(number.into()),
        Header::Negative(number) => Some(-1 - i128::from(number)),
        _ => None,
    }
}
