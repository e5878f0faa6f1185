//! Why deliveries fail, and why attempts have no final result: closed sets, for the metrics.

use contract::Outcome;
use outbox::Retry;

/// Why a delivery failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FailureReason {
    BadRequest,
    Forbidden,
    NotFound,
    TooLarge,
    /// Another status of class 4xx.
    Refused,
    /// It waited too long.
    Expired,
    /// An operator dropped it while it waited.
    Dropped,
}

/// The names of [`Retry`], in the order of [`retry_index`].
pub(super) const RETRIES: [&str; 6] = ["unreachable", "timed-out", "5xx", "429", "401", "busy"];

/// The place of a reason among [`RETRIES`]. `5xx` is also a response that no homeserver makes, such as the login page
/// of a network; `401` is also a homeserver or token that the configuration does not have any more.
pub(super) fn retry_index(why: Retry) -> usize {
    match why {
        Retry::Unreachable => 0,
        Retry::TimedOut => 1,
        Retry::Server => 2,
        Retry::Limited(_) => 3,
        Retry::Token => 4,
        Retry::Busy => 5,
    }
}

impl FailureReason {
    pub(super) const ALL: [Self; 7] = [
        Self::BadRequest,
        Self::Forbidden,
        Self::NotFound,
        Self::TooLarge,
        Self::Refused,
        Self::Expired,
        Self::Dropped,
    ];

    /// Of the refusal of a homeserver.
    pub(super) fn of(outcome: &Outcome) -> Self {
        match outcome.as_ref().map(|response| response.status) {
            Ok(400) => Self::BadRequest,
            Ok(403) => Self::Forbidden,
            Ok(404) => Self::NotFound,
            Ok(413) => Self::TooLarge,
            _ => Self::Refused,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "400",
            Self::Forbidden => "403",
            Self::NotFound => "404",
            Self::TooLarge => "413",
            Self::Refused => "4xx",
            Self::Expired => "expired",
            Self::Dropped => "dropped",
        }
    }

    /// Its place in [`Self::ALL`].
    pub(super) fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::HttpResponse;
    use std::time::Duration;

    #[test]
    fn every_refusal_is_counted_under_its_own_name() {
        for (status, name) in [
            (400, "400"),
            (403, "403"),
            (404, "404"),
            (413, "413"),
            (410, "4xx"),
        ] {
            let reason = FailureReason::of(&Ok(HttpResponse {
                status,
                headers: vec![],
                body: vec![],
            }));
            assert_eq!(reason.name(), name);
            assert_eq!(FailureReason::ALL[reason.index()], reason);
        }
    }

    #[test]
    fn every_reason_to_try_again_has_its_name() {
        let all = [
            Retry::Unreachable,
            Retry::TimedOut,
            Retry::Server,
            Retry::Limited(Duration::ZERO),
            Retry::Token,
            Retry::Busy,
        ];
        let names = all.map(|why| RETRIES[retry_index(why)]);
        assert_eq!(names, RETRIES);
    }
}
