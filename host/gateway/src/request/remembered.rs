//! Values of options that the gateway remembers for secured sessions (`wit/options.wit`), the access token among them.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::remembered_table::{Kept, Place, Table};
use super::source::{SecuredSession, Source};
use coap::{Message, option};
use contract::secret::AccessToken;
use contract::{KnownOptions, Outcome};
use homeserver::{Caller, refuses_token};
use runtime::Revision;
use secrecy::ExposeSecret;

/// What is remembered. Its clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Remembered(Rc<RefCell<Table>>);

/// What is remembered for one session and one rule.
#[derive(Clone)]
pub(super) struct OfSession {
    remembered: Remembered,
    device: Arc<str>,
    session: SecuredSession,
    rule: Arc<str>,
}

impl Remembered {
    /// The part for a request to this rule; none on an unsecured transport, and for a rule without sticky options.
    pub(super) fn of(&self, source: &Source, revision: &Revision) -> Option<OfSession> {
        revision.known_options().sticky().next()?;
        Some(OfSession {
            remembered: self.clone(),
            device: source.device.principal.clone()?,
            session: source.session?,
            rule: revision.state().name().clone(),
        })
    }

    /// The session has ended.
    pub(crate) fn forget_session(&self, device: &str, session: SecuredSession) {
        let mut table = self.0.borrow_mut();
        table.forget(device, |place| place.session == session);
    }

    /// The device has another key, or none any more.
    pub(crate) fn forget_device(&self, device: &str) {
        self.0.borrow_mut().forget(device, |_| true);
    }

    /// Only these rules are left.
    pub(crate) fn retain_rules(&self, is_left: impl Fn(&str) -> bool) {
        self.0.borrow_mut().retain_rules(is_left);
    }
}

impl OfSession {
    fn place(&self, number: u16) -> Place {
        Place {
            session: self.session,
            rule: self.rule.clone(),
            number,
        }
    }

    /// Remembers the values of a request, and adds those that it leaves out.
    pub(super) fn apply(&self, known: &KnownOptions, request: &mut Message) {
        let mut table = self.remembered.0.borrow_mut();
        for number in known.sticky().map(|option| option.number) {
            let place = self.place(number);
            match (request.option(number), number) {
                (Some(value), option::ACCESS_TOKEN) => {
                    // One that is none is refused later.
                    if let Ok(token) = AccessToken::parse(value) {
                        table.keep(&self.device, place, Kept::Token(token));
                    }
                }
                (Some(value), _) => table.keep(&self.device, place, Kept::Bytes(value.into())),
                (None, _) => match table.find(&self.device, &place) {
                    Some(Kept::Token(token)) => {
                        let value = token.bearer();
                        request.push_option(number, value.expose_secret().as_bytes());
                    }
                    Some(Kept::Bytes(value)) => {
                        let value = value.to_vec();
                        request.push_option(number, value);
                    }
                    None => {}
                },
            }
        }
    }

    /// The rule has refused one of the values, except the token.
    pub(super) fn forget_values(&self) {
        self.forget(|number| number != option::ACCESS_TOKEN);
    }

    /// The device has logged in or out.
    pub(super) fn forget_token(&self) {
        self.forget(|number| number == option::ACCESS_TOKEN);
    }

    fn forget(&self, is_meant: impl Fn(u16) -> bool) {
        let mut table = self.remembered.0.borrow_mut();
        table.forget(&self.device, |place| {
            place.session == self.session && place.rule == self.rule && is_meant(place.number)
        });
    }

    /// The outcome of a call: a token that the homeserver refuses is forgotten, unless there is a newer one.
    pub(super) fn note(&self, caller: &Caller, outcome: &Outcome) {
        let Some(token) = caller.token.as_ref().filter(|_| refuses_token(outcome)) else {
            return;
        };
        let mut table = self.remembered.0.borrow_mut();
        let place = self.place(option::ACCESS_TOKEN);
        let kept = table.find(&self.device, &place);
        if matches!(kept, Some(Kept::Token(kept)) if kept.is(token)) {
            table.forget(&self.device, |other| *other == place);
        }
    }
}
