//! Deny by default: a rule reaches only what its description says it needs.

use super::bindings::{HttpRequest, Need, Upstream};
use super::links::captures;

/// Whether one of `needs` covers this call.
pub fn cover(needs: &[Need], request: &HttpRequest) -> bool {
    let upstream = match &request.upstream {
        Upstream::Standard => "standard",
        Upstream::Requested => "requested",
        Upstream::Named(name) => name,
    };
    needs.iter().any(|need| {
        need.upstream == upstream
            && need.credential == request.credential
            && need.methods.contains(&request.method)
            && captures(&need.path, &request.path).is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::Segment;

    fn needs() -> Vec<Need> {
        let path = vec![
            Segment::Literal("rooms".into()),
            Segment::Capture("room".into()),
        ];
        vec![Need {
            upstream: "standard".into(),
            credential: "any".into(),
            methods: vec!["PUT".into()],
            path,
        }]
    }

    fn request() -> HttpRequest {
        HttpRequest {
            upstream: Upstream::Standard,
            credential: "any".into(),
            method: "PUT".into(),
            path: vec!["rooms".into(), "!a".into()],
            query: vec![],
            headers: vec![],
            body: None,
            hold_ms: 0,
        }
    }

    #[test]
    fn a_call_is_covered_only_if_every_part_of_it_is() {
        assert!(cover(&needs(), &request()));
        assert!(!cover(
            &needs(),
            &HttpRequest {
                upstream: Upstream::Requested,
                ..request()
            }
        ));
        assert!(!cover(
            &needs(),
            &HttpRequest {
                upstream: Upstream::Named("standard2".into()),
                ..request()
            }
        ));
        assert!(!cover(
            &needs(),
            &HttpRequest {
                credential: "none".into(),
                ..request()
            }
        ));
        assert!(!cover(
            &needs(),
            &HttpRequest {
                method: "GET".into(),
                ..request()
            }
        ));
        assert!(!cover(
            &needs(),
            &HttpRequest {
                path: vec!["rooms".into()],
                ..request()
            }
        ));
        assert!(!cover(&[], &request()));
    }
}
