//! The address of a peer may be forged: what belongs to one security association is out of reach of another, and of
//! requests without protection.

use super::super::observe::{content, observing, proven};
use super::super::*;
use super::double::{OTHER_ASSOCIATION, Protected, wrapped};
use crate::Block;
use crate::option::{BLOCK1, BLOCK2, OBSERVE};

/// Makes a request protected in one association, protected in another, or not protected.
type Sender = fn(Datagram) -> Datagram;

const ONE: Sender = wrapped;

const OTHERS: [Sender; 2] = [
    |request| request,
    |mut request| {
        request.message_id += u16::from(OTHER_ASSOCIATION);
        wrapped(request)
    },
];

fn part(message_id: u16, number: u32, more: bool) -> Datagram {
    let mut request = confirmable(message_id, code::PUT);
    let block = Block {
        number,
        more,
        size_exponent: 0,
    };
    request.message.push_option(BLOCK1, block.encode());
    request.message.payload = vec![b'a' + number as u8; 16];
    request
}

#[test]
fn blocks_of_different_associations_are_not_put_together() {
    for other in OTHERS {
        for (first, second) in [(ONE, other), (other, ONE)] {
            let mut server = Protected::new(proven());
            server.receive(&first(part(7, 0, true)));
            server.receive(&second(part(8, 1, false)));
            assert!(server.endpoint.poll_request().is_none());
            server.receive(&first(part(9, 1, false)));
            let incoming = server.endpoint.poll_request().expect("the body is whole");
            assert_eq!(incoming.request.message.payload.len(), 32);
        }
    }
}

#[test]
fn the_rest_of_a_response_goes_to_its_association_only() {
    for other in OTHERS {
        let mut server = Protected::new(proven());
        server.receive(&ONE(confirmable(7, code::GET)));
        let (id, _) = server.incoming();
        let body = "x".repeat(1500);
        server.endpoint.respond(server.now, id, content(&body));
        server.sent();

        let mut rest = confirmable(8, code::GET);
        let block = Block {
            number: 1,
            more: false,
            size_exponent: 6,
        };
        rest.message.push_option(BLOCK2, block.encode());
        server.receive(&other(rest.clone()));
        assert_eq!(server.sent(), [] as [Vec<u8>; 0]);
        let incoming = server.endpoint.poll_request();
        assert!(incoming.is_some(), "it is a request of its own");
        rest.message_id = 9;
        server.receive(&ONE(rest));
        assert_eq!(server.sent_one().2.payload.len(), 476);
    }
}

#[test]
fn nobody_else_ends_or_renews_an_observation() {
    for other in OTHERS {
        let mut server = Protected::new(proven());
        server.receive(&ONE(observing(7, 0)));
        let (id, _) = server.incoming();
        let now = server.now;
        let begun = server
            .endpoint
            .respond_observing(now, id, content("first"), None);
        let begun = begun.expect("an observation");
        server.sent();

        for observe in [0, 1] {
            let mut forged = observing(8 + observe as u16, observe);
            forged.token = token(7);
            server.receive(&other(forged));
            let incoming = server.endpoint.poll_request().expect("a request");
            assert_eq!(server.endpoint.renews(incoming.id), None);
            server.endpoint.respond(now, incoming.id, content("first"));
        }
        assert_eq!(server.endpoint.poll_observe_event(), None);
        server.sent();
        assert!(server.endpoint.notify(now, begun, content("second")));
        let (_, number, inner) = server.sent_one();
        assert_eq!((number, inner.option(OBSERVE).is_some()), (7, true));
    }
}
