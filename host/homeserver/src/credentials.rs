//! Whose access token a call gets.

use super::caller::Caller;
use super::homeserver::Homeserver;
use super::settings::{ConfiguredAccount, TokenPeers};
use contract::secret::AccessToken;
use contract::{CallError, Credential, Peer};

/// The configured account of a device that has authenticated itself.
fn account<'a>(token_peers: &'a TokenPeers, peer: &Peer) -> Option<&'a ConfiguredAccount> {
    let name = peer.principal.as_deref().filter(|_| peer.authenticated)?;
    token_peers.devices.get(name)
}

/// The homeserver of a device's requests that name none: that of its configured account, else the first one.
pub(super) fn default_homeserver<'a>(
    token_peers: &TokenPeers,
    homeservers: &'a [Homeserver],
    peer: &Peer,
) -> Option<&'a Homeserver> {
    let named = match account(token_peers, peer) {
        Some(ConfiguredAccount::OfHomeserver(name)) => {
            let mut homeservers = homeservers.iter();
            homeservers.find(|homeserver| homeserver.name() == Some(name))
        }
        _ => None,
    };
    named.or(homeservers.first())
}

/// Whether the token that is configured for a homeserver may serve this device: by its name if it has authenticated
/// itself, else by its address.
pub(super) fn is_token_peer(
    token_peers: &TokenPeers,
    peer: &Peer,
    homeserver: &Homeserver,
) -> bool {
    if !peer.authenticated {
        return is_token_network(token_peers, peer);
    }
    match account(token_peers, peer) {
        None => false,
        Some(ConfiguredAccount::OfRequest) => true,
        Some(ConfiguredAccount::OfHomeserver(name)) => homeserver.name() == Some(name),
    }
}

/// Whether a configured token may serve a device with this address that has not authenticated itself.
pub(super) fn is_token_network(token_peers: &TokenPeers, peer: &Peer) -> bool {
    let address = peer.ip();
    let mut networks = token_peers.networks.iter();
    !peer.authenticated && networks.any(|network| network.contains(&address))
}

/// Whether a device may use a configured token once it has proven its address.
pub(super) fn is_unproven(token_peers: &TokenPeers, caller: &Caller) -> bool {
    !caller.is_proven && caller.own_token().is_none() && is_token_network(token_peers, &caller.peer)
}

/// The token to attach. A device's own token, or that of its session, goes only to the homeserver that it requested, a
/// configured one only to the homeserver that it is configured for. A device with a token of its own never uses another
/// one.
///
/// # Errors
/// [`CallError`] `no-credential`.
pub(super) fn choose<'a>(
    token_peers: &TokenPeers,
    caller: &'a Caller,
    (homeserver, is_requested): (&'a Homeserver, bool),
    credential: Credential,
) -> Result<Option<&'a AccessToken>, CallError> {
    let own = caller.own_token().filter(|_| is_requested);
    let may_use_configured = || {
        caller.own_token().is_none()
            && (caller.is_proven || !homeserver.needs_proof())
            && is_token_peer(token_peers, &caller.peer, homeserver)
    };
    let token = match credential {
        Credential::None => return Ok(None),
        Credential::Device => own,
        Credential::Any => own.or_else(|| homeserver.token().filter(|_| may_use_configured())),
    };
    token
        .map(Some)
        .ok_or_else(|| CallError::unsent("no-credential"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn homeserver(name: &str) -> Homeserver {
        let origin = format!("https://{name}.example").parse().unwrap();
        let slots = crate::ConcurrencyLimit::new(1, 1);
        let name = Some(name.to_owned());
        Homeserver::configured(origin, name, None, crate::ClientApi::V3, slots)
    }

    fn token_peers() -> TokenPeers {
        let mut token_peers = TokenPeers::from(vec!["192.0.2.0/24".parse().unwrap()]);
        for (device, account) in [
            ("roof", ConfiguredAccount::OfRequest),
            ("shed", ConfiguredAccount::OfHomeserver("garden".to_owned())),
        ] {
            token_peers.devices.insert(device.to_owned(), account);
        }
        token_peers
    }

    fn peer(address: &str, name: Option<&str>) -> Peer {
        let mut peer = Peer::unauthenticated(address.parse().unwrap());
        peer.authenticated = name.is_some();
        peer.principal = name.map(Into::into);
        peer
    }

    #[test]
    fn a_device_with_a_key_needs_a_grant_by_name_and_another_one_by_address() {
        let may = |address: &str, name| {
            is_token_peer(&token_peers(), &peer(address, name), &homeserver("house"))
        };
        let (inside, outside) = ("192.0.2.1:5683", "198.51.100.1:5683");
        assert!(may(inside, None) && !may(outside, None));
        assert!(may(inside, Some("roof")) && may(outside, Some("roof")));
        assert!(!may(inside, Some("kitchen")) && !may(outside, Some("kitchen")));
    }

    #[test]
    fn a_device_with_an_account_uses_that_one_and_its_homeserver() {
        let homeservers = ["house", "garden"].map(homeserver);
        let [house, garden] = &homeservers;
        let shed = peer("192.0.2.1:5683", Some("shed"));
        assert!(is_token_peer(&token_peers(), &shed, garden));
        assert!(!is_token_peer(&token_peers(), &shed, house));
        for (name, expected) in [("shed", garden), ("roof", house), ("kitchen", house)] {
            let device = peer("192.0.2.1:5683", Some(name));
            let found = default_homeserver(&token_peers(), &homeservers, &device);
            assert!(found.is_some_and(|found| found.is(expected)), "{name}");
        }
        // A name that is not proven is none.
        let mut forged = shed;
        forged.authenticated = false;
        let found = default_homeserver(&token_peers(), &homeservers, &forged);
        assert!(found.is_some_and(|found| found.is(house)));
    }
}
