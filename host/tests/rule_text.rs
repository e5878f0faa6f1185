//! Rules written by hand, with code that no compiler makes: a module as text, around values of the contract in its
//! memory, in the layout of the component model's canonical ABI.

use contract::{Effect, Failure, HttpRequest, Reply, Step, Upstream};
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

/// Where the values lie: above the stack and constants that a compiled rule would have.
const VALUES: u32 = 1024;

/// The three exports, each as the text of a function's body that leaves an address.
pub struct RuleText {
    memory: Memory,
    /// Of `describe`.
    pub describe: String,
    /// Of `begin`; parameter 0 is the address of its parameters.
    pub begin: String,
    /// Of `resume`; likewise.
    pub resume: String,
    /// Text beside the exports: globals and functions of the rule's own.
    pub extra: String,
    /// Whether it imports the contract's `log`, as the function `$log` of a level, an address and a length.
    pub logs: bool,
    /// Pages of 64 KiB that the module starts with.
    pub pages: u32,
}

impl RuleText {
    /// A rule with the resource `/test` for GET. It needs `GET /needed` of the default homeserver, and traps in every
    /// call.
    pub fn new() -> Self {
        Self::at("test")
    }

    /// The same with another resource.
    pub fn at(path: &str) -> Self {
        Self::needing(path, "needed")
    }

    /// The same with another resource, and another call that it needs.
    pub fn needing(path: &str, needed: &str) -> Self {
        Self::described(path, &[1], needed)
    }

    /// The same with other methods of its resource.
    pub fn described(path: &str, methods: &[u8], needed: &str) -> Self {
        let mut memory = Memory::default();
        let links = {
            let path = memory.literals(&[path]);
            let methods = memory.blob(methods);
            // No formats, not observable, no attributes.
            let link = [path, methods, [0; 8], [0; 8]].concat();
            let rest = [0; 12].to_vec();
            memory.list(&[[link, rest].concat()])
        };
        let needs = {
            let (upstream, credential) = (memory.text("standard"), memory.text("none"));
            let method = memory.text("GET").to_vec();
            let methods = memory.list(&[method]);
            let path = memory.literals(&[needed]);
            memory.list(&[[upstream, credential, methods, path].concat()])
        };
        let described = memory.put(&[&[0; 4][..], &links, &needs].concat());
        Self {
            memory,
            describe: format!("i32.const {described}"),
            begin: "unreachable".into(),
            resume: "unreachable".into(),
            extra: String::new(),
            logs: false,
            pages: 2,
        }
    }

    /// The text that leaves the address of this value, to be the end of `begin` or `resume`.
    pub fn value(&mut self, value: &Result<Effect, Failure>) -> (u32, String) {
        let address = self.memory.result(value);
        (address, format!("i32.const {address}"))
    }

    /// Where these bytes stand; they are put there if they do not yet.
    pub fn address_of(&mut self, bytes: &[u8]) -> u32 {
        let windows = self.memory.bytes.windows(bytes.len());
        match windows.into_iter().position(|part| part == bytes) {
            Some(place) => VALUES + u32::try_from(place).expect("it is small"),
            None => self.memory.put(bytes),
        }
    }

    /// The component.
    pub fn component(&self) -> Vec<u8> {
        let contract = "comatrix:gateway/translator@0.1.0";
        let values: String = self
            .memory
            .bytes
            .iter()
            .map(|byte| format!("\\{byte:02x}"))
            .collect();
        let (pages, heap) = (self.pages, 1 << 16);
        let (describe, begin, resume) = (&self.describe, &self.begin, &self.resume);
        let log = if self.logs {
            r#"(import "comatrix:gateway/log@0.1.0" "write" (func $log (param i32 i32 i32)))"#
        } else {
            ""
        };
        let extra = &self.extra;
        let text = format!(
            r#"(module
                {log}
                {extra}
                (memory (export "memory") {pages})
                (global $heap (mut i32) (i32.const {heap}))
                (data (i32.const {VALUES}) "{values}")
                (func $deep (param i64 i64 i64 i64)
                    (call $deep (local.get 1) (local.get 2) (local.get 3) (local.get 0))
                    (call $deep (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                    (local $start i32)
                    (local.set $start (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
                    (global.set $heap (i32.add (local.get $start) (local.get 3)))
                    (local.get $start))
                (func (export "{contract}#describe") (param i32 i32) (result i32) {describe})
                (func (export "{contract}#begin") (param i32) (result i32) {begin})
                (func (export "{contract}#resume") (param i32) (result i32) {resume}))"#
        );
        let mut module = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"));
        let mut resolve = Resolve::default();
        let (contract, _) = resolve
            .push_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit"))
            .unwrap_or_else(|error| panic!("{error:#}"));
        resolve
            .select_world(&[contract], Some("rule"))
            .and_then(|world| {
                let utf8 = StringEncoding::UTF8;
                wit_component::embed_component_metadata(&mut module, &resolve, world, utf8)
            })
            .unwrap_or_else(|error| panic!("{error:#}"));
        ComponentEncoder::default()
            .validate(true)
            .module(&module)
            .and_then(|encoder| encoder.encode())
            .unwrap_or_else(|error| panic!("{error:#}"))
    }
}

/// Constant memory, from [`VALUES`] on.
#[derive(Default)]
struct Memory {
    bytes: Vec<u8>,
}

impl Memory {
    /// The address of these bytes, aligned for everything.
    fn put(&mut self, bytes: &[u8]) -> u32 {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        let address = VALUES + u32::try_from(self.bytes.len()).expect("it is small");
        self.bytes.extend(bytes);
        address
    }

    fn list(&mut self, items: &[Vec<u8>]) -> [u8; 8] {
        let address = self.put(&items.concat());
        let length = u32::try_from(items.len()).expect("it is short");
        let mut list = [0; 8];
        list[..4].copy_from_slice(&address.to_le_bytes());
        list[4..].copy_from_slice(&length.to_le_bytes());
        list
    }

    fn blob(&mut self, bytes: &[u8]) -> [u8; 8] {
        self.list(&bytes.iter().map(|byte| vec![*byte]).collect::<Vec<_>>())
    }

    fn text(&mut self, text: &str) -> [u8; 8] {
        self.blob(text.as_bytes())
    }

    fn texts(&mut self, texts: &[String]) -> [u8; 8] {
        let texts: Vec<_> = texts.iter().map(|text| self.text(text).to_vec()).collect();
        self.list(&texts)
    }

    fn pairs(&mut self, pairs: &[(String, String)]) -> [u8; 8] {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| [self.text(name), self.text(value)].concat())
            .collect();
        self.list(&pairs)
    }

    /// `segment.literal`s.
    fn literals(&mut self, literals: &[&str]) -> [u8; 8] {
        let segments: Vec<_> = literals
            .iter()
            .map(|literal| [&[0; 4][..], &self.text(literal)].concat())
            .collect();
        self.list(&segments)
    }

    /// `result<effect, failure>`.
    fn result(&mut self, value: &Result<Effect, Failure>) -> u32 {
        let (case, inner) = match value {
            Ok(effect) => (0, self.effect(effect)),
            Err(failure) => (1, self.failure(failure)),
        };
        self.put(&[word(case), inner].concat())
    }

    fn effect(&mut self, effect: &Effect) -> Vec<u8> {
        match effect {
            Effect::Reply(reply) => [word(0), self.reply(reply)].concat(),
            Effect::Call(step) => [word(1), self.step(step)].concat(),
        }
    }

    /// Without session change and watch, which are `none` and so zeros, more than they need.
    fn reply(&mut self, reply: &Reply) -> Vec<u8> {
        let message = &reply.message;
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
        [
            &word(message.code.into())[..],
            &options,
            &payload,
            &[0; 160],
        ]
        .concat()
    }

    fn step(&mut self, Step { request, state }: &Step) -> Vec<u8> {
        let request = self.request(request);
        [request, self.blob(state).to_vec()].concat()
    }

    fn request(&mut self, request: &HttpRequest) -> Vec<u8> {
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

    fn failure(&mut self, failure: &Failure) -> Vec<u8> {
        let diagnostic = self.text(&failure.diagnostic).to_vec();
        let max_age = match failure.max_age {
            None => vec![0; 8],
            Some(seconds) => [word(1), word(seconds)].concat(),
        };
        [word(failure.code.into()), diagnostic, max_age].concat()
    }
}

fn word(value: u32) -> Vec<u8> {
    value.to_le_bytes().to_vec()
}
