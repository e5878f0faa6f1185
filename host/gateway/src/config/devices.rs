//! `[device.NAME]`: what devices with keys may do.

use std::collections::{BTreeMap, BTreeSet};

use super::error::ConfigError;
use super::file::DeviceTable;
use crate::request::{DeviceRight, DeviceRights};
use contract::escaping::escaped;

/// Names of devices that may use a configured token.
pub(super) fn with_token(tables: &BTreeMap<String, DeviceTable>) -> BTreeSet<String> {
    let granted = tables.iter().filter(|(_, table)| table.token);
    granted.map(|(name, _)| name.clone()).collect()
}

/// The rights of devices. One without `may` may use all resources.
///
/// # Errors
/// [`ConfigError`] for a right that is no method and path.
pub(super) fn rights(
    tables: &BTreeMap<String, DeviceTable>,
    require_secured: bool,
) -> Result<DeviceRights, ConfigError> {
    let mut rights = DeviceRights {
        require_secured,
        ..DeviceRights::default()
    };
    for (name, table) in tables {
        let Some(may) = &table.may else {
            continue;
        };
        let parsed = may.iter().map(|text| {
            DeviceRight::parse(text).map_err(|reason| {
                ConfigError(format!(
                    "[device.{}] may: \"{}\": {reason}; write a method and a path, such as \"PUT /send/kitchen\", \
                     \"GET /getmsg/*\" or \"* /**\"",
                    escaped(name, 64),
                    escaped(text, 128)
                ))
            })
        });
        rights
            .of
            .insert(name.clone(), parsed.collect::<Result<_, _>>()?);
    }
    Ok(rights)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(may: Option<&[&str]>, token: bool) -> DeviceTable {
        let may = may.map(|may| may.iter().map(|one| (*one).to_owned()).collect());
        DeviceTable { may, token }
    }

    #[test]
    fn a_right_that_is_no_method_and_path_is_refused_with_an_example() {
        for text in [
            "PUT",
            "send/kitchen",
            "PUT send",
            "put /send",
            "PUT /a*",
            "GET  /time",
            "",
        ] {
            let tables = [("kitchen".to_owned(), table(Some(&[text]), false))].into();
            let error = rights(&tables, false).unwrap_err().to_string();
            assert!(
                error.contains("[device.kitchen] may") && error.contains("PUT /send/kitchen"),
                "{error}"
            );
        }
    }

    #[test]
    fn only_devices_with_may_are_restricted_and_only_those_with_token_may_use_one() {
        let tables = [
            (
                "kitchen".to_owned(),
                table(Some(&["PUT /send/kitchen"]), false),
            ),
            ("roof".to_owned(), table(None, true)),
        ]
        .into();
        let rights = rights(&tables, false).unwrap();
        assert_eq!(rights.of.keys().collect::<Vec<_>>(), ["kitchen"]);
        assert_eq!(with_token(&tables), ["roof".to_owned()].into());
    }
}
