//! Sessions on a simulated disk: over ends of the process and power cuts.

use contract::Peer;
use contract::clock::Clock;
use contract::secret::AccessToken;
use futures_util::FutureExt;
use homeserver::{
    ClientApi, ConcurrencyLimit, Homeserver, Login, ResponseBytes, TokenPeers, UpstreamLimits,
    UpstreamSettings, Upstreams,
};
use store::database::{Batch, Database, Owner};
use store::simulation::Disk;

use super::{Sessions, Table};

const HOMES: [&str; 2] = ["http://one/", "http://two/"];

/// A gateway's sessions, and the thread of its store.
fn start(disk: &Disk) -> (Sessions, Database, Owner) {
    let records = disk.open().unwrap();
    let table = Table::read(&records).unwrap();
    let (database, owner) = Database::without_thread(records);
    let sessions = Sessions::new(table, database.clone(), Clock::system());
    (sessions, database, owner)
}

fn upstreams(origins: &[&str]) -> Upstreams {
    let limits = UpstreamLimits {
        in_flight: 1,
        queued: 1,
        response: 1 << 10,
        responses: 1 << 10,
    };
    let homeservers = origins.iter().map(|origin| {
        let slots = ConcurrencyLimit::new(1, 1);
        Homeserver::configured(origin.parse().unwrap(), None, None, ClientApi::V3, slots)
    });
    let settings = UpstreamSettings {
        homeservers: homeservers.collect(),
        others: None,
        token_peers: TokenPeers::default(),
        ca_file: None,
        limits,
        response_bytes: ResponseBytes::new(limits),
        clock: Clock::system(),
    };
    Upstreams::new(settings).unwrap_or_else(|error| panic!("{error}"))
}

fn device(name: &str) -> Peer {
    let mut peer = Peer::unauthenticated("192.0.2.1:5683".parse().unwrap());
    peer.authenticated = true;
    peer.principal = Some(name.into());
    peer
}

fn token(text: &str) -> AccessToken {
    AccessToken::parse(text.as_bytes()).unwrap()
}

/// A login whose response waits for the disk. Returns whether the session began.
fn log_in(sessions: &Sessions, owner: &mut Owner, name: &str, origin: &str, text: &str) -> bool {
    let login = Login {
        user: "@u:h".to_owned(),
        token: token(text),
    };
    let origin = origin.parse().unwrap();
    let stored = sessions.open(&device(name), sessions.now(), &origin, &login);
    let Some(mut stored) = stored else {
        return false;
    };
    assert!(
        (&mut stored).now_or_never().is_none(),
        "it waits for the disk"
    );
    owner.turn();
    stored.now_or_never().expect("the disk has it");
    true
}

/// The token and the homeserver of a request.
fn used(sessions: &Sessions, peer: &Peer, origins: &[&str]) -> Option<([u8; 32], String)> {
    let session = sessions.find(peer, None, &upstreams(origins))?;
    let origin = session.homeserver.origin().to_string();
    Some((session.token.digest(), origin))
}

fn expected(text: &str, origin: &str) -> Option<([u8; 32], String)> {
    Some((token(text).digest(), origin.to_owned()))
}

#[test]
fn a_login_that_was_answered_outlives_a_power_cut_and_a_logout_too() {
    let disk = Disk::new();
    let (sessions, _, mut owner) = start(&disk);
    assert!(log_in(&sessions, &mut owner, "kitchen", HOMES[0], "1"));
    assert!(log_in(&sessions, &mut owner, "kitchen", HOMES[1], "2"));
    drop((sessions, owner));
    disk.restart(1);
    let (sessions, _, mut owner) = start(&disk);
    let kitchen = device("kitchen");
    assert_eq!(used(&sessions, &kitchen, &HOMES), expected("2", HOMES[1]));
    // A homeserver that is not configured any more gets nothing.
    assert_eq!(
        used(&sessions, &kitchen, &HOMES[..1]),
        expected("1", HOMES[0])
    );
    sessions.close(&kitchen, HOMES[1], &token("1"));
    assert_eq!(used(&sessions, &kitchen, &HOMES), expected("2", HOMES[1]));
    sessions.close(&kitchen, HOMES[1], &token("2"));
    assert_eq!(used(&sessions, &kitchen, &HOMES), expected("1", HOMES[0]));
    // A later commit takes the deletion along.
    assert!(log_in(&sessions, &mut owner, "roof", HOMES[0], "3"));
    drop((sessions, owner));
    disk.restart(2);
    let (sessions, ..) = start(&disk);
    assert_eq!(used(&sessions, &kitchen, &HOMES), expected("1", HOMES[0]));
    assert_eq!(sessions.counts().open, 2);
}

#[test]
fn only_the_device_that_has_logged_in_and_proven_its_name_gets_its_session() {
    let disk = Disk::new();
    let (sessions, _, mut owner) = start(&disk);
    assert!(log_in(&sessions, &mut owner, "kitchen", HOMES[0], "1"));
    let mut forged = device("kitchen");
    forged.authenticated = false;
    let plain = Peer::unauthenticated(forged.id);
    for stranger in [device("roof"), device("Kitchen"), forged, plain] {
        assert_eq!(used(&sessions, &stranger, &HOMES), None, "{stranger}");
        sessions.close(&stranger, HOMES[0], &token("1"));
    }
    assert_eq!(
        used(&sessions, &device("kitchen"), &HOMES),
        expected("1", HOMES[0])
    );
}

#[test]
fn a_login_in_flight_while_devices_are_removed_begins_no_session() {
    let disk = Disk::new();
    let (sessions, database, mut owner) = start(&disk);
    assert!(log_in(&sessions, &mut owner, "kitchen", HOMES[0], "1"));
    let before = sessions.now();
    let mut batch = Batch::new();
    sessions.remove_with("kitchen", &mut batch);
    let removed = database.commit(batch);
    owner.turn();
    removed.now_or_never().expect("the disk has it").unwrap();
    sessions.forget_device("kitchen");
    let login = Login {
        user: "@u:h".to_owned(),
        token: token("2"),
    };
    let origin = HOMES[0].parse().unwrap();
    assert!(
        sessions
            .open(&device("kitchen"), before, &origin, &login)
            .is_none()
    );
    assert_eq!(used(&sessions, &device("kitchen"), &HOMES), None);
    owner.turn();
    drop((sessions, database, owner));
    disk.restart(3);
    let (sessions, ..) = start(&disk);
    assert_eq!(sessions.counts().open, 0);
}
