//! The settings that a rule has, checked when it is activated.

use crate::settings::Settings;
use crate::text::concat;

/// A setting that an operator may give.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    name: &'static str,
    /// Empty: any text.
    values: &'static [&'static str],
}

impl Setting {
    /// Any text.
    pub const fn text(name: &'static str) -> Setting {
        Setting { name, values: &[] }
    }

    /// One of these.
    pub const fn one_of(name: &'static str, values: &'static [&'static str]) -> Setting {
        Setting { name, values }
    }

    fn check(&self, value: &str) -> Result<(), String> {
        if self.values.is_empty() || self.values.contains(&value) {
            return Ok(());
        }
        let mut error = concat(&[
            "the setting ",
            self.name,
            " = \"",
            value,
            "\" is unknown; set it to ",
        ]);
        for (index, value) in self.values.iter().enumerate() {
            error.push_str(if index > 0 { " or " } else { "" });
            error.push_str(value);
        }
        Err(error)
    }
}

/// Checks the operator's settings; names of rooms (`room.<name>`) are always among them.
pub(super) fn check(allowed: &[Setting], settings: &dyn Settings) -> Result<(), String> {
    for key in settings.keys() {
        match allowed.iter().find(|setting| setting.name == key) {
            Some(setting) => setting.check(settings.get(key).unwrap_or_default())?,
            None if key.starts_with("room.") => {}
            None => {
                let mut error = concat(&["there is no setting ", key, "; this rule has "]);
                for setting in allowed {
                    error.push_str(setting.name);
                    error.push_str(", ");
                }
                error.push_str("names of rooms in [rooms]");
                return Err(error);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWED: [Setting; 2] = [
        Setting::text("prefix"),
        Setting::one_of("errors", &["precise", "legacy"]),
    ];

    #[test]
    fn an_unknown_setting_is_refused_with_those_that_there_are() {
        let error = check(&ALLOWED, &[("prefx", "a")]).expect_err("mistyped");
        for part in ["prefx", "prefix", "errors"] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn an_unknown_value_is_refused_with_the_values_it_may_have() {
        let error = check(&ALLOWED, &[("errors", "old")]).expect_err("unknown");
        assert!(error.contains("precise or legacy"), "{error}");
    }

    #[test]
    fn the_rules_settings_and_names_of_rooms_are_accepted() {
        let settings = [
            ("prefix", "a"),
            ("errors", "legacy"),
            ("room.kitchen", "!k"),
        ];
        assert_eq!(check(&ALLOWED, &settings), Ok(()));
    }
}
