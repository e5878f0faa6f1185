//! What a request leaves for its response: the state of its call.

use comatrix_sdk::error_response::ErrorResponse;
use comatrix_sdk::payload::Format;
use comatrix_sdk::{Value, cbor};

/// Bytes of a state (`step.state` of the contract).
const MAX_STATE: usize = 16 * 1024;

/// What becomes of a success response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The answer of a call of the API.
    Api,
    /// `GET /versions`, whose answer gets a part from the gateway.
    Versions,
    /// A login or a registration, which opens the device's session.
    Login,
    /// A logout, which closes it.
    Logout,
    /// Bytes of any type.
    Media,
    /// The first `/sync` of an observation.
    Observed,
}

const KINDS: [Kind; 6] = [
    Kind::Api,
    Kind::Versions,
    Kind::Login,
    Kind::Logout,
    Kind::Media,
    Kind::Observed,
];

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// CBOR or JSON.
    pub format: Format,
    /// Whether keys of CBOR are integers where there are some.
    pub has_integer_keys: bool,
}

/// What is left to do when the response is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What becomes of a success.
    pub kind: Kind,
    /// The form of answers and errors.
    pub form: Form,
    /// The method's code, as on the wire.
    pub method: u8,
    /// The number in Accept, for media.
    pub accept: Option<u32>,
    /// The query, if the call may be made again without a token, or for an observation.
    pub query: Vec<(String, String)>,
    /// The rest of a call that may be made again without a token: its body.
    pub again: Option<Option<String>>,
}

impl Plan {
    /// As the gateway stores it. What is too much for a state, the query and the body of a call that could be made
    /// again, is left out: the call is then made only once.
    pub fn encode(&self) -> Vec<u8> {
        let state = cbor::encode(&self.value(true));
        match state.len() <= MAX_STATE {
            true => state,
            false => cbor::encode(&self.value(false)),
        }
    }

    fn value(&self, is_whole: bool) -> Value {
        let kind = KINDS.iter().position(|kind| *kind == self.kind);
        let query = self.query.iter().filter(|_| is_whole);
        let query = query.flat_map(|(name, value)| [name, value]);
        let again = match &self.again {
            Some(Some(body)) if is_whole => Value::Text(body.clone()),
            Some(None) if is_whole => Value::Bool(true),
            _ => Value::Bool(false),
        };
        Value::Array(vec![
            Value::Unsigned(kind.unwrap_or_default() as u64),
            Value::Unsigned(self.form.format.number().into()),
            Value::Bool(self.form.has_integer_keys),
            Value::Unsigned(self.method.into()),
            self.accept
                .map_or(Value::Null, |number| Value::Unsigned(number.into())),
            Value::Array(query.map(|text| Value::Text(text.clone())).collect()),
            again,
        ])
    }

    /// The plan that [`encode`](Self::encode) has made.
    pub fn decode(state: &[u8]) -> Result<Plan, ErrorResponse> {
        cbor::decode(state)
            .ok()
            .and_then(Plan::of)
            .ok_or_else(damaged)
    }

    fn of(value: Value) -> Option<Plan> {
        let Value::Array(fields) = value else {
            return None;
        };
        let mut fields = fields.into_iter();
        let kind = usize::try_from(fields.next()?.as_u64()?).ok()?;
        let kind = *KINDS.get(kind)?;
        let form = Form::of(&fields.next()?, &fields.next()?)?;
        let method = u8::try_from(fields.next()?.as_u64()?).ok()?;
        let accept = match fields.next()? {
            Value::Null => None,
            number => Some(u32::try_from(number.as_u64()?).ok()?),
        };
        let query = pairs(fields.next()?)?;
        let again = match fields.next()? {
            Value::Text(body) => Some(Some(body)),
            Value::Bool(true) => Some(None),
            _ => None,
        };
        Some(Plan {
            kind,
            form,
            method,
            accept,
            query,
            again,
        })
    }
}

impl Form {
    /// From a Content-Format and whether keys are integers.
    pub fn of(format: &Value, has_integer_keys: &Value) -> Option<Form> {
        let format = Format::from_number(u32::try_from(format.as_u64()?).ok()?)?;
        Some(Form {
            format,
            has_integer_keys: *has_integer_keys == Value::Bool(true),
        })
    }
}

/// Names and values in turn.
pub fn pairs(value: Value) -> Option<Vec<(String, String)>> {
    let Value::Array(texts) = value else {
        return None;
    };
    let mut texts = texts.into_iter();
    let mut pairs = Vec::new();
    while let Some(name) = texts.next() {
        match (name, texts.next()?) {
            (Value::Text(name), Value::Text(value)) => pairs.push((name, value)),
            _ => return None,
        }
    }
    Some(pairs)
}

/// The rule did not make this state.
pub fn damaged() -> ErrorResponse {
    ErrorResponse::internal("the gateway handed back a state that the rule did not make")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(body: Option<Option<String>>) -> Plan {
        Plan {
            kind: Kind::Media,
            form: Form {
                format: Format::Json,
                has_integer_keys: true,
            },
            method: 3,
            accept: Some(30_000),
            query: vec![("a".to_owned(), "b".to_owned())],
            again: body,
        }
    }

    #[test]
    fn a_plan_comes_back_as_it_was() {
        for again in [None, Some(None), Some(Some("{}".to_owned()))] {
            let plan = plan(again);
            assert_eq!(Plan::decode(&plan.encode()), Ok(plan));
        }
    }

    #[test]
    fn a_body_that_no_state_has_room_for_is_left_out() {
        let state = plan(Some(Some("x".repeat(MAX_STATE)))).encode();
        assert!(state.len() <= MAX_STATE);
        let plan = Plan::decode(&state).expect("it is a plan");
        assert_eq!((plan.again, plan.query), (None, Vec::new()));
    }

    #[test]
    fn a_state_of_something_else_is_refused() {
        for state in [&b""[..], b"\x80", b"\x81\x18\x63", b"\xa0"] {
            assert!(Plan::decode(state).is_err());
        }
    }
}
