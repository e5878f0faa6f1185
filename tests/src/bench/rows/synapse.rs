//! `/send` to a real Synapse: the cost of the way through the gateway, beside the same message sent directly over
//! HTTP with keep-alive.

use std::sync::Arc;
use std::time::{Duration, Instant};

use comatrix_tests::matrix::{Account, encoded, next_number};
use comatrix_tests::synapse::{RateLimits, Synapse};
use serde_json::json;
use tokio::task::JoinSet;

use super::super::Failure;
use super::super::datagram::Request;
use super::super::load::Load;
use super::super::plan::Plan;
use super::super::process::{Gateway, Server};
use super::super::report::{self, Row, Target, median, millis, notes};
use super::super::window::{self, Window};
use comatrix_tests::tally::Tally;

/// Synapse accepts some dozen messages a second: it takes longer than elsewhere to count enough of them.
const WINDOWS: u32 = 2;

/// Requests per second through the gateway and directly, at 1 and 16 clients.
pub fn measure(plan: &Plan, gateway: &Gateway) -> Result<Vec<Row>, Failure> {
    let plan = Plan {
        window: plan.window * WINDOWS,
        ..plan.clone()
    };
    let synapse = Synapse::start(RateLimits::Raised);
    let account = synapse.homeserver().register("bench");
    let room_id = account.create_room(None);
    let request = Request::send(&synapse.origin, &room_id, &account.access_token);
    let gateway = gateway.start(&synapse.origin)?;
    let mut rows = Vec::new();
    for clients in [1, 16] {
        let mut through = Vec::new();
        let mut direct = Vec::new();
        for pair in 0..plan.pairs {
            if pair % 2 == 0 {
                direct.push(direct_load(&account, &room_id, clients, &plan)?);
                through.push(gateway_load(&gateway, &request, clients, &plan)?);
            } else {
                through.push(gateway_load(&gateway, &request, clients, &plan)?);
                direct.push(direct_load(&account, &room_id, clients, &plan)?);
            }
        }
        rows.push(compare(clients, &through, &direct));
    }
    Ok(rows)
}

fn compare(clients: usize, through: &[Window], direct: &[(f64, Tally)]) -> Row {
    let rate = median(through.iter().map(|window| window.rate));
    let baseline = median(direct.iter().map(|(rate, _)| *rate));
    let ratios = through
        .iter()
        .zip(direct)
        .map(|(through, (direct, _))| through.rate / direct);
    let p50 = median(direct.iter().map(|(_, tally)| millis(tally.latency(0.50))));
    Row {
        name: format!("`/send` to Synapse, {}: requests", report::clients(clients)),
        figure: rate,
        unit: "/s",
        baseline: Some(("direct HTTP", baseline)),
        ratio: Some(median(ratios)),
        target: Target::RatioAtLeast(0.90),
        runs: through.len(),
        notes: format!(
            "median of the pairs' ratios; {}; direct p50 {p50:.1} ms",
            notes(through)
        ),
    }
}

fn gateway_load(
    server: &Server,
    request: &Request,
    clients: usize,
    plan: &Plan,
) -> Result<Window, Failure> {
    let mut load = Load::new(server.address)?;
    load.add(clients, std::slice::from_ref(request), None, Duration::ZERO)?;
    window::measure(&mut load, server, plan)?
        .pop()
        .ok_or_else(|| "a load without clients".into())
}

/// Messages per second by as many tasks of one thread, over kept connections, after the same warm-up. A refusal ends
/// the bench: the baseline must be right.
fn direct_load(
    account: &Account,
    room_id: &str,
    clients: usize,
    plan: &Plan,
) -> Result<(f64, Tally), Failure> {
    let counts_from = Instant::now() + plan.warm_up;
    let counts_until = counts_from + plan.window;
    let sender = Arc::new(Sender::new(account, room_id)?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for _ in 0..clients {
            let sender = sender.clone();
            tasks.spawn(async move {
                let mut tally = Tally::default();
                loop {
                    let started = Instant::now();
                    sender.send().await?;
                    let now = Instant::now();
                    if now >= counts_until {
                        return Ok::<_, String>(tally);
                    }
                    if now >= counts_from {
                        tally.count(Ok(()), now - started);
                    }
                }
            });
        }
        let mut all = Tally::default();
        while let Some(tally) = tasks.join_next().await {
            all.latencies.extend(tally??.latencies);
        }
        Ok((all.latencies.len() as f64 / plan.window.as_secs_f64(), all))
    })
}

/// The way of a device without the gateway: the same message over HTTP, with the client library of the gateway.
struct Sender {
    client: reqwest::Client,
    room: String,
    access_token: String,
}

impl Sender {
    fn new(account: &Account, room_id: &str) -> Result<Self, Failure> {
        Ok(Self {
            client: reqwest::Client::builder().no_proxy().build()?,
            room: account.url(&format!("rooms/{}/send/m.room.message", encoded(room_id))),
            access_token: account.access_token.clone(),
        })
    }

    async fn send(&self) -> Result<(), String> {
        let response = self
            .client
            .put(format!("{}/direct{}", self.room, next_number()))
            .bearer_auth(&self.access_token)
            .json(&json!({ "msgtype": "m.text", "body": "22.5 degrees" }))
            .send()
            .await
            .map_err(|error| error.to_string())?;
        let status = response.status();
        let body = response.text().await.map_err(|error| error.to_string())?;
        if status.is_success() && body.contains("event_id") {
            Ok(())
        } else {
            Err(format!("direct: {status} {body}"))
        }
    }
}
