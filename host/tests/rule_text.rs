//! Rules written by hand, with code that no compiler makes: a module as text, around values of the contract in its
//! memory.

// Benchmarks include this file by its path too.
#[path = "rule_text/memory.rs"]
mod memory;

use contract::{Effect, Failure, Message};
use memory::{Memory, VALUES, word};
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

/// The exports, each as the text of a function's body that leaves an address.
pub struct RuleText {
    memory: Memory,
    /// Of `describe`.
    pub describe: String,
    /// Of `begin`; parameter 0 is the address of its parameters.
    pub begin: String,
    /// Of `resume`; likewise.
    pub resume: String,
    /// Of `accepted`, if it exports an outbox; likewise.
    pub accepted: Option<String>,
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
        Self::with(path, methods, ("GET", &[needed]))
    }

    /// The same with deliveries to `PUT /needed` and an id in place of that call.
    pub fn delivering() -> Self {
        Self::delivering_for(&[1])
    }

    /// The same with other methods of its resource: what a GET delivers is not stored.
    pub fn delivering_for(methods: &[u8]) -> Self {
        Self::with("test", methods, ("PUT", &["needed", "*"]))
    }

    fn with(path: &str, methods: &[u8], (method, needed): (&str, &[&str])) -> Self {
        let mut memory = Memory::default();
        let links = {
            let path = memory.segments(&[path]);
            let methods = memory.blob(methods);
            // No formats, not observable, no attributes.
            let link = [path, methods, [0; 8], [0; 8]].concat();
            let rest = [0; 12].to_vec();
            memory.list(&[[link, rest].concat()])
        };
        let needs = {
            let (upstream, credential) = (memory.text("standard"), memory.text("none"));
            let method = memory.text(method).to_vec();
            let methods = memory.list(&[method]);
            let path = memory.segments(needed);
            memory.list(&[[upstream, credential, methods, path].concat()])
        };
        let described = memory.put(&[&[0; 4][..], &links, &needs].concat());
        Self {
            memory,
            describe: format!("i32.const {described}"),
            begin: "unreachable".into(),
            resume: "unreachable".into(),
            accepted: None,
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

    /// The text that leaves the address of this message, to be the end of `accepted`.
    pub fn accepts(&mut self, value: &Result<Message, Failure>) -> String {
        let (case, inner) = match value {
            Ok(message) => (0, self.memory.message(message)),
            Err(failure) => (1, self.memory.failure(failure)),
        };
        format!(
            "i32.const {}",
            self.memory.put(&[word(case), inner].concat())
        )
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
        let contract = "comatrix:gateway/translator@0.2.0";
        let values: String = self
            .memory
            .bytes
            .iter()
            .map(|byte| format!("\\{byte:02x}"))
            .collect();
        let (pages, heap) = (self.pages, 1 << 16);
        let (describe, begin, resume) = (&self.describe, &self.begin, &self.resume);
        let log = if self.logs {
            r#"(import "comatrix:gateway/log@0.2.0" "write" (func $log (param i32 i32 i32)))"#
        } else {
            ""
        };
        let extra = &self.extra;
        let (world, accepted) = match &self.accepted {
            None => ("rule", String::new()),
            Some(body) => {
                let name = "comatrix:gateway/outbox@0.2.0#accepted";
                let function =
                    format!(r#"(func (export "{name}") (param i32) (result i32) {body})"#);
                ("delivering-rule", function)
            }
        };
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
                (func (export "{contract}#resume") (param i32) (result i32) {resume})
                {accepted})"#
        );
        let mut module = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"));
        let mut resolve = Resolve::default();
        let (contract, _) = resolve
            .push_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit"))
            .unwrap_or_else(|error| panic!("{error:#}"));
        resolve
            .select_world(&[contract], Some(world))
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
