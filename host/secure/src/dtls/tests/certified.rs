//! Handshakes with certificates.

use std::sync::Arc;

use dimpl::{Config, Dtls, DtlsCertificate};
use std::time::Duration;

use super::authority::{Authority, NOW, gateway};
use super::client::Client;
use super::world::{Weather, World, settings};
use crate::dtls::record::{ALERT, records};
use crate::dtls::{
    CertificatePolicy, CertificateRefusal, Credentials, Event, Limits, Method, PskDevice, Refusal,
    Settings,
};

struct Policy(CertificatePolicy);

impl Credentials for Policy {
    fn psk(&self, _identity: &[u8]) -> Option<PskDevice> {
        None
    }

    fn certificate(&self, certificate: &[u8]) -> Result<Arc<str>, CertificateRefusal> {
        self.0.check(certificate, NOW)
    }
}

fn world(seed: u64, policy: CertificatePolicy) -> World {
    let settings = Settings {
        psk: false,
        certificate: Some(gateway()),
        ..settings(Limits::default())
    };
    World::new(seed, settings, Arc::new(Policy(policy)))
}

fn add(world: &mut World, config: &Arc<Config>, certificate: DtlsCertificate) -> usize {
    let address = "[2001:db8::1]:5000".parse().expect("an address");
    let dtls = Dtls::new_12(config.clone(), certificate, world.now);
    world.clients.push(Client::new(world.now, address, dtls));
    world.clients.len() - 1
}

/// What the server refused, and the last alert that it sent.
fn refused(world: &World) -> (Refusal, Option<u8>) {
    let [Event::Refused { refusal, .. }] = &world.events[..] else {
        panic!("{:?}", world.events);
    };
    let sent = world
        .trace
        .iter()
        .filter(|(is_from_client, _)| !is_from_client);
    let mut records = sent.flat_map(|(_, datagram)| records(datagram));
    let alert = records.find(|record| record.content_type == ALERT);
    (refusal.clone(), alert.map(|record| record.fragment[1]))
}

#[test]
fn a_device_with_a_certificate_of_the_authority_gets_a_session() {
    let authority = Authority::new("farm");
    let mut world = world(1, authority.policy());
    let config = Arc::new(Config::default());
    let device = add(&mut world, &config, authority.device("kitchen"));
    world.run_seconds(5);
    assert!(world.clients[device].is_connected, "{:?}", world.events);
    let [
        Event::Opened {
            session,
            principal,
            method: Method::Certificate,
        },
    ] = &world.events[..]
    else {
        panic!("{:?}", world.events);
    };
    assert_eq!(&**principal, "kitchen");
    let session = *session;
    let longest = world.server.longest_message(&session).expect("a session");
    assert_eq!(longest, 1_232 - 37);
    world
        .server
        .send(world.now, &session, &vec![7; longest])
        .expect("a session");
    world.clients[device].send(&[8; 1_200]);
    world.run_seconds(1);
    assert_eq!(world.clients[device].messages[0].len(), longest);
    assert_eq!(world.messages[0].bytes, [8; 1_200]);
    let sent = world
        .trace
        .iter()
        .filter(|(is_from_client, _)| !is_from_client);
    assert_eq!(sent.map(|(_, datagram)| datagram.len()).max(), Some(1_232));
}

#[test]
fn a_session_goes_on_with_another_certificate_of_the_gateway_and_without_one() {
    let authority = Authority::new("farm");
    let mut world = world(1, authority.policy());
    let config = Arc::new(Config::default());
    let device = add(&mut world, &config, authority.device("kitchen"));
    world.run_seconds(5);
    for certificate in [Some(gateway()), None, Some(gateway())] {
        world
            .server
            .set_certificate(certificate)
            .expect("the limits are good");
        world.clients[device].send(b"on");
        world.run_seconds(1);
    }
    assert_eq!(world.messages.len(), 3);
    world.server.set_certificate(None).expect("no limit");
    let late = add(&mut world, &config, authority.device("roof"));
    world.run_seconds(5);
    assert!(!world.clients[late].is_connected && world.server.session_count() == 1);
}

#[test]
fn an_expired_and_a_foreign_certificate_get_the_same_alert_and_no_session() {
    let authority = Authority::new("farm");
    let mut expired = Authority::params("kitchen");
    expired.not_after = rcgen::date_time_ymd(2026, 2, 1);
    let config = Arc::new(Config::default());
    for (certificate, is_expired) in [
        (authority.sign(expired), true),
        (Authority::new("other farm").device("kitchen"), false),
    ] {
        let mut world = world(1, authority.policy());
        add(&mut world, &config, certificate);
        world.run_seconds(5);
        let (refusal, alert) = refused(&world);
        let Refusal::Certificate(refusal) = refusal else {
            panic!("{refusal:?}");
        };
        assert_eq!(
            matches!(refusal, CertificateRefusal::Expired(_)),
            is_expired
        );
        assert_eq!(
            matches!(refusal, CertificateRefusal::Foreign(_)),
            !is_expired
        );
        assert_eq!((alert, world.server.handshake_count()), (Some(42), 0));
        assert_eq!(world.server.counters().certificates_refused, 1);
    }
}

#[test]
fn a_stolen_certificate_without_its_key_opens_no_session() {
    let authority = Authority::new("farm");
    let mut world = world(1, authority.policy());
    let stolen = DtlsCertificate {
        certificate: authority.device("kitchen").certificate,
        private_key: authority.device("thief").private_key,
    };
    add(&mut world, &Arc::new(Config::default()), stolen);
    world.run_seconds(50);
    let (refusal, alert) = refused(&world);
    assert!(
        matches!(
            refusal,
            Refusal::Protocol {
                method: Method::Certificate,
                ..
            }
        ),
        "{refusal:?}"
    );
    assert_eq!((alert, world.server.session_count()), (Some(40), 0));
}

#[test]
fn handshakes_with_certificates_succeed_in_any_weather() {
    let authority = Authority::new("farm");
    let config = Arc::new(Config::builder().mtu(300).build().expect("a configuration"));
    for seed in 0..10 {
        let mut world = world(seed, authority.policy());
        world.weather = Weather {
            loss: 10,
            repetition: 10,
            delay: Duration::from_millis(100),
        };
        let is_connected = (0..10).any(|_| {
            let device = add(&mut world, &config, authority.device("kitchen"));
            world.run_seconds(45);
            world.clients[device].is_connected
        });
        assert!(is_connected, "seed {seed}: {:?}", world.events);
    }
}

#[test]
fn a_handshake_that_is_not_complete_ends_with_the_trust_in_its_authority() {
    let authority = Authority::new("farm");
    let mut world = world(1, authority.policy());
    let config = Arc::new(Config::default());
    let device = add(&mut world, &config, authority.device("kitchen"));
    while world.server.handshake_count() == 0 {
        world.run(Duration::from_micros(500));
    }
    assert_eq!(world.server.session_count(), 0);
    world.server.end_certificate_handshakes();
    assert_eq!(world.server.handshake_count(), 0);
    assert!(world.server.slots.is_empty());
    world.run_seconds(5);
    assert!(!world.clients[device].is_connected);
}
