//! `[device.NAME]`: what devices with keys may do.

use std::collections::BTreeMap;

use super::error::ConfigError;
use super::file::DeviceTable;
use crate::request::{DeviceRight, DeviceRights};
use contract::escaping::escaped;
use homeserver::{ConfiguredAccount, Homeserver};

/// The account of a device that uses none but its own login.
const OWN: &str = "own";

/// The configured tokens of devices, by their names.
///
/// # Errors
/// [`ConfigError`] for an account that is no homeserver with a token, and for one that contradicts `token`.
pub(super) fn accounts(
    tables: &BTreeMap<String, DeviceTable>,
    homeservers: &[Homeserver],
) -> Result<BTreeMap<String, ConfiguredAccount>, ConfigError> {
    let mut accounts = BTreeMap::new();
    for (name, table) in tables {
        if let Some(account) = account(name, table, homeservers)? {
            accounts.insert(name.clone(), account);
        }
    }
    Ok(accounts)
}

fn account(
    device: &str,
    table: &DeviceTable,
    homeservers: &[Homeserver],
) -> Result<Option<ConfiguredAccount>, ConfigError> {
    let is_granted = table.token.unwrap_or(false);
    let Some(name) = table.account.as_deref() else {
        return Ok(is_granted.then_some(ConfiguredAccount::OfRequest));
    };
    let wrong = |fault: &str| {
        let (device, name) = (escaped(device, 64), escaped(name, 64));
        ConfigError(format!(
            "[device.{device}] account = \"{name}\", of its own or of a group: {fault}"
        ))
    };
    if table.token.is_some_and(|token| token == (name == OWN)) {
        return Err(wrong("it contradicts token; remove token"));
    }
    if name == OWN {
        return Ok(None);
    }
    let mut homeservers = homeservers.iter();
    let is_there = homeservers.any(|one| one.name() == Some(name) && one.token().is_some());
    if !is_there {
        return Err(wrong(
            "no [[homeserver]] has this name and an access_token_file; name one, or write \"own\" for a device that \
             logs in itself",
        ));
    }
    Ok(Some(ConfiguredAccount::OfHomeserver(name.to_owned())))
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
    use contract::secret::AccessToken;
    use homeserver::{ClientApi, ConcurrencyLimit, ConfiguredToken};

    fn table(may: Option<&[&str]>, token: bool) -> DeviceTable {
        let may = may.map(|may| may.iter().map(|one| (*one).to_owned()).collect());
        DeviceTable {
            may,
            token: Some(token),
            account: None,
        }
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
        let expected = [("roof".to_owned(), ConfiguredAccount::OfRequest)];
        assert_eq!(accounts(&tables, &[]).unwrap(), expected.into());
    }

    fn with_account(account: &str, token: Option<bool>) -> BTreeMap<String, DeviceTable> {
        let table = DeviceTable {
            account: Some(account.to_owned()),
            token,
            ..DeviceTable::default()
        };
        [("kitchen".to_owned(), table)].into()
    }

    fn homeserver(name: &str, token: Option<&str>) -> Homeserver {
        let token = token.map(|token| ConfiguredToken {
            token: AccessToken::parse(token.as_bytes()).unwrap(),
            without_proof: false,
        });
        let origin = format!("https://{name}.example").parse().unwrap();
        let slots = ConcurrencyLimit::new(1, 1);
        Homeserver::configured(origin, Some(name.to_owned()), token, ClientApi::V3, slots)
    }

    #[test]
    fn an_account_is_the_name_of_a_homeserver_with_a_token_or_the_devices_own() {
        let homeservers = [homeserver("house", None), homeserver("garden", Some("t"))];
        let of = |account, token| accounts(&with_account(account, token), &homeservers);
        let garden = ConfiguredAccount::OfHomeserver("garden".to_owned());
        let expected: BTreeMap<_, _> = [("kitchen".to_owned(), garden)].into();
        assert_eq!(of("garden", None).unwrap(), expected);
        assert_eq!(of("garden", Some(true)).unwrap(), expected);
        assert_eq!(of("own", None).unwrap(), BTreeMap::new());
        for (account, token, part) in [
            ("house", None, "access_token_file"),
            ("shed", None, "access_token_file"),
            ("own", Some(true), "remove token"),
            ("garden", Some(false), "remove token"),
        ] {
            let error = of(account, token).unwrap_err().to_string();
            assert!(
                error.contains("[device.kitchen] account") && error.contains(part),
                "{error}"
            );
        }
    }
}
