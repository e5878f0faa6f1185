//! Names of rooms: ids, aliases, and the operator's short names.

use crate::bindings::{Context, HttpRequest, HttpResponse};
use crate::call::call;
use crate::error_response::ErrorResponse;
use crate::homeserver_json::text_member;
use crate::settings::Settings;
use crate::text::concat;

/// Bytes of a room id, alias, user id or event id (Matrix specification, appendices, "Identifier Grammar").
pub const MAX_IDENTIFIER: usize = 255;

/// A room by its id or an alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Room {
    /// `!…`; since room version 12 without a server.
    Id(String),
    /// `#alias:server`.
    Alias(String),
}

impl Room {
    /// The id or alias as text.
    pub fn as_str(&self) -> &str {
        match self {
            Room::Id(text) | Room::Alias(text) => text,
        }
    }

    fn parse(text: &str) -> Option<Room> {
        match text.as_bytes() {
            _ if text.len() > MAX_IDENTIFIER => None,
            [b'!', _, ..] => Some(Room::Id(text.to_owned())),
            [b'#', _, rest @ ..] if rest.contains(&b':') => Some(Room::Alias(text.to_owned())),
            _ => None,
        }
    }
}

/// The room that a device calls `name`: an id, an alias, or the name in a setting `room.<name>`.
pub fn resolve(settings: &dyn Settings, name: &str) -> Result<Room, ErrorResponse> {
    if let Some(room) = Room::parse(name) {
        return Ok(room);
    }
    let setting = settings.get(&concat(&["room.", name]));
    setting.and_then(Room::parse).ok_or_else(|| {
        ErrorResponse::bad_request(match setting {
            Some(_) => concat(&[
                "the gateway's setting for this room must be an id or an alias: ",
                name,
            ]),
            None => concat(&[
                "room: send an id (!...), an alias (#...:server) or a set name, not ",
                name,
            ]),
        })
    })
}

/// The call that asks for an alias's room id
/// (<https://spec.matrix.org/v1.13/client-server-api/#get_matrixclientv3directoryroomroomalias>).
pub fn lookup(context: &Context, alias: &str) -> HttpRequest {
    call(context, "any", "GET", &["directory", "room", alias], None)
}

/// The room id in the response to [`lookup`].
pub fn looked_up(response: &HttpResponse) -> Result<String, ErrorResponse> {
    resolved_id(&response.body)
}

/// The room id in the body of that response. Another alias, which could be looked up without end, is refused.
pub(crate) fn resolved_id(body: &[u8]) -> Result<String, ErrorResponse> {
    let id = text_member(body, "room_id", MAX_IDENTIFIER)?;
    match id.starts_with('!') {
        true => Ok(id),
        false => Err(ErrorResponse::bad_gateway(
            "the homeserver sent no id of a room in room_id",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_aliases_differ_by_their_sigil() {
        assert_eq!(resolve(&[], "!abc:h"), Ok(Room::Id("!abc:h".to_owned())));
        assert_eq!(
            resolve(&[], "!31hneApxJ_1o"),
            Ok(Room::Id("!31hneApxJ_1o".to_owned()))
        );
        assert_eq!(resolve(&[], "#a:h"), Ok(Room::Alias("#a:h".to_owned())));
    }

    #[test]
    fn a_short_name_stands_for_the_room_in_its_setting() {
        let settings = [("room.kitchen", "#kitchen:h"), ("room.cellar", "cellar")];
        assert_eq!(
            resolve(&settings, "kitchen"),
            Ok(Room::Alias("#kitchen:h".to_owned()))
        );
        assert!(resolve(&settings, "cellar").is_err());
        assert!(resolve(&settings, "attic").is_err());
    }

    #[test]
    fn what_names_no_room_is_refused() {
        for name in [
            "",
            "!",
            "#",
            "#a",
            "@user:h",
            &format!("!{}", "a".repeat(MAX_IDENTIFIER)),
        ] {
            assert!(resolve(&[], name).is_err(), "{name}");
        }
    }
}
