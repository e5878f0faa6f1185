//! Finds the rule and link of a request by its Uri-Path and method.

use std::sync::Arc;

use super::error::GatewayError;
use super::requested_path::NO_RESOURCE;
use coap::{Message, code, option};
use contract::path_segment::is_plain;
use contract::{Match, Mismatch};
use runtime::{MountTable, Revision};

/// Uri-Path as text.
///
/// # Errors
/// 4.00 for a segment that is not UTF-8, is empty, `.` or `..`, or has control characters. A single empty segment is
/// the root (RFC 7252 §6.5), and one after others the slash at the path's end; [`find`] refuses it where no link has
/// it.
pub fn path(request: &Message) -> Result<Vec<&str>, GatewayError> {
    let segments: Vec<&str> = request
        .options(option::URI_PATH)
        .map(|segment| std::str::from_utf8(segment).map_err(|_| GatewayError::UriPath))
        .collect::<Result<_, _>>()?;
    let plain = match segments.as_slice() {
        [""] => return Ok(Vec::new()),
        [before @ .., ""] => before,
        segments => segments,
    };
    match plain.iter().all(|segment| is_plain(segment)) {
        true => Ok(segments),
        false => Err(GatewayError::Segment),
    }
}

/// The rule and link of a request.
///
/// # Errors
/// 4.04, 4.05; 5.05 in place of 4.04 if there is a Proxy-Uri; 4.00 in place of 4.04 for a path that ends with a slash.
pub fn find<'a>(
    request: &Message,
    path: &[&str],
    table: &'a MountTable,
    disabled: &[String],
) -> Result<(&'a Arc<Revision>, Match), GatewayError> {
    let proxied = request.option(option::PROXY_URI).is_some();
    lookup(path, request.code, table, disabled).map_err(|mismatch| match mismatch {
        // A method that no resource has is 4.05 on any path (RFC 7252 §5.8).
        Mismatch::Path if !(code::GET..=code::IPATCH).contains(&request.code) => {
            GatewayError::Method
        }
        Mismatch::Path if path.last().is_some_and(|last| last.is_empty()) => GatewayError::Segment,
        Mismatch::Path if proxied => GatewayError::ProxyingNotSupported(NO_RESOURCE),
        Mismatch::Path => GatewayError::NotFound,
        Mismatch::Method => GatewayError::Method,
    })
}

/// The rule and link of a path and method, unless the resource is switched off.
pub(super) fn lookup<'a>(
    path: &[&str],
    method: u8,
    table: &'a MountTable,
    disabled: &[String],
) -> Result<(&'a Arc<Revision>, Match), Mismatch> {
    match path.first() {
        Some(first) if disabled.iter().any(|name| name == first) => Err(Mismatch::Path),
        _ => table.find(path, method),
    }
}
