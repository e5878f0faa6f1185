//! A device: one request after the other. After a failure it sends another one, with another number.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use coap::client::{BlockSize, ClientExchange, Settings};
use coap::option::ECHO;
use coap::{Message, code};

use super::application::{Application, answer, first_number, request};
use super::sides::Link;
use crate::oscore::tests::simulation::random::Random;

struct Attempt {
    number: u64,
    exchange: ClientExchange,
    /// A request ends with its session: message IDs and tokens belong to it (RFC 7252 §9.1.1).
    session: u64,
    is_over: bool,
}

pub(super) struct Device<L> {
    pub(super) link: L,
    random: Random,
    /// When it has something to send.
    errands: VecDeque<Instant>,
    current: Option<Attempt>,
    /// After a failure.
    not_before: Instant,
    next_number: u64,
    next_message_id: u16,
    /// Of a challenge: the next request has it. It is another request, with another number: the challenged one may have
    /// been processed before the gateway restarted, and nobody can tell.
    echo: Option<Vec<u8>>,
    pub(super) done: u64,
    pub(super) failed: u64,
    pub(super) challenges: u64,
}

impl<L: Link> Device<L> {
    pub(super) fn new(
        index: usize,
        link: L,
        errands: VecDeque<Instant>,
        mut random: Random,
    ) -> Self {
        Self {
            link,
            current: None,
            not_before: errands[0],
            errands,
            next_number: first_number(index),
            next_message_id: random.below(65_536) as u16,
            random,
            echo: None,
            done: 0,
            failed: 0,
            challenges: 0,
        }
    }

    pub(super) fn reboot(&mut self, now: Instant) {
        self.current = None;
        self.echo = None;
        self.next_message_id = self.random.below(65_536) as u16;
        self.link.reboot(now);
    }

    pub(super) fn is_done(&self) -> bool {
        self.errands.is_empty()
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let running = self.current.as_ref().filter(|attempt| !attempt.is_over);
        let next = match running {
            Some(attempt) => attempt.exchange.next_timeout(),
            None => self.errands.front().map(|at| self.not_before.max(*at)),
        };
        let next = next.filter(|_| running.is_some() || self.link.is_ready());
        next.into_iter().chain(self.link.next_timeout()).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.link.handle_timeout(now);
        if let Some(attempt) = self.current.as_mut().filter(|attempt| !attempt.is_over)
            && attempt.exchange.next_timeout().is_some_and(|at| at <= now)
        {
            attempt.exchange.handle_timeout(now);
        }
    }

    pub(super) fn handle_datagram(&mut self, now: Instant, datagram: &[u8]) {
        for message in self.link.receive(now, datagram) {
            if let Some(attempt) = &mut self.current {
                attempt.exchange.handle_datagram(&message, now);
            }
        }
    }

    /// Takes outcomes, begins requests, and passes messages on.
    pub(super) fn turn(&mut self, now: Instant, application: &Application) {
        self.conclude(now, application);
        let is_idle = self.current.as_ref().is_none_or(|attempt| attempt.is_over);
        let is_due = self.errands.front().is_some_and(|at| *at <= now) && self.not_before <= now;
        if is_idle && is_due && self.link.is_ready() {
            self.begin(now);
        }
        self.pass_on(now);
    }

    fn pass_on(&mut self, now: Instant) {
        let session = self.link.session();
        let current = self.current.as_mut();
        if let Some(attempt) = current.filter(|attempt| attempt.session == session) {
            while let Some(plain) = attempt.exchange.poll_transmit() {
                self.link.send(now, plain);
            }
        }
    }

    fn begin(&mut self, now: Instant) {
        let number = self.next_number;
        self.next_number += 1;
        let mut message = request(number);
        if let Some(echo) = self.echo.take() {
            message.push_option(ECHO, echo);
        }
        let settings = Settings {
            confirmable: !self.random.once_in(5),
            block_size: BlockSize::new(64).expect("a size"),
            ask_block_size: false,
            timeout: Duration::from_secs(120),
            max_response_body: 1_024,
        };
        self.link.begin();
        let seed = self.random.bytes();
        let exchange = ClientExchange::new(message, settings, seed, self.next_message_id, now);
        self.current = Some(Attempt {
            number,
            exchange,
            session: self.link.session(),
            is_over: false,
        });
    }

    fn conclude(&mut self, now: Instant, application: &Application) {
        let Some(attempt) = self.current.as_mut().filter(|attempt| !attempt.is_over) else {
            return;
        };
        let outcome = attempt.exchange.outcome();
        let is_lost = attempt.session != self.link.session() || !self.link.is_ready();
        if outcome.is_none() && !is_lost {
            return;
        }
        attempt.is_over = true;
        self.next_message_id = attempt.exchange.next_message_id();
        let number = attempt.number;
        match outcome {
            None => {}
            Some(Ok(Message { code, payload, .. })) if *code >> 5 == 2 => {
                assert_eq!(
                    String::from_utf8_lossy(payload),
                    answer(number),
                    "the response to {number}"
                );
                assert!(application.times(number) > 0, "{number} has not arrived");
                self.done += 1;
                self.errands.pop_front();
                return;
            }
            Some(Ok(response)) if response.code == code::UNAUTHORIZED => {
                self.echo = response.option(ECHO).map(<[u8]>::to_vec);
                self.challenges += 1;
                return;
            }
            Some(Ok(_)) => {}
            Some(Err(_)) => self.link.fail(now),
        }
        self.failed += 1;
        let pause = 1_000 + self.random.below(5_000);
        self.not_before = now + Duration::from_millis(pause as u64);
    }
}
