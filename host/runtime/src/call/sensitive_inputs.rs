//! The inputs of a call that must not reach the rule's log lines.

use contract::bindings::{Context, Message};

/// CoAP option Uri-Query (RFC 7252 §5.10).
const URI_QUERY: u16 = 15;

/// The inputs of a call that must not reach its log lines.
#[derive(Default)]
pub(crate) struct SensitiveInputs<'a> {
    /// From the device, and the rule's own state.
    pub(crate) device: Vec<&'a [u8]>,
    /// From a homeserver.
    pub(crate) http_body: &'a [u8],
}

impl SensitiveInputs<'_> {
    /// All bytes: nearly all of the call's input.
    pub(crate) fn bytes(&self) -> usize {
        let device: usize = self.device.iter().map(|text| text.len()).sum();
        device + self.http_body.len()
    }
}

/// The inputs from a device: its payload, and the queries of its options and its Proxy-Uri.
pub(crate) fn device_inputs<'a>(
    context: &'a Context,
    request: Option<&'a Message>,
) -> Vec<&'a [u8]> {
    let queries = request
        .into_iter()
        .flat_map(|request| &request.options)
        .filter(|option| option.number == URI_QUERY)
        .map(|option| option.value.as_slice());
    let proxy_query = context
        .requested
        .iter()
        .flat_map(|target| &target.query)
        .flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
    let payload = request.map(|request| request.payload.as_slice());
    payload
        .into_iter()
        .chain(queries)
        .chain(proxy_query)
        .collect()
}
