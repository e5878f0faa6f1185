//! Messages by the beginning of their ids.

use contract::escaping::escaped;
use outbox::{Outbox, Record, RecordNumber};

use super::MAX_ID;

/// No message is meant.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotFound {
    /// It is not the beginning of an id.
    #[error(
        "{0:?} is no id of a message: give 8 to 32 of its hexadecimal digits; `comatrix-gateway outbox list` shows them"
    )]
    NotAnId(String),
    /// No message has it.
    #[error(
        "no message has an id that begins with {0}: it was dropped, or has ended so long ago that it is forgotten; \
         `comatrix-gateway outbox list` shows those that wait or have failed"
    )]
    Unknown(String),
    /// Several messages have it.
    #[error("{1} messages have ids that begin with {0}; give more digits")]
    Ambiguous(String, usize),
}

/// The message whose id begins like this.
pub(super) fn find<'a>(
    outbox: &'a Outbox,
    text: &str,
) -> Result<(RecordNumber, &'a Record), NotFound> {
    let prefix = text.trim().to_ascii_lowercase();
    let mut records = outbox
        .with_prefix(&prefix)
        .ok_or_else(|| NotFound::NotAnId(escaped(text, MAX_ID)))?;
    match (records.next(), records.count()) {
        (None, _) => Err(NotFound::Unknown(prefix)),
        (Some(found), 0) => Ok(found),
        (Some(_), others) => Err(NotFound::Ambiguous(prefix, others + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::DeliveryId;
    use outbox::{Accepted, Origin, OutboxLimits};
    use share::Owner;
    use std::time::Duration;

    fn outbox(ids: &[u128]) -> Outbox {
        let mut outbox = Outbox::new(OutboxLimits::default(), 1);
        for (lane, id) in (0..).zip(ids) {
            let origin = Origin {
                owner: Owner::new(1, None),
                server: 1,
                account: 1,
                lane,
            };
            let accepted = Accepted {
                id: DeliveryId::from_bytes(id.to_be_bytes()),
                message: [0; 16],
                name: 1,
                origin,
                bytes: 1,
                at: None,
                revived_at: None,
                attempted: false,
                is_proven: true,
            };
            outbox.accept(Duration::ZERO, &accepted, None).unwrap();
        }
        outbox
    }

    #[test]
    fn what_names_no_message_is_told_apart() {
        let outbox = outbox(&[0xabcd_ef01 << 96, (0xabcd_ef01 << 96) | 1, 7]);
        let found = |text: &str| find(&outbox, text).map(|(number, _)| number);
        assert_eq!(found(&"0".repeat(8)), Ok(3));
        assert_eq!(found("ABCDEF01000000000000000000000001"), Ok(2));
        let ambiguous = NotFound::Ambiguous("abcdef01".to_owned(), 2);
        assert_eq!(found("ABCDEF01"), Err(ambiguous));
        assert_eq!(
            found("12345678"),
            Err(NotFound::Unknown("12345678".to_owned()))
        );
        for (text, shown) in [
            ("", ""),
            ("abcdef0", "abcdef0"),
            ("all", "all"),
            ("!room:h\n", "!room:h\\u{a}"),
        ] {
            assert_eq!(found(text), Err(NotFound::NotAnId(shown.to_owned())));
        }
    }
}
