//! The forms of the page. Each has a random token, so that another site cannot send a form in the operator's name. A
//! token is valid for one change, so that a form that is sent twice does not roll back twice.

use std::cell::RefCell;
use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::rule_manager::RuleStatus;

/// Bytes of a token: 128 random bits cannot be guessed.
const BYTES: usize = 16;

/// The forms that can still be sent, one per rule.
#[derive(Default)]
pub struct Forms(RefCell<HashMap<String, Form>>);

/// A rollback from the serving revision to the previous one.
struct Form {
    revisions: (String, String),
    token: String,
}

/// The fields of a form that was sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) rule: String,
    pub(super) token: String,
}

impl Forms {
    /// The token of the form that rolls this rule back; none without a previous revision.
    pub(super) fn token(&self, rule: &RuleStatus) -> Option<String> {
        let revisions = (rule.revision.clone()?, rule.previous.clone()?);
        let mut forms = self.0.borrow_mut();
        if let Some(form) = forms.get(&rule.name)
            && form.revisions == revisions
        {
            return Some(form.token.clone());
        }
        let token = random();
        let form = Form {
            revisions,
            token: token.clone(),
        };
        forms.insert(rule.name.clone(), form);
        Some(token)
    }

    /// Whether this form is valid and its rollback is still the same. Each form is valid once.
    pub(super) fn redeem(&self, sent: &Sent, rules: &[RuleStatus]) -> bool {
        let mut forms = self.0.borrow_mut();
        let Some(form) = forms.get(&sent.rule) else {
            return false;
        };
        let is_current = rules.iter().any(|rule| {
            let now = rule.revision.as_ref().zip(rule.previous.as_ref());
            rule.name == sent.rule && now == Some((&form.revisions.0, &form.revisions.1))
        });
        // Digests are compared, so that the time reveals nothing of the token.
        let is_valid = Sha256::digest(&form.token) == Sha256::digest(&sent.token);
        let redeemed = is_current && is_valid;
        if redeemed {
            forms.remove(&sent.rule);
        }
        redeemed
    }
}

/// Parses the body of a form (`application/x-www-form-urlencoded`).
pub(super) fn read(body: &[u8]) -> Option<Sent> {
    let (mut rule, mut token) = (None, None);
    for (name, value) in url::form_urlencoded::parse(body) {
        match &*name {
            "rule" => rule = Some(value.into_owned()),
            "token" => token = Some(value.into_owned()),
            _ => {}
        }
    }
    let (rule, token) = rule.zip(token)?;
    Some(Sent { rule, token })
}

/// 32 random hexadecimal digits.
pub(super) fn random() -> String {
    let mut bytes = [0; BYTES];
    // The system's generator does not fail once the system has started. Without it the forms would have no protection.
    getrandom::fill(&mut bytes)
        .unwrap_or_else(|error| panic!("no random numbers from the system: {error}"));
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str, revision: &str, previous: Option<&str>) -> RuleStatus {
        RuleStatus {
            name: name.into(),
            revision: Some(revision.into()),
            previous: previous.map(str::to_owned),
            ..RuleStatus::default()
        }
    }

    fn sent(rule: &str, token: &str) -> Sent {
        Sent {
            rule: rule.into(),
            token: token.into(),
        }
    }

    #[test]
    fn a_form_is_valid_once_and_for_the_revisions_that_it_shows() {
        let forms = Forms::default();
        let before = rule("senml", "b", Some("a"));
        let token = forms.token(&before).unwrap();
        assert_eq!(
            forms.token(&before).as_ref(),
            Some(&token),
            "every page shows the same token"
        );
        let now = [before];
        assert!(!forms.redeem(&sent("senml", ""), &now));
        assert!(!forms.redeem(&sent("senml", &random()), &now));
        assert!(!forms.redeem(&sent("comatrix", &token), &now));
        assert!(forms.redeem(&sent("senml", &token), &now));
        let after = [rule("senml", "a", Some("b"))];
        assert!(!forms.redeem(&sent("senml", &token), &after));
        assert_ne!(forms.token(&after[0]), Some(token));
    }

    #[test]
    fn a_form_is_invalid_after_a_swap() {
        let forms = Forms::default();
        let token = forms.token(&rule("senml", "b", Some("a"))).unwrap();
        let swapped = [rule("senml", "c", Some("b"))];
        assert!(!forms.redeem(&sent("senml", &token), &swapped));
    }

    #[test]
    fn a_rule_without_a_previous_revision_has_no_form() {
        assert_eq!(Forms::default().token(&rule("senml", "b", None)), None);
    }

    #[test]
    fn a_body_is_read_as_browsers_write_it() {
        let read_as = read(b"rule=a+rule%21&token=00ff&more=1");
        assert_eq!(read_as, Some(sent("a rule!", "00ff")));
        for wrong in [&b""[..], b"rule=a", b"token=00ff", b"\xff\xff"] {
            assert_eq!(read(wrong), None);
        }
    }
}
