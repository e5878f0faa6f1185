//! A Proxy-Uri without Uri-Path (RFC 7252 §5.10.2): its path leads to the resource, as the rules say (`wit/proxy.wit`).

use super::error::GatewayError;
use super::proxy_uri;
use coap::{Message, code, option};
use contract::Mismatch;
use runtime::MountTable;

/// Gives a request to a homeserver that has no Uri-Path the one of the resource that its Proxy-Uri names. From then on
/// it is treated as if the device had sent both. Any other request stays as it is.
///
/// # Errors
/// [`GatewayError`]: 4.00 or 5.05 for a Proxy-Uri that is not one of a homeserver, 5.05 for one that names no resource,
/// 4.05 for another method.
pub(super) fn resolve(request: &mut Message, table: &MountTable) -> Result<(), GatewayError> {
    let Some(uri) = request.option(option::PROXY_URI) else {
        return Ok(());
    };
    if request.option(option::URI_PATH).is_some() {
        return Ok(());
    }
    let target = proxy_uri::parse(uri)?.target;
    let path =
        table
            .find_requested(&target.path, request.code)
            .map_err(|mismatch| match mismatch {
                // A method that no resource has is 4.05 on any path (RFC 7252 §5.8).
                Mismatch::Path if !(code::GET..=code::IPATCH).contains(&request.code) => {
                    GatewayError::Method
                }
                Mismatch::Path => GatewayError::ProxyingNotSupported(NO_RESOURCE),
                Mismatch::Method => GatewayError::Method,
            })?;
    for segment in path {
        request.push_option(option::URI_PATH, segment);
    }
    Ok(())
}

/// The diagnostic for a Proxy-Uri that leads to no resource.
pub(super) const NO_RESOURCE: &str = "Proxy-Uri names no resource here; see /.well-known/core";
