//! A gateway that is killed at any time, under devices that make their security contexts by EDHOC.

#![allow(
    clippy::print_stdout,
    reason = "the figures say what a run has put to the test"
)]

use std::net::{SocketAddr, UdpSocket};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use coap::{Datagram, Message, MessageType, Token, code};
use secure::edhoc::{Ccs, Identity, Initiator};
use secure::oscore::{Context, Identifier};

use crate::coaps_stage::Stage;
use crate::edhoc_device::{self, Device};
use crate::oscore_busy::{Busy, Seen, World};
use crate::oscore_killed::{PATIENCE, doubled, homeserver, kill_again_and_again};
use crate::stub::Stub;

const DEVICES: u8 = 4;
const KILLS: usize = 10;
/// Above the time in which a gateway responds, and below that between most kills.
const WAIT: Duration = Duration::from_millis(300);

/// The response to a message of EDHOC; none if the gateway dies meanwhile.
fn post(socket: &UdpSocket, message_id: u16, payload: Vec<u8>) -> Option<Message> {
    let bytes = coap::encode(&Datagram {
        message_type: MessageType::Confirmable,
        message_id,
        token: Token::new(&message_id.to_be_bytes()).expect("it is short"),
        message: edhoc_device::request(payload),
    });
    let mut buffer = [0; 2048];
    for _ in 0..3 {
        let _ = socket.send(&bytes);
        let end = Instant::now() + WAIT;
        while Instant::now() < end {
            let Ok(length) = socket.recv(&mut buffer) else {
                continue;
            };
            let Datagram {
                message_type,
                message_id,
                message,
                ..
            } = coap::decode(&buffer[..length]).expect("CoAP");
            if message_type == MessageType::Confirmable {
                let ack = Datagram::empty(MessageType::Acknowledgement, message_id);
                let _ = socket.send(&coap::encode(&ack));
            }
            if message.code != code::EMPTY {
                return Some(message);
            }
        }
    }
    None
}

/// A handshake with the gateway at this address; none if it dies meanwhile, or has forgotten its first half.
fn agree(identity: &Identity, gateway: &Ccs, address: SocketAddr) -> Option<Context> {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let timeout = Some(Duration::from_millis(20));
    socket.set_read_timeout(timeout).expect("it is not zero");
    socket.connect(address).expect("any address will do");
    let c_i = Identifier::new(&[5]).expect("it is short");
    let (initiator, message_1) = Initiator::begin(c_i, &mut edhoc_device::random()).expect("a key");
    let message_2 = post(&socket, 1, [&[0xf5][..], &message_1].concat())?;
    if message_2.code != code::CHANGED {
        return None;
    }
    let mut verified = initiator
        .verify(identity, gateway, &message_2.payload)
        .expect("the gateway is the same in each life");
    let message_4 = post(&socket, 2, edhoc_device::identified(&verified))?;
    if message_4.code != code::CHANGED {
        return None;
    }
    verified
        .verify_message_4(&message_4.payload)
        .expect("the gateway has the same secret");
    Some(Context::new(&verified.parameters, 0).expect("good parameters"))
}

#[test]
fn devices_that_agree_by_edhoc_go_on_whenever_the_gateway_is_killed_and_no_nonce_leaves_twice() {
    let stage = Stage::start_before(Stub::start(homeserver), "edhoc-killed", "");
    let address = stage.running.client.peer_addr().expect("it is connected");
    let world = World {
        gateway: Mutex::new(address),
        lives: AtomicUsize::new(1),
        observing: AtomicUsize::new(0),
        is_over: AtomicBool::new(false),
    };
    let handshakes = AtomicUsize::new(0);
    let devices: Vec<(Identity, Ccs)> = (1..=DEVICES)
        .map(|number| {
            let identity = edhoc_device::identity(number);
            let device = Device::enrol(&stage, &format!("device-{number}"), identity);
            (device.identity.clone(), device.gateway().clone())
        })
        .collect();
    let (stage, seen) = thread::scope(|scope| {
        let (world, handshakes) = (&world, &handshakes);
        let threads: Vec<_> = devices
            .iter()
            .enumerate()
            .map(|(number, (identity, gateway))| {
                let first = agree(identity, gateway, address).expect("nobody has killed it yet");
                let renew = Box::new(move |address| {
                    let context = agree(identity, gateway, address)?;
                    handshakes.fetch_add(1, Ordering::SeqCst);
                    Some(context)
                });
                let busy = Busy::renewing(world, number, first, renew);
                scope.spawn(move || busy.work())
            })
            .collect();
        let stage = kill_again_and_again(stage, world, KILLS);
        let began = Instant::now();
        let all = usize::from(DEVICES);
        while world.observing.load(Ordering::SeqCst) < all && began.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(100));
        }
        let observing = world.observing.load(Ordering::SeqCst);
        world.is_over.store(true, Ordering::SeqCst);
        let seen = threads.into_iter().map(|device| device.join());
        let seen: Vec<Seen> = seen.map(|seen| seen.expect("a device ends")).collect();
        assert!(observing >= all, "{observing} devices went on");
        (stage, seen)
    });
    let (mut accepted, mut nonces, mut refused) = (0, 0, 0);
    for seen in &seen {
        for record in seen.former_nonces.iter().chain([&seen.nonces]) {
            assert!(record.reused.is_empty(), "{:?}", record.reused);
            nonces += record.count().iter().sum::<usize>();
        }
        assert!(seen.replayed.is_empty(), "{:?}", seen.replayed);
        accepted += seen.accepted;
        refused += seen.refused;
    }
    let handshakes = handshakes.load(Ordering::SeqCst);
    println!(
        "{KILLS} kills: {handshakes} further handshakes, {nonces} nonces, {accepted} messages accepted, {refused} \
         replays refused"
    );
    assert_eq!(doubled(&stage.stub.received()), [""; 0]);
    assert!(handshakes > 0 && accepted > 0 && refused > 0);
}
