//! The page: all of the status at once. It works without scripts; [`live.js`](live.js) only replaces its parts by newer
//! ones.

mod chart;
mod charts;
mod outbox;
mod rules;
mod sections;
mod shares;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::forms::Forms;
use super::status::Status;
use super::wording::span;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("live.js");
/// Rings of a radio wave, as the icon of the browser's tab.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E\
    %3Cg fill='none' stroke='%231f5fbf' stroke-width='2'%3E\
    %3Ccircle cx='8' cy='8' r='1.5'/%3E%3Ccircle cx='8' cy='8' r='6.5'/%3E%3C/g%3E%3C/svg%3E";

/// The whole page. `nonce` is the one in the content security policy of the HTTP response.
pub(super) fn whole(status: &Status, forms: &Forms, nonce: &str) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "CoMatrix gateway" }
                link rel="icon" href=(PreEscaped(ICON));
                style nonce=(nonce) { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "CoMatrix" }
                    (state(status))
                    span id="pulse" { "reload the page to update it" }
                }
                main { (parts(status, forms)) }
                footer {
                    a href="/metrics" { "metrics" }
                    a href="/status.json" { "status.json" }
                    a href="/readyz" { "readyz" }
                    a href="/healthz" { "healthz" }
                    "Times are UTC."
                }
                script nonce=(nonce) { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

/// The parts that change, for [`live.js`](live.js).
pub(super) fn sections(status: &Status, forms: &Forms) -> Markup {
    html! {
        (state(status))
        (parts(status, forms))
    }
}

fn state(status: &Status) -> Markup {
    html! {
        div id="state" data-live {
            @if status.not_ready.is_empty() {
                span.pill.good { "ready" }
            } @else {
                span.pill.bad { "not ready" }
            }
            code.wrap { (status.address) }
            span.soft.small { (status.version) ", up " (span(status.uptime_seconds)) }
        }
    }
}

fn parts(status: &Status, forms: &Forms) -> Markup {
    html! {
        (sections::not_ready(status))
        (sections::numbers(status))
        (charts::charts(status))
        div.pair {
            (rules::rules(status, forms))
            div {
                (sections::homeservers(status))
                (outbox::outbox(status))
            }
        }
        (sections::requests(status))
        (sections::warnings(status))
        div.pair {
            (sections::devices(status))
            (sections::limits_and_faults(status))
        }
        (shares::shares(status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::status::{HomeserverStatus, OutboxStatus};
    use crate::rule_manager::RuleStatus;
    use crate::telemetry::recent_warnings::Warning;
    use crate::telemetry::recorder::RecentExchange;

    /// A text that would be a script, an attribute or another element if it were not escaped.
    const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";

    fn hostile() -> Status {
        let text = || HOSTILE.to_owned();
        let mut status = Status {
            version: text(),
            address: text(),
            not_ready: vec![text()],
            limits_and_faults: vec![(text(), 1)],
            ..Status::default()
        };
        status.rules.push(RuleStatus {
            name: text(),
            mount: text(),
            revision: Some(text()),
            previous: Some(text()),
            source: text(),
            signer: Some(text()),
            failure: Some(text()),
            limits_hit: vec![(text(), 1)],
            ..RuleStatus::default()
        });
        status.homeservers.push(HomeserverStatus {
            origin: text(),
            outcome: text(),
            reachable: Some(false),
            ..HomeserverStatus::default()
        });
        status.recent_warnings.push(Warning {
            unix_ms: 0,
            level: text(),
            message: text(),
            count: 2,
        });
        status.recent_requests.push(RecentExchange {
            unix_ms: 0,
            principal: None,
            peer: "[::1]:5683".parse().unwrap(),
            method: text(),
            resource: text(),
            rule: text(),
            upstream: Some(text()),
            code: text(),
            ms: 1.0,
        });
        status.outbox = Some(OutboxStatus {
            warnings: vec![text()],
            failures: vec![(text(), 1)],
            ..OutboxStatus::default()
        });
        status
    }

    #[test]
    fn text_from_other_systems_is_never_markup() {
        let page = whole(&hostile(), &Forms::default(), "n").into_string();
        assert!(
            !page.contains("<img") && !page.contains("<script>"),
            "{page}"
        );
        assert!(!page.contains("\"'>"), "{page}");
        let shown = page
            .matches("&lt;script&gt;alert(1)&lt;/script&gt;&quot;")
            .count();
        assert!(shown >= 17, "{shown}");
    }

    #[test]
    fn only_style_and_script_have_the_nonce_and_nothing_else_runs() {
        let page = whole(&hostile(), &Forms::default(), "0123").into_string();
        for (what, count) in [
            ("<style", 1),
            ("<script", 1),
            (" style=", 0),
            ("nonce=\"0123\"", 2),
        ] {
            assert_eq!(page.matches(what).count(), count, "{what}");
        }
        for attribute in [
            "onclick",
            "onload",
            "src=\"",
            "href=\"http",
            "url(",
            "@import",
        ] {
            assert!(!page.contains(attribute), "{attribute}");
        }
    }

    #[test]
    fn only_a_rule_with_a_previous_revision_can_be_rolled_back() {
        let mut status = Status::default();
        let rule = |name: &str, previous: Option<&str>| RuleStatus {
            name: name.into(),
            revision: Some("b".repeat(64)),
            previous: previous.map(str::to_owned),
            ..RuleStatus::default()
        };
        status.rules = vec![rule("first", None), rule("second", Some("aaaa"))];
        let forms = Forms::default();
        let page = sections(&status, &forms).into_string();
        assert_eq!(page.matches("<form").count(), 1);
        let token = forms.token(&status.rules[1]).unwrap();
        assert!(page.contains(&format!("value=\"{token}\"")), "{page}");
    }
}
