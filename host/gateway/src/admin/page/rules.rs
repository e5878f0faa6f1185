//! The part of the page about the rules, with the forms that roll them back.

use maud::{Markup, html};

use crate::admin::forms::Forms;
use crate::admin::status::Status;
use crate::admin::wording::{counted, grouped, short, span};
use crate::rule_manager::RuleStatus;

pub(super) fn rules(status: &Status, forms: &Forms) -> Markup {
    html! {
        section id="rules" data-live {
            h2 { "Rules" }
            @for one in &status.rules { (rule(one, forms)) }
        }
    }
}

fn rule(rule: &RuleStatus, forms: &Forms) -> Markup {
    html! {
        div.item {
            div.head {
                h3.wrap { (rule.name) }
                code.soft.wrap { (rule.mount) }
                @match (&rule.revision, rule.paused_seconds) {
                    (None, _) => span.pill.bad { "out of service" },
                    (Some(_), Some(seconds)) => span.pill.warn { "paused for " (seconds) " s" },
                    (Some(_), None) => span.pill.good { "serving" },
                }
            }
            @if let Some(revision) = &rule.revision {
                p.facts {
                    "revision " code title=(revision) { (short(revision)) }
                    @if rule.number > 0 { " (number " (rule.number) ")" }
                    " from " (rule.source) ", "
                    @match &rule.signer {
                        Some(signer) => { "signed by " (signer) },
                        None => "not signed",
                    }
                    ", serving for " (span(rule.age_seconds))
                }
                p.facts {
                    (counted(rule.calls, "call")) ", " (counted(rule.traps, "trap")) ", "
                    (rule.in_flight) " waiting for a homeserver"
                    @if rule.rolled_back > 0 { ", rolled back " (rule.rolled_back) "×" }
                }
            }
            @if !rule.limits_hit.is_empty() {
                p.facts {
                    "limits reached: "
                    @for (index, (limit, count)) in rule.limits_hit.iter().enumerate() {
                        @if index > 0 { ", " }
                        code { (limit) } " " (grouped(*count)) "×"
                    }
                }
            }
            @if let Some(failure) = &rule.failure {
                p.facts.alert { "last failure: " (failure) }
            }
            (roll_back(rule, forms))
        }
    }
}

/// Two steps, so that a single wrong click does nothing.
fn roll_back(rule: &RuleStatus, forms: &Forms) -> Markup {
    let previous = rule.previous.as_deref().unwrap_or_default();
    html! {
        @if let Some(token) = forms.token(rule) {
            details {
                summary { "Roll back…" }
                form method="post" action="/rollback" {
                    input type="hidden" name="rule" value=(rule.name);
                    input type="hidden" name="token" value=(token);
                    button type="submit" { "Roll back to " (short(previous)) }
                    span.soft { "Requests in progress end on the revision on which they began." }
                }
            }
        }
    }
}
