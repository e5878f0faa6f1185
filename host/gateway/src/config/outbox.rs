//! `[outbox]`: messages that wait for their homeserver.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use outbox::OutboxLimits;

use super::error::ConfigError;
use super::file::{NetworkTable, OutboxTable, RuleTable};
use super::limits::set_in;
use super::networks::prefix;
use super::span;
use crate::outbox::{OutboxMode, OutboxSettings};

/// A device waits for a response for 93 s at most (RFC 7252 §4.8.2), and the exchange has 10 s.
const PATIENCE: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(9);
/// Homeservers and people have forgotten older messages.
const KEPT: RangeInclusive<Duration> =
    Duration::from_secs(60)..=Duration::from_secs(365 * 24 * 3600);

/// The settings of the file. Rules and networks may have a mode of their own.
///
/// # Errors
/// [`ConfigError`] for a value out of its range.
pub(super) fn from_table(
    table: &OutboxTable,
    rules: &[RuleTable],
    networks: &[NetworkTable],
) -> Result<OutboxSettings, ConfigError> {
    let OutboxSettings {
        mut patience,
        limits:
            OutboxLimits {
                mut bytes,
                mut messages,
                mut age,
                mut keep_failed,
                keep_sent,
            },
        ..
    } = OutboxSettings::default();
    if cfg!(feature = "router") {
        // A border router has 16 MiB of flash, of which its system takes most.
        bytes = 4 << 20;
    }
    set_in(
        "outbox",
        "bytes",
        table.bytes,
        64 << 10..=1 << 30,
        &mut bytes,
    )?;
    // Each takes about 250 bytes of memory.
    set_in(
        "outbox",
        "messages",
        table.messages,
        8..=1 << 20,
        &mut messages,
    )?;
    time("patience", &table.patience, PATIENCE, &mut patience)?;
    time("age", &table.age, KEPT, &mut age)?;
    time("keep_failed", &table.keep_failed, KEPT, &mut keep_failed)?;
    let of_rules = rules
        .iter()
        .filter_map(|rule| Some((rule.name.clone(), rule.outbox?)));
    let of_networks = networks
        .iter()
        .filter_map(|network| Some((prefix(&network.prefix)?, network.outbox?)));
    Ok(OutboxSettings {
        mode: table.mode,
        patience,
        limits: OutboxLimits {
            bytes,
            messages,
            age,
            keep_failed,
            keep_sent,
        },
        rules: of_rules.collect::<BTreeMap<String, OutboxMode>>(),
        networks: of_networks.collect(),
    })
}

fn time(
    name: &str,
    text: &Option<String>,
    range: RangeInclusive<Duration>,
    value: &mut Duration,
) -> Result<(), ConfigError> {
    if let Some(text) = text {
        *value = span::within(&format!("[outbox] {name}"), text, range)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<OutboxSettings, ConfigError> {
        from_table(&toml::from_str(text).unwrap(), &[], &[])
    }

    #[test]
    fn settings_that_are_left_out_keep_their_defaults() {
        let settings = parsed("mode = \"always\"\nage = \"2d\"").unwrap();
        assert_eq!(settings.mode, OutboxMode::Always);
        assert_eq!(settings.limits.age, Duration::from_secs(2 * 24 * 3600));
        let default = OutboxSettings::default();
        assert_eq!(settings.patience, default.patience);
        assert_eq!(settings.limits.messages, default.limits.messages);
    }

    #[test]
    fn a_value_out_of_its_range_is_refused_with_its_setting() {
        for (text, setting) in [
            ("patience = \"0s\"", "[outbox] patience"),
            ("patience = \"10s\"", "[outbox] patience"),
            ("age = \"1s\"", "[outbox] age"),
            ("keep_failed = \"1000d\"", "[outbox] keep_failed"),
            ("messages = 1", "[outbox] messages"),
            ("bytes = 1", "[outbox] bytes"),
        ] {
            let error = parsed(text).expect_err(text).to_string();
            assert!(error.contains(setting), "{error}");
        }
    }
}
