//! Constant values of the contract in a module's memory, in the layout of the component model's canonical ABI.

use contract::{Delivery, Effect, Failure, HttpRequest, Message, Reply, Step, Upstream};

/// Where the values lie: above the stack and constants that a compiled rule would have.
pub const VALUES: u32 = 1024;

/// Constant memory, from [`VALUES`] on.
#[derive(Default)]
pub struct Memory {
    pub bytes: Vec<u8>,
}

impl Memory {
    /// The address of these bytes, aligned for everything.
    pub fn put(&mut self, bytes: &[u8]) -> u32 {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        let address = VALUES + u32::try_from(self.bytes.len()).expect("it is small");
        self.bytes.extend(bytes);
        address
    }

    pub fn list(&mut self, items: &[Vec<u8>]) -> [u8; 8] {
        let address = self.put(&items.concat());
        let length = u32::try_from(items.len()).expect("it is short");
        let mut list = [0; 8];
        list[..4].copy_from_slice(&address.to_le_bytes());
        list[4..].copy_from_slice(&length.to_le_bytes());
        list
    }

    pub fn blob(&mut self, bytes: &[u8]) -> [u8; 8] {
        self.list(&bytes.iter().map(|byte| vec![*byte]).collect::<Vec<_>>())
    }

    pub fn text(&mut self, text: &str) -> [u8; 8] {
        self.blob(text.as_bytes())
    }

    pub fn texts(&mut self, texts: &[String]) -> [u8; 8] {
        let texts: Vec<_> = texts.iter().map(|text| self.text(text).to_vec()).collect();
        self.list(&texts)
    }

    pub fn pairs(&mut self, pairs: &[(String, String)]) -> [u8; 8] {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| [self.text(name), self.text(value)].concat())
            .collect();
        self.list(&pairs)
    }

    /// `segment`s: `*` is a capture, others are literals.
    pub fn segments(&mut self, segments: &[&str]) -> [u8; 8] {
        let segments: Vec<_> = segments
            .iter()
            .map(|segment| [word((*segment == "*").into()), self.text(segment).to_vec()].concat())
            .collect();
        self.list(&segments)
    }

    /// `result<effect, failure>`.
    pub fn result(&mut self, value: &Result<Effect, Failure>) -> u32 {
        let (case, inner) = match value {
            Ok(effect) => (0, self.effect(effect)),
            Err(failure) => (1, self.failure(failure)),
        };
        self.put(&[word(case), inner].concat())
    }

    pub fn effect(&mut self, effect: &Effect) -> Vec<u8> {
        match effect {
            Effect::Reply(reply) => [word(0), self.reply(reply)].concat(),
            Effect::Call(step) => [word(1), self.step(step)].concat(),
            Effect::Deliver(delivery) => [word(2), self.delivery(delivery)].concat(),
        }
    }

    /// Without session change and watch, which are `none` and so zeros, more than they need.
    pub fn reply(&mut self, reply: &Reply) -> Vec<u8> {
        let message = self.message(&reply.message);
        [message, vec![0; 160]].concat()
    }

    pub fn message(&mut self, message: &Message) -> Vec<u8> {
        let options: Vec<_> = message
            .options
            .iter()
            .map(|option| {
                [
                    word(option.number.into()),
                    self.blob(&option.value).to_vec(),
                ]
                .concat()
            })
            .collect();
        let (options, payload) = (self.list(&options), self.blob(&message.payload));
        [&word(message.code.into())[..], &options, &payload].concat()
    }

    pub fn delivery(&mut self, delivery: &Delivery) -> Vec<u8> {
        let names = [self.text(&delivery.lane), self.text(&delivery.transaction)];
        [names.concat(), self.step(&delivery.step)].concat()
    }

    pub fn step(&mut self, Step { request, state }: &Step) -> Vec<u8> {
        let request = self.request(request);
        [request, self.blob(state).to_vec()].concat()
    }

    pub fn request(&mut self, request: &HttpRequest) -> Vec<u8> {
        let upstream = match &request.upstream {
            Upstream::Standard => [word(0), vec![0; 8]].concat(),
            Upstream::Requested => [word(1), vec![0; 8]].concat(),
            Upstream::Named(name) => [word(2), self.text(name).to_vec()].concat(),
        };
        let fields = [
            self.text(&request.credential),
            self.text(&request.method),
            self.texts(&request.path),
            self.pairs(&request.query),
            self.pairs(&request.headers),
        ];
        let body = match &request.body {
            None => vec![0; 12],
            Some(body) => [word(1), self.blob(body).to_vec()].concat(),
        };
        [upstream, fields.concat(), body, word(request.hold_ms)].concat()
    }

    pub fn failure(&mut self, failure: &Failure) -> Vec<u8> {
        let diagnostic = self.text(&failure.diagnostic).to_vec();
        let max_age = match failure.max_age {
            None => vec![0; 8],
            Some(seconds) => [word(1), word(seconds)].concat(),
        };
        [word(failure.code.into()), diagnostic, max_age].concat()
    }
}

pub fn word(value: u32) -> Vec<u8> {
    value.to_le_bytes().to_vec()
}
