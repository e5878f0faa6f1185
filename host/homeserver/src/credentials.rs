//! Whose access token a call gets.

use super::caller::Caller;
use super::homeserver::Homeserver;
use super::settings::TokenPeers;
use contract::secret::AccessToken;
use contract::{CallError, Credential, Peer};

/// Whether a configured token may serve this device: by its name if it has authenticated itself, else by its address.
pub(super) fn is_token_peer(token_peers: &TokenPeers, peer: &Peer) -> bool {
    match &peer.principal {
        Some(name) if peer.authenticated => token_peers.devices.contains(&**name),
        _ => {
            let address = peer.ip();
            let mut networks = token_peers.networks.iter();
            networks.any(|network| network.contains(&address))
        }
    }
}

/// Whether a device may use a configured token once it has proven its address.
pub(super) fn is_unproven(token_peers: &TokenPeers, caller: &Caller) -> bool {
    !caller.is_proven && caller.own_token().is_none() && is_token_peer(token_peers, &caller.peer)
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
            && is_token_peer(token_peers, &caller.peer)
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

    #[test]
    fn a_device_with_a_key_needs_a_grant_by_name_and_another_one_by_address() {
        let mut token_peers = TokenPeers::from(vec!["192.0.2.0/24".parse().unwrap()]);
        token_peers.devices.insert("roof".to_owned());
        let peer = |address: &str, name: Option<&str>| {
            let mut peer = Peer::unauthenticated(address.parse().unwrap());
            peer.authenticated = name.is_some();
            peer.principal = name.map(Into::into);
            is_token_peer(&token_peers, &peer)
        };
        let (inside, outside) = ("192.0.2.1:5683", "198.51.100.1:5683");
        assert!(peer(inside, None) && !peer(outside, None));
        assert!(peer(inside, Some("roof")) && peer(outside, Some("roof")));
        assert!(!peer(inside, Some("kitchen")) && !peer(outside, Some("kitchen")));
    }
}
