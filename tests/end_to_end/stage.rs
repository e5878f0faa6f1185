//! Parts that many tests share: one Synapse with raised limits, one gateway in front of it. Each test has rooms and
//! accounts of its own, so they do not meet.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::OnceLock;

use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::device::{Request, Spelling};
use comatrix_tests::gateway::Gateway;
use comatrix_tests::matrix::{Account, Homeserver};
use comatrix_tests::places::Scratch;
use comatrix_tests::stub::{Behaviour, Stub};
use comatrix_tests::synapse::{RateLimits, Synapse};
use serde_json::json;

/// The shared homeserver.
pub fn synapse() -> &'static Synapse {
    static SYNAPSE: OnceLock<Synapse> = OnceLock::new();
    SYNAPSE.get_or_init(|| Synapse::start(RateLimits::Raised))
}

/// The client API of the shared homeserver.
pub fn homeserver() -> Homeserver {
    synapse().homeserver()
}

/// The shared gateway in front of the shared homeserver. It listens on `::`, so on IPv4 too.
pub fn gateway() -> &'static Gateway {
    static GATEWAY: OnceLock<Gateway> = OnceLock::new();
    GATEWAY.get_or_init(|| Gateway::start(&["-i", "::", "--homeserver", &synapse().origin]))
}

/// The shared gateway's address in IPv4.
pub fn over_ipv4() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, gateway().address.port()).into()
}

/// The shared gateway's address in IPv6.
pub fn over_ipv6() -> SocketAddr {
    (Ipv6Addr::LOCALHOST, gateway().address.port()).into()
}

/// A room of a person, and a device's account in it.
pub struct Room {
    /// The person who made the room.
    pub person: Account,
    /// The device's account, a member.
    pub device: Account,
    /// The room.
    pub room_id: String,
}

impl Room {
    /// Makes the accounts and the room on `homeserver`.
    pub fn on(homeserver: &Homeserver) -> Self {
        let (person, device) = (homeserver.register("person"), homeserver.register("device"));
        let room_id = person.create_room(None);
        person.invite(&room_id, &device.user_id);
        device.join(&room_id);
        Self {
            person,
            device,
            room_id,
        }
    }

    /// Makes them on the shared homeserver.
    pub fn new() -> Self {
        Self::on(&homeserver())
    }

    /// A device's `/send` of this body, in the short form.
    pub fn send(&self, origin: &str, txn_id: &str, body: &str) -> Request {
        Request::new("PUT", "/send")
            .proxy_uri(&Spelling::Short.send(origin, &self.room_id, txn_id))
            .token(&self.device.access_token)
            .cbor(json!({ "msgtype": "m.text", "body": body }))
    }

    /// A device's `/getmsg`, in the short form.
    pub fn getmsg(&self, origin: &str) -> Request {
        Request::new("GET", "/getmsg")
            .proxy_uri(&Spelling::Short.getmsg(origin, &self.room_id))
            .token(&self.device.access_token)
    }

    /// The body of the newest message, as the person sees it.
    pub fn newest(&self) -> String {
        let messages = self.person.messages(&self.room_id);
        messages
            .first()
            .and_then(|message| message["body"].as_str())
            .unwrap_or_default()
            .to_owned()
    }
}

/// A stub homeserver, a gateway in front of it, and a device.
pub struct Stubbed {
    /// The homeserver.
    pub stub: Stub,
    /// The gateway.
    pub gateway: Gateway,
    /// The device.
    pub device: Aiocoap,
}

impl Stubbed {
    /// Starts them; the homeserver always does this. The gateway keeps no messages.
    pub fn always(behaviour: Behaviour) -> Self {
        Self::with(Stub::always(behaviour))
    }

    /// Starts a gateway and a device for this homeserver.
    pub fn with(stub: Stub) -> Self {
        let gateway = Gateway::start(&["--homeserver", &stub.origin, "--config", outbox_off()]);
        let device = Aiocoap::start(gateway.address);
        Self {
            stub,
            gateway,
            device,
        }
    }

    /// A well-formed `/send` to this homeserver.
    pub fn send(&self) -> Request {
        send_to(&self.stub.origin)
    }
}

/// A configuration file of a gateway that keeps no messages: the device hears how the homeserver fails.
pub fn outbox_off() -> &'static str {
    static FILE: OnceLock<(Scratch, String)> = OnceLock::new();
    let (_, file) = FILE.get_or_init(|| {
        let scratch = Scratch::new("outbox-off");
        let file = scratch.write("gateway.toml", "[outbox]\nmode = \"off\"\n");
        (scratch, file.display().to_string())
    });
    file
}

/// A well-formed `/send` to the homeserver at `origin`.
pub fn send_to(origin: &str) -> Request {
    Request::new("PUT", "/send")
        .proxy_uri(&Spelling::Short.send(origin, "!room:localhost", "txn1"))
        .token("a-token")
        .cbor(json!({ "msgtype": "m.text", "body": "hello" }))
}
