//! A rule's deliveries through the driver of exchanges: made at once, stored, denied, or against the contract.

use std::collections::BTreeMap;
use std::sync::Arc;

use coap::code;
use contract::{
    Call, CallError, Context, Delivery, DeliveryFault, DeliveryId, Effect, Failure, HttpRequest,
    HttpResponse, Message, Outcome, Reply, Sender, Step, StoredContext, Upstream,
};
use runtime::exchange::{
    Action, CheckedDelivery, Delivered, Egress, End, Exchange, ExchangeError, Progress,
};
use runtime::{CallDenied, ContractViolation, Revision, RuleLimits};

use crate::captured::Captured;
use crate::default_rule;
use crate::http_call;
use crate::rule_text::RuleText;

const ORIGIN: &str = "https://matrix.example.org/";
const ID: &str = "0123456789abcdef0123456789abcdef";

/// `PUT /needed` with this state.
fn delivery(state: &[u8]) -> Delivery {
    let request = HttpRequest {
        method: "PUT".into(),
        path: vec!["needed".into()],
        ..http_call::request()
    };
    let state = state.to_vec();
    Delivery {
        lane: "!r:h".into(),
        transaction: "7".into(),
        step: Step { request, state },
    }
}

fn message(code: u8, payload: &[u8]) -> Message {
    Message {
        code,
        options: vec![],
        payload: payload.to_vec(),
    }
}

fn reply(payload: &[u8]) -> Result<Effect, Failure> {
    Ok(Effect::Reply(Reply {
        message: message(code::CHANGED, payload),
        session: None,
        watch: None,
    }))
}

/// A rule that asks for this delivery, and replies "done" when it has its outcome.
fn asking(delivery: Delivery) -> RuleText {
    let mut rule = RuleText::delivering();
    rule.begin = rule.value(&Ok(Effect::Deliver(delivery))).1;
    rule.resume = rule.value(&reply(b"done")).1;
    rule
}

/// The same with an outbox that ends with this.
fn with_outbox(delivery: Delivery, accepted: &Result<Message, Failure>) -> RuleText {
    let mut rule = asking(delivery);
    rule.accepted = Some(rule.accepts(accepted));
    rule
}

fn activate(rule: &RuleText) -> Arc<Revision> {
    let (engine, limits) = (default_rule::engine(), RuleLimits::default());
    let component = rule.component();
    let revision =
        default_rule::activate_rule(&engine, None, "mine", &component, BTreeMap::new(), limits);
    Arc::new(revision.unwrap_or_else(|error| panic!("{error}")))
}

fn context() -> Context {
    Context {
        link: 0,
        captures: vec![],
        requested: None,
        principal: None,
        flow_id: "00112233445566778899aabbccddeeff".into(),
        now: None,
        facts: vec![],
    }
}

/// Stores each delivery, or makes it, and records it.
struct Recorded {
    stores: bool,
    sender: Sender,
    deliveries: Vec<Shown>,
    denied: Option<CallDenied>,
}

struct Shown {
    id: DeliveryId,
    lane: String,
    transaction: String,
    path: Vec<String>,
    state: Vec<u8>,
    flow_id: String,
    can_wait: bool,
}

impl Recorded {
    fn new(stores: bool) -> Self {
        Self {
            stores,
            sender: Sender::nobody(),
            deliveries: vec![],
            denied: None,
        }
    }
}

impl Egress for Recorded {
    type Error = ExchangeError;

    async fn call(&mut self, _call: Call) -> Result<Outcome, ExchangeError> {
        unreachable!("the rule only delivers")
    }

    fn sender(&self) -> Sender {
        self.sender
    }

    fn origin(&self, _upstream: &Upstream) -> &str {
        ORIGIN
    }

    async fn deliver(&mut self, delivery: CheckedDelivery<'_>) -> Result<Delivered, ExchangeError> {
        self.deliveries.push(Shown {
            id: delivery.id,
            lane: delivery.lane.into(),
            transaction: delivery.transaction.into(),
            path: delivery.call.request.path().to_vec(),
            state: delivery.state.to_vec(),
            flow_id: delivery.context.flow_id.clone(),
            can_wait: delivery.can_wait,
        });
        Ok(match self.stores {
            true => Delivered::Accepted(ID.into()),
            false => Delivered::Outcome(Ok(ok())),
        })
    }

    fn deny(&mut self, denied: CallDenied) -> Result<Outcome, ExchangeError> {
        self.denied = Some(denied);
        Ok(Err(CallError::unsent("denied")))
    }

    fn now(&self) -> Option<u64> {
        None
    }
}

fn ok() -> HttpResponse {
    HttpResponse {
        status: 200,
        headers: vec![],
        body: b"{}".to_vec(),
    }
}

fn begin(revision: &Arc<Revision>) -> Result<(Exchange, Progress), ExchangeError> {
    Exchange::begin(revision, context(), &message(code::GET, b""))
}

fn run(rule: &RuleText, egress: &mut Recorded) -> Result<End, ExchangeError> {
    let (mut exchange, progress) = begin(&activate(rule))?;
    match progress {
        Progress::Action(action @ Action::Deliver(_)) => {
            exchange.drive_without_waiting(action, egress)
        }
        _ => panic!("it asks for a delivery"),
    }
}

fn violation(result: Result<End, ExchangeError>) -> ContractViolation {
    match result {
        Err(ExchangeError::Contract(violation)) => violation,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it keeps the contract"),
    }
}

fn payload(end: End) -> Vec<u8> {
    match end {
        End::Reply(reply) => reply.message.payload,
        End::Failure(failure) => panic!("{failure:?}"),
    }
}

#[test]
fn a_delivery_that_is_made_at_once_continues_like_a_call() {
    let mut egress = Recorded::new(false);
    let end = run(&asking(delivery(b"state")), &mut egress).unwrap();
    assert_eq!(payload(end), b"done");
    let [made] = egress.deliveries.try_into().ok().unwrap();
    let request = delivery(b"").step.request;
    let id = DeliveryId::of(&egress.sender, ORIGIN, &request, "7");
    assert_eq!(made.id, id);
    assert_eq!(made.path, ["needed".to_owned(), id.to_string()]);
    assert_eq!((&*made.lane, &*made.transaction), ("!r:h", "7"));
    assert_eq!(made.state, b"state");
    assert_eq!(made.flow_id, context().flow_id);
    assert!(!made.can_wait, "it has no outbox");
}

#[test]
fn a_delivery_that_is_stored_ends_the_exchange_with_the_response_of_the_outbox() {
    let rule = with_outbox(delivery(b""), &Ok(message(code::CHANGED, b"queued")));
    let mut egress = Recorded::new(true);
    assert_eq!(payload(run(&rule, &mut egress).unwrap()), b"queued");
    assert!(egress.deliveries[0].can_wait);
}

#[test]
fn the_outbox_gets_the_id_that_the_device_can_ask_for() {
    let mut rule = with_outbox(delivery(b""), &Ok(message(code::CHANGED, b"")));
    // The address of its parameters: settings 8 bytes, context 80, state 8, then the id.
    rule.logs = true;
    let end = rule.accepted.take().unwrap();
    rule.accepted = Some(format!(
        "(call $log (i32.const 1) (i32.load offset=96 (local.get 0)) (i32.load offset=100 (local.get 0))) {end}"
    ));
    let captured = Captured::start();
    run(&rule, &mut Recorded::new(true)).unwrap();
    assert!(captured.text().contains(ID), "{}", captured.text());
}

#[test]
fn a_failure_of_the_outbox_is_the_devices_response() {
    let failure = Failure {
        code: code::SERVICE_UNAVAILABLE,
        diagnostic: "no".into(),
        max_age: Some(9),
    };
    let rule = with_outbox(delivery(b""), &Err(failure));
    match run(&rule, &mut Recorded::new(true)).unwrap() {
        End::Failure(failure) => assert_eq!(failure.max_age, Some(9)),
        End::Reply(reply) => panic!("{reply:?}"),
    }
}

#[test]
fn an_outbox_that_denies_what_is_stored_breaks_the_contract() {
    for code in [code::BAD_REQUEST, code::SERVICE_UNAVAILABLE, code::GET] {
        let rule = with_outbox(delivery(b""), &Ok(message(code, b"")));
        let found = violation(run(&rule, &mut Recorded::new(true)));
        assert_eq!(found, ContractViolation::Accepted { code });
    }
    let found = violation(run(&asking(delivery(b"")), &mut Recorded::new(true)));
    assert_eq!(found, ContractViolation::NoOutbox);
    let large = Ok(message(code::CHANGED, &[0; (256 << 10) + 1]));
    let mut rule = with_outbox(delivery(b""), &large);
    rule.pages = 8;
    let found = violation(run(&rule, &mut Recorded::new(true)));
    assert!(matches!(found, ContractViolation::Reply { .. }), "{found}");
}

type Change = fn(&mut Delivery);

#[test]
fn a_delivery_that_the_contract_does_not_allow_is_5_00_with_its_part() {
    let broken = |change: Change| {
        let mut delivery = delivery(b"");
        change(&mut delivery);
        match begin(&activate(&asking(delivery))) {
            Err(ExchangeError::Contract(violation)) => violation,
            _ => panic!("it is allowed"),
        }
    };
    let cases: [(Change, ContractViolation); 5] = [
        (
            |delivery| delivery.lane.clear(),
            DeliveryFault::Lane(0).into(),
        ),
        (
            |delivery| delivery.transaction = "7".repeat(256),
            DeliveryFault::Transaction(256).into(),
        ),
        (
            |delivery| delivery.step.request.method = "POST".into(),
            DeliveryFault::Method.into(),
        ),
        (
            |delivery| delivery.step.request.hold_ms = 1,
            DeliveryFault::Hold.into(),
        ),
        (
            |delivery| delivery.step.state = vec![0; (16 << 10) + 1],
            ContractViolation::State {
                bytes: (16 << 10) + 1,
                limit: 16 << 10,
            },
        ),
    ];
    for (change, expected) in cases {
        assert_eq!(broken(change), expected);
    }
}

#[test]
fn a_delivery_beyond_the_needs_is_denied_and_not_made() {
    let mut other = delivery(b"");
    other.step.request.path.push("more".into());
    let mut egress = Recorded::new(true);
    assert_eq!(payload(run(&asking(other), &mut egress).unwrap()), b"done");
    assert_eq!(egress.denied, Some(CallDenied::Need));
    assert!(egress.deliveries.is_empty());
}

#[test]
fn a_rule_that_delivers_without_end_reaches_the_limit_of_calls() {
    let mut rule = asking(delivery(b""));
    rule.resume = rule.value(&Ok(Effect::Deliver(delivery(b"")))).1;
    let mut egress = Recorded::new(false);
    let found = violation(run(&rule, &mut egress));
    assert_eq!(found, ContractViolation::Steps { limit: 6 });
    assert_eq!(egress.deliveries.len(), 6);
}

#[test]
fn a_stored_delivery_is_resumed_later_by_another_revision() {
    let stored = StoredContext::of(&context());
    let later = activate(&asking(delivery(b"")));
    let outcome = ok();
    let (_, progress) =
        Exchange::resumed(&later, stored.at(Some(1)), b"state", Ok(&outcome)).unwrap();
    match progress {
        Progress::End(end) => assert_eq!(payload(end), b"done"),
        Progress::Action(_) => panic!("it replies"),
    }
    let mut broken = asking(delivery(b""));
    broken.resume = "unreachable".into();
    let resumed = Exchange::resumed(&activate(&broken), context(), b"state", Ok(&outcome));
    assert!(matches!(resumed, Err(ExchangeError::Trapped(_))));
}
