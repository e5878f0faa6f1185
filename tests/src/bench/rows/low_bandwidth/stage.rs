//! A Synapse, a gateway with the rule, and a device with a key; every datagram goes through a counting wire.

use std::path::PathBuf;

use comatrix_tests::matrix::{Account, Homeserver};
use comatrix_tests::synapse::{RateLimits, Synapse};
use comatrix_tests::wire::{Loss, Wire};
use serde_json::json;

use super::super::super::Failure;
use super::super::super::device::KEY;
use super::super::super::process::Gateway;
use super::super::secured::stage::{Stage as Secured, psk};

/// The rule beside the default one.
pub const RULE: &str =
    "[[rule]]\nname = \"msc3079\"\ncomponent = \"builtin:msc3079\"\nmount = \"/\"\n";

/// See the file.
pub struct Stage {
    /// The homeserver.
    pub synapse: Synapse,
    /// To the gateway's `coap`.
    pub plain: Wire,
    /// To its `coaps`.
    pub coaps: Wire,
    /// aiocoap's credentials for `coaps`.
    pub credentials: PathBuf,
    /// The gateway.
    pub secured: Secured,
}

impl Stage {
    /// Starts all of it.
    ///
    /// # Errors
    /// The gateway does not start, or refuses the device.
    pub fn start(gateway: &Gateway) -> Result<Self, Failure> {
        let synapse = Synapse::start(RateLimits::Raised);
        let secured = Secured::before(gateway, &synapse.origin, RULE)?;
        secured.enrol_psk(1)?;
        let plain = Wire::to(secured.server.address, Loss::NOTHING);
        let coaps = Wire::to(secured.coaps, Loss::NOTHING);
        let key = json!({ "psk": { "ascii": KEY }, "client-identity": { "ascii": psk(0) } });
        let uri = format!("coaps://{}/*", coaps.address);
        let credentials = gateway.scratch().join("credentials.json");
        std::fs::write(&credentials, json!({ uri: { "dtls": key } }).to_string())?;
        Ok(Self {
            synapse,
            plain,
            coaps,
            credentials,
            secured,
        })
    }

    /// The homeserver's API.
    pub fn homeserver(&self) -> Homeserver {
        self.synapse.homeserver()
    }

    /// An account in so many rooms of a person, each with a message.
    pub fn account_in_rooms(&self, count: usize) -> Account {
        let homeserver = self.homeserver();
        let (account, person) = (homeserver.register("lb"), homeserver.register("person"));
        for number in 0..count {
            let room_id = person.create_room(None);
            person.invite(&room_id, &account.user_id);
            account.join(&room_id);
            let text = format!("message of room {number}");
            person.send(&room_id, &json!({ "msgtype": "m.text", "body": text }));
        }
        account
    }
}
