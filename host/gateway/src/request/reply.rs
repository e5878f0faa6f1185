//! A rule's reply or failure as a CoAP response, checked against the contract.

use super::error::GatewayError;
use coap::{self, CoapOption, code, option};
use contract::Failure;

/// Bytes of a rule's diagnostic: one line for a person, small enough for a constrained link.
const MAX_DIAGNOSTIC_BYTES: usize = 512;
/// Options of a reply, and bytes of their values: a datagram to a constrained device has room for these beside its
/// block.
const MAX_OPTIONS: usize = 32;
const MAX_OPTION_BYTES: usize = 512;

/// The rule's message as a response. Block-wise options and Observe are the endpoint's (`types.message`).
///
/// # Errors
/// [`GatewayError::RuleBrokeContract`].
pub fn to_coap(message: contract::Message) -> Result<coap::Message, GatewayError> {
    let reserved = [
        option::BLOCK1,
        option::BLOCK2,
        option::SIZE1,
        option::SIZE2,
        option::OBSERVE,
    ];
    if !code::is_response(message.code) {
        return Err(GatewayError::RuleBrokeContract(
            "its reply's code is not a response code".into(),
        ));
    }
    let bytes: usize = message
        .options
        .iter()
        .map(|option| option.value.len())
        .sum();
    if message.options.len() > MAX_OPTIONS || bytes > MAX_OPTION_BYTES {
        return Err(GatewayError::RuleBrokeContract(
            "its reply has more than 32 options, or more than 512 bytes of option values".into(),
        ));
    }
    if message
        .options
        .iter()
        .any(|option| reserved.contains(&option.number))
    {
        return Err(GatewayError::RuleBrokeContract(
            "its reply has a block-wise or Observe option".into(),
        ));
    }
    Ok(coap::Message {
        code: message.code,
        options: message
            .options
            .into_iter()
            .map(|option| CoapOption {
                number: option.number,
                value: option.value,
            })
            .collect(),
        payload: message.payload,
    })
}

/// The rule's failure as a response.
///
/// # Errors
/// [`GatewayError::RuleBrokeContract`].
pub fn failed(failure: Failure) -> Result<coap::Message, GatewayError> {
    if !matches!(code::class(failure.code), 4 | 5) {
        return Err(GatewayError::RuleBrokeContract(
            "its failure's code is not of class 4 or 5".into(),
        ));
    }
    let mut diagnostic = failure.diagnostic;
    diagnostic.truncate(diagnostic.floor_char_boundary(MAX_DIAGNOSTIC_BYTES));
    let mut response = coap::Message::diagnostic(failure.code, diagnostic);
    if let Some(seconds) = failure.max_age {
        response.push_uint_option(option::MAX_AGE, seconds);
    }
    Ok(response)
}
