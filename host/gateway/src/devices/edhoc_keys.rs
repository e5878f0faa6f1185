//! A device with a key pair.

use serde::{Deserialize, Serialize};

use secure::edhoc::Ccs;
use secure::oscore::{Identifier, MasterSecret, Parameters};

/// The credential of a device, and the security context that it has agreed on with the gateway, if it has.
#[derive(Clone, Debug)]
pub(super) struct EdhocKeys {
    pub(super) ccs: Ccs,
    pub(super) context: Option<Parameters>,
}

/// The same in a record.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredEdhoc<'a> {
    ccs: &'a [u8],
    #[serde(borrow)]
    context: Option<StoredContext<'a>>,
}

#[derive(Serialize, Deserialize)]
struct StoredContext<'a> {
    secret: &'a [u8],
    salt: &'a [u8],
    /// Sender ID and Recipient ID of the gateway.
    sender: &'a [u8],
    recipient: &'a [u8],
}

impl<'a> StoredContext<'a> {
    fn of(context: &'a Parameters) -> Self {
        Self {
            secret: context.master_secret.expose(),
            salt: &context.master_salt,
            sender: context.sender_id.as_bytes(),
            recipient: context.recipient_id.as_bytes(),
        }
    }
}

impl EdhocKeys {
    /// For the store.
    pub(super) fn stored(&self) -> StoredEdhoc<'_> {
        StoredEdhoc {
            ccs: self.ccs.as_bytes(),
            context: self.context.as_ref().map(StoredContext::of),
        }
    }

    /// From the store; none if the record was changed by hand.
    pub(super) fn read(stored: &StoredEdhoc<'_>) -> Option<Self> {
        let context = |context: &StoredContext<'_>| {
            Some(Parameters {
                master_secret: MasterSecret::new(context.secret).ok()?,
                master_salt: context.salt.to_vec(),
                sender_id: Identifier::new(context.sender)?,
                recipient_id: Identifier::new(context.recipient)?,
                id_context: None,
            })
        };
        Some(Self {
            ccs: Ccs::from_bytes(stored.ccs).ok()?,
            context: match &stored.context {
                Some(stored) => Some(context(stored)?),
                None => None,
            },
        })
    }
}
