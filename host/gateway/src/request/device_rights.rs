//! What devices may do, as the operator has configured it.

use std::collections::BTreeMap;

use super::error::GatewayError;
use coap::code;
use contract::{PathPattern, Peer};

/// The one resource besides discovery that is there for everybody under `require_secured`: devices set their clock by
/// it, before they have keys.
const FOR_ALL: [&str; 1] = ["time"];

/// What devices may do.
#[derive(Clone, Debug, Default)]
pub struct DeviceRights {
    /// Of devices that have authenticated themselves, by name. Others of them may use all resources.
    pub of: BTreeMap<String, Vec<DeviceRight>>,
    /// Whether a device must authenticate itself.
    pub require_secured: bool,
}

/// A method, and paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRight {
    /// None: any.
    method: Option<u8>,
    path: PathPattern,
}

impl DeviceRight {
    /// Reads `PUT /send/kitchen`, with `*` for any method and for any segment, and `**` for all the rest of a path.
    ///
    /// # Errors
    /// The reason.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (method, path) = text
            .split_once(' ')
            .ok_or("there is no space between two parts")?;
        let mut methods = code::GET..=code::IPATCH;
        let method = match method {
            "*" => None,
            name => {
                let method = methods.find(|method| code::method_name(*method) == name);
                Some(method.ok_or("there is no such method")?)
            }
        };
        let path = path.parse().map_err(|error| format!("{error}"))?;
        Ok(Self { method, path })
    }

    fn covers(&self, method: u8, path: &[String]) -> bool {
        self.method.is_none_or(|own| own == method) && self.path.matches(path)
    }
}

impl DeviceRights {
    /// Whether a device may send this request. Discovery, and the state of its own messages, are not asked about.
    ///
    /// # Errors
    /// 4.03.
    pub(crate) fn check(
        &self,
        device: &Peer,
        method: u8,
        path: &[&str],
    ) -> Result<(), GatewayError> {
        let name = device.principal.as_deref().filter(|_| device.authenticated);
        let Some(name) = name else {
            return match self.require_secured && path != FOR_ALL {
                true => Err(GatewayError::NotSecured),
                false => Ok(()),
            };
        };
        let Some(rights) = self.of.get(name) else {
            return Ok(());
        };
        let path: Vec<String> = path.iter().map(|segment| (*segment).to_owned()).collect();
        let is_granted = rights.iter().any(|right| right.covers(method, &path));
        is_granted.then_some(()).ok_or(GatewayError::NotGranted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(name: Option<&str>) -> Peer {
        let mut peer = Peer::unauthenticated("192.0.2.1:5683".parse().unwrap());
        peer.authenticated = name.is_some();
        peer.principal = name.map(Into::into);
        peer
    }

    #[test]
    fn a_device_with_rights_has_no_others_and_one_without_has_all() {
        let mut rights = DeviceRights::default();
        let of_kitchen =
            ["PUT /send/kitchen", "GET /getmsg/*"].map(|text| DeviceRight::parse(text).unwrap());
        rights.of.insert("kitchen".to_owned(), of_kitchen.to_vec());
        let may = |name, method, path: &[&str]| rights.check(&peer(name), method, path).is_ok();
        let kitchen = Some("kitchen");
        assert!(may(kitchen, code::PUT, &["send", "kitchen"]));
        assert!(may(kitchen, code::GET, &["getmsg", "!a:h"]));
        for (method, path) in [
            (code::POST, &["send", "kitchen"][..]),
            (code::PUT, &["send", "roof"]),
            (code::PUT, &["send"]),
            (code::PUT, &["send", "kitchen", "1"]),
            (code::GET, &["getmsg"]),
            (code::POST, &["login"]),
        ] {
            assert!(!may(kitchen, method, path), "{path:?}");
            assert!(
                may(Some("roof"), method, path) && may(None, method, path),
                "{path:?}"
            );
        }
    }

    #[test]
    fn where_devices_must_be_secured_the_others_get_the_time_alone() {
        let rights = DeviceRights {
            require_secured: true,
            ..DeviceRights::default()
        };
        assert!(rights.check(&peer(None), code::GET, &["time"]).is_ok());
        let refused = rights.check(&peer(None), code::GET, &["getmsg", "a"]);
        assert_eq!(refused.unwrap_err().code(), code::FORBIDDEN);
        assert!(
            rights
                .check(&peer(Some("roof")), code::GET, &["getmsg", "a"])
                .is_ok()
        );
    }

    #[test]
    fn a_name_that_is_not_proven_gives_no_right() {
        let rights = DeviceRights {
            require_secured: true,
            ..DeviceRights::default()
        };
        let mut peer = peer(Some("roof"));
        peer.authenticated = false;
        assert!(rights.check(&peer, code::GET, &["getmsg", "a"]).is_err());
    }
}
