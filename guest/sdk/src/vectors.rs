//! Test cases as files: a folder per case, with a device's request, the homeserver's responses and the response that
//! the device must get. The same case runs against a rule's native code ([`check`]) and, in the gateway, against its
//! component.
//!
//! The files' fields are explained in `vectors/README.md` beside this file.

mod compare;
mod fields;
mod native;
mod native_rule;
mod observation;
mod observer;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::bindings::{
    CallError, CoapOption, Context, Delivery, Failure, HttpRequest, HttpResponse, Link, Message,
    Reply, Segment, Target, Watch,
};
use crate::message::{ACCEPT, CONTENT_FORMAT, OBSERVE, URI_QUERY, uint};
use compare::{same_call, same_delivery, same_end};
use fields::{bytes, hex_bytes, outcome, pairs, string, strings};
pub use native::{check, diagnostics};
pub use native_rule::{CaseSettings, NativeRule};
pub use observer::{Fault, Observer};

/// One folder, or one vector of a manifest (`NAME.rule.json`), which has the same fields. An unknown field is an
/// error, so that a mistyped one is noticed.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The folder's name: a sentence.
    pub name: String,
    /// The device's request: the content of `request.json`.
    pub request: Json,
    /// The calls that the rule must make, and their outcomes: the content of `calls.json`.
    #[serde(default)]
    pub calls: Vec<Json>,
    /// The response that the device must get: the content of `reply.json`.
    pub reply: Json,
    /// The course of the observation that the reply starts: the content of `observation.json`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observation: Vec<Json>,
}

/// What a rule asks for.
#[derive(Clone, Copy, Debug)]
pub enum Made<'a> {
    /// A call.
    Call(&'a HttpRequest),
    /// A delivery.
    Delivery(&'a Delivery),
}

/// What follows.
#[derive(Debug)]
pub enum Outcome {
    /// The contract's `resume`, with this outcome.
    Response(Result<HttpResponse, CallError>),
    /// The contract's `accepted`, with this id; the exchange ends with its response.
    Accepted(String),
}

/// All cases in the folders below `folder`, by name. The error names the file.
pub fn cases(folder: &Path) -> Result<Vec<Case>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut folders: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders.iter().map(|folder| Case::read(folder)).collect()
}

fn read(file: &Path) -> Result<Json, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let text = fs::read(file).map_err(|error| wrong(&error))?;
    serde_json::from_slice(&text).map_err(|error| wrong(&error))
}

impl Case {
    fn read(folder: &Path) -> Result<Case, String> {
        let array = |name: &str| {
            let file = folder.join(name);
            match file.exists() {
                true => read(&file)?
                    .as_array()
                    .cloned()
                    .ok_or_else(|| format!("{}: no array", file.display())),
                false => Ok(Vec::new()),
            }
        };
        Ok(Case {
            name: folder
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            request: read(&folder.join("request.json"))?,
            calls: array("calls.json")?,
            reply: read(&folder.join("reply.json"))?,
            observation: array("observation.json")?,
        })
    }

    /// The rule's settings.
    pub fn settings(&self) -> BTreeMap<String, String> {
        let settings = self.request["settings"].as_object().into_iter().flatten();
        settings
            .map(|(key, value)| (key.clone(), string(value)))
            .collect()
    }

    /// The outcome of the rule's call or delivery number `index`, from 0. The error is the first difference from the
    /// one that the rule must make.
    pub fn outcome(&self, index: usize, made: Made<'_>) -> Result<Outcome, String> {
        let (request, delivery) = match made {
            Made::Call(request) => (request, None),
            Made::Delivery(delivery) => (&delivery.step.request, Some(delivery)),
        };
        let Some(call) = self.calls.get(index) else {
            return Err(format!("one more call: {request:?}"));
        };
        let differs = |error| format!("call {index}: {error}");
        same_call(&call["request"], request).map_err(differs)?;
        same_delivery(&call["deliver"], delivery).map_err(differs)?;
        match call["accepted"].as_str() {
            None => Ok(Outcome::Response(outcome(call))),
            Some(id) if delivery.is_some() => Ok(Outcome::Accepted(id.to_owned())),
            Some(_) => Err(differs("only a delivery can be accepted".to_owned())),
        }
    }

    /// Compares the end of the exchange, after `made` calls, and returns the observation that the reply starts. The
    /// error is the first difference.
    pub fn check_end(
        &self,
        made: usize,
        end: Result<Reply, Failure>,
    ) -> Result<Option<Watch>, String> {
        if made < self.calls.len() {
            return Err(format!("call {made} was not made, but {end:?}"));
        }
        same_end(&self.reply, end)
    }

    /// Compares the course of the observation that has begun. The error is the first difference.
    pub fn observe(
        &self,
        observer: &mut dyn Observer,
        context: &Context,
        watch: Option<Watch>,
    ) -> Result<(), String> {
        observation::run(&self.observation, observer, context, watch)
    }

    /// The device's request, without the parts that the gateway handles.
    pub fn message(&self) -> Message {
        let code = match self.request["method"].as_str() {
            Some("POST") => crate::code::POST,
            Some("PUT") => crate::code::PUT,
            Some("DELETE") => crate::code::DELETE,
            Some("FETCH") => crate::code::FETCH,
            Some("PATCH") => crate::code::PATCH,
            Some("iPATCH") => crate::code::IPATCH,
            _ => crate::code::GET,
        };
        let option = |field: &str, number| {
            let value = u32::try_from(self.request[field].as_u64()?).ok()?;
            Some(uint(number, value))
        };
        let observe = self.request["observe"].as_bool().unwrap_or(false);
        let named = [
            observe.then(|| uint(OBSERVE, 0)),
            option("content_format", CONTENT_FORMAT),
            option("accept", ACCEPT),
        ];
        let queries = strings(&self.request["uri_query"]).into_iter();
        let queries = queries.map(|query| CoapOption {
            number: URI_QUERY,
            value: query.into_bytes(),
        });
        let others = pairs(&self.request["options"]).into_iter();
        let others = others.map(|(number, hex)| CoapOption {
            number: number.parse().unwrap_or_default(),
            value: hex_bytes(&hex).unwrap_or_default(),
        });
        let mut options: Vec<CoapOption> = named.into_iter().flatten().collect();
        options.extend(queries.chain(others));
        options.sort_by_key(|option| option.number);
        Message {
            code,
            options,
            payload: bytes(&self.request, "payload").unwrap_or_default(),
        }
    }

    /// The context of the exchange's calls. The error: none of the rule's links matches.
    pub fn context(&self, links: &[Link], method: u8) -> Result<Context, String> {
        let path = strings(&self.request["path"]);
        let found = (0..).zip(links).find_map(|(index, link)| {
            let allowed = link.methods.contains(&method);
            captures(link, &path)
                .filter(|_| allowed)
                .map(|captures| (index, captures))
        });
        let (link, captures) = found.ok_or("no link matches")?;
        let proxy_uri = &self.request["proxy_uri"];
        Ok(Context {
            link,
            captures,
            requested: (!proxy_uri.is_null()).then(|| Target {
                path: strings(&proxy_uri["path"]),
                query: pairs(&proxy_uri["query"]),
            }),
            principal: None,
            flow_id: "00112233445566778899aabbccddeeff".to_owned(),
            now: self.request["now"].as_u64(),
            facts: self.request["accept"]
                .as_u64()
                .map(|accept| ("accept".to_owned(), accept.to_string()))
                .into_iter()
                .collect(),
        })
    }
}

/// The segments that the captures of `link` match in `path`; none if the link does not match.
fn captures(link: &Link, path: &[String]) -> Option<Vec<String>> {
    let mut captures = Vec::new();
    let mut path = path.iter();
    for segment in &link.path {
        match segment {
            Segment::Literal(literal) if path.next()? == literal => {}
            Segment::Literal(_) => return None,
            Segment::Capture(_) => captures.push(path.next()?.clone()),
            Segment::Rest => captures.extend(path.by_ref().cloned()),
        }
    }
    path.next().is_none().then_some(captures)
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::*;

    #[test]
    fn a_case_is_a_vector_of_a_manifest_with_its_defaults() {
        let vector = json!({"name": "n", "request": {"method": "GET"}, "calls": [], "reply": {"code": "2.05"}});
        let case: Case = from_value(vector.clone()).expect("it has all fields");
        assert_eq!(to_value(&case).expect("it is JSON"), vector);
        let short = json!({"name": "n", "request": {"method": "GET"}, "reply": {"code": "2.05"}});
        assert_eq!(
            from_value::<Case>(short).expect("calls may be left out"),
            case
        );
    }

    #[test]
    fn a_mistyped_field_is_refused() {
        let vector = json!({"name": "n", "request": {}, "reply": {}, "call": []});
        assert!(from_value::<Case>(vector).is_err());
    }
}
