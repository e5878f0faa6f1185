//! Response codes: those of the proposal's clients, which are HTTP's where CoAP has them.

use comatrix_sdk::code;

/// The code for a homeserver's status. 200 is 2.05 for every method, as clients of the proposal expect it.
pub fn code(status: u16) -> u8 {
    match status {
        201 => code::CREATED,
        200..=299 => code::CONTENT,
        401 => code::UNAUTHORIZED,
        403 => code::FORBIDDEN,
        404 => code::NOT_FOUND,
        405 => code::METHOD_NOT_ALLOWED,
        406 => code::NOT_ACCEPTABLE,
        412 => code::PRECONDITION_FAILED,
        413 => code::REQUEST_ENTITY_TOO_LARGE,
        415 => code::UNSUPPORTED_CONTENT_FORMAT,
        429 => code::TOO_MANY_REQUESTS,
        400..=499 => code::BAD_REQUEST,
        500 => code::INTERNAL_SERVER_ERROR,
        501 => code::NOT_IMPLEMENTED,
        503 => code::SERVICE_UNAVAILABLE,
        504 => code::GATEWAY_TIMEOUT,
        // Redirects, which are not followed, and what no homeserver sends.
        _ => code::BAD_GATEWAY,
    }
}

/// Whether the device should wait before it tries again.
pub fn has_max_age(status: u16) -> bool {
    matches!(status, 429 | 503)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_code() {
        for (statuses, expected) in [
            (&[200, 202, 204, 299][..], "2.05"),
            (&[201], "2.01"),
            (&[300, 302, 304, 307, 308], "5.02"),
            (&[400, 402, 408, 409, 410, 422, 499], "4.00"),
            (&[401], "4.01"),
            (&[403], "4.03"),
            (&[404], "4.04"),
            (&[405], "4.05"),
            (&[406], "4.06"),
            (&[412], "4.12"),
            (&[413], "4.13"),
            (&[415], "4.15"),
            (&[429], "4.29"),
            (&[500], "5.00"),
            (&[501], "5.01"),
            (&[502, 505, 520, 599, 100, 199, 600, 0], "5.02"),
            (&[503], "5.03"),
            (&[504], "5.04"),
        ] {
            for status in statuses {
                assert_eq!(code::dotted(code(*status)), expected, "{status}");
                assert_eq!(has_max_age(*status), [429, 503].contains(status));
            }
        }
    }
}
