//! `[device_group.NAME]`: what several devices may do, as if each of them had it in its own table.

use std::collections::BTreeMap;

use super::error::ConfigError;
use super::file::{DeviceGroupTable, DeviceTable};
use contract::escaping::escaped;

/// The tables of devices with those of their groups: rights add up, and a device with a `token` or an `account` of its
/// own has neither of its groups.
///
/// # Errors
/// [`ConfigError`]: a group without devices, and groups of one device that contradict each other.
pub(super) fn with_groups(
    own: &BTreeMap<String, DeviceTable>,
    groups: &BTreeMap<String, DeviceGroupTable>,
) -> Result<BTreeMap<String, DeviceTable>, ConfigError> {
    let mut tables = own.clone();
    for (group, table) in groups {
        if table.devices.is_empty() {
            return Err(ConfigError(format!(
                "[device_group.{}]: no devices are in it; write devices = [\"NAME\"]",
                escaped(group, 64)
            )));
        }
        for name in &table.devices {
            let device = tables.entry(name.clone()).or_default();
            if let Some(may) = &table.may {
                let rights = device.may.get_or_insert_default();
                rights.extend(may.iter().cloned());
            }
            let decides_itself =
                |table: &DeviceTable| table.token.is_some() || table.account.is_some();
            if own.get(name).is_some_and(decides_itself) {
                continue;
            }
            let is_joined = join(&mut device.token, table.token.as_ref())
                && join(&mut device.account, table.account.as_ref());
            if !is_joined {
                return Err(ConfigError(format!(
                    "[device_group.{}]: another group of the device {} has another token or account; set the one that \
                     counts in [device.{1}]",
                    escaped(group, 64),
                    escaped(name, 64)
                )));
            }
        }
    }
    Ok(tables)
}

/// Takes the value of a group over. Returns whether that was possible.
fn join<T: Clone + PartialEq>(device: &mut Option<T>, group: Option<&T>) -> bool {
    match (device.as_ref(), group) {
        (Some(one), Some(other)) => one == other,
        (None, Some(other)) => {
            *device = Some(other.clone());
            true
        }
        (_, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::file::File;

    fn tables(text: &str) -> Result<BTreeMap<String, DeviceTable>, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        with_groups(&file.device, &file.device_group).map_err(|error| error.to_string())
    }

    #[test]
    fn a_device_has_the_rights_of_its_groups_beside_its_own() {
        let tables = tables(
            r#"
            device.kitchen.may = ["PUT /send/kitchen"]
            device.shed.account = "own"
            device_group.readers = { devices = ["kitchen", "roof"], may = ["GET /getmsg/*"] }
            device_group.garden = { devices = ["roof", "shed"], account = "garden" }
            "#,
        )
        .unwrap();
        let may = |name: &str| tables[name].may.as_ref().map_or(0, Vec::len);
        assert_eq!(["kitchen", "roof", "shed"].map(may), [2, 1, 0]);
        let account = |name: &str| tables[name].account.as_deref();
        assert_eq!(
            ["kitchen", "roof", "shed"].map(account),
            [None, Some("garden"), Some("own")]
        );
    }

    #[test]
    fn groups_that_contradict_each_other_and_empty_ones_are_refused() {
        let groups = r#"
            device_group.a = { devices = ["roof"], account = "garden" }
            device_group.b = { devices = ["roof"], account = "house" }
        "#;
        let error = tables(groups).unwrap_err();
        assert!(
            error.contains("[device_group.b]") && error.contains("[device.roof]"),
            "{error}"
        );
        let own = format!("device.roof.account = \"garden\"\n{groups}");
        assert!(tables(&own).is_ok());
        let error = tables("[device_group.a]\nmay = [\"* /**\"]\n").unwrap_err();
        assert!(error.contains("[device_group.a]: no devices"), "{error}");
    }
}
