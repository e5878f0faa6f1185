//! One message.

use ciborium::Value;
use contract::escaping::escaped;

use super::finding::find;
use super::listing::Found;
use super::request::{RecordContent, RecordDetails};
use crate::control::Reply;
use crate::outbox::deliveries::Inner;
use crate::outbox::row::{Content, Ending, Whole};

/// Bytes of a name.
const MAX_NAME: usize = 1024;
/// Bytes of a message's text: as many as a device can send.
const MAX_CONTENT: usize = 128 << 10;

impl Inner {
    /// All of a message but its access token; its text only if `with_content` asks for it.
    pub(super) async fn show(&self, id: &str, with_content: bool) -> Reply {
        let found = match find(&self.outbox.borrow(), id) {
            Ok((number, record)) => Found {
                number,
                record: *record,
            },
            Err(error) => return Reply::Refused(error.to_string()),
        };
        let whole = self.read_whole(&found).await;
        let record = &found.record;
        Reply::Record(Box::new(RecordDetails {
            id: record.id.to_string(),
            line: self.line(&found, whole.as_ref(), MAX_NAME),
            accepted_unix: record.accepted_at(),
            ended_unix: record.ended_at(),
            bytes: record.bytes(),
            record: whole.ok().map(|whole| content(&whole, with_content)),
        }))
    }
}

fn content(whole: &Whole, with_content: bool) -> RecordContent {
    let Whole {
        header,
        end,
        content,
    } = whole;
    let body = content.as_ref().and_then(|content| {
        let body = content.call.request().body()?;
        Some(body.as_ref())
    });
    let text = body.filter(|_| with_content).map(|body| {
        let text = String::from_utf8_lossy(body);
        escaped(&text, MAX_CONTENT)
    });
    let sent = match end.as_ref().map(|end| &end.ending) {
        Some(Ending::Sent { details }) => ciborium::from_reader(details.as_ref()).ok().map(shown),
        _ => None,
    };
    RecordContent {
        address: header.ip.to_canonical().to_string(),
        principal: header
            .principal
            .as_deref()
            .map(|name| escaped(name, MAX_NAME)),
        transaction: escaped(&header.transaction, MAX_NAME),
        own_token: header.account.is_some(),
        attempted: header.attempted,
        revived_unix: header.revived_at,
        request: content.as_ref().map(request),
        content_bytes: content.as_ref().map(|_| body.map_or(0, <[u8]>::len)),
        content: text,
        sent,
    }
}

/// Method and path. The query is left out: a rule could have put a secret into it.
fn request(content: &Content) -> String {
    let request = content.call.request();
    let path = request.path().join("/");
    let line = format!("{} /{path}", request.method().name());
    escaped(&line, MAX_NAME)
}

/// The map that the rule replied. A small one: the record has 512 bytes of it at most.
fn shown(details: Value) -> serde_json::Value {
    match details {
        Value::Text(text) => escaped(&text, MAX_NAME).into(),
        Value::Map(pairs) => {
            let pairs = pairs.into_iter().filter_map(|(key, value)| {
                let key = key.into_text().ok()?;
                Some((escaped(&key, MAX_NAME), shown(value)))
            });
            pairs.collect::<serde_json::Map<_, _>>().into()
        }
        Value::Bool(value) => value.into(),
        Value::Integer(number) => i64::try_from(number).map_or(serde_json::Value::Null, Into::into),
        _ => serde_json::Value::Null,
    }
}
