//! The CoAP options that a rule understands besides those of the host (`wit/options.wit`).

use wasmtime::component::{ComponentType, Lift};

/// Options of one rule: each request is compared with all of them.
const MAX_OPTIONS: usize = 8;
/// Those that the host remembers: it keeps their values for each secured session.
const MAX_STICKY: usize = 4;
/// Bytes of a value that a rule may ask for: no option of RFC 7252 has more, except Proxy-Uri.
const MAX_LENGTH: u16 = 1024;
/// Bytes of a value that the host remembers: a number or a short name.
const MAX_STICKY_LENGTH: u16 = 64;
/// Text: the access token. The host understands it, and can remember it.
const ACCESS_TOKEN: u16 = 256;
/// The options that the host understands by itself: those of `types.message`, and those that it acts on before a rule
/// gets them.
const OF_HOST: [u16; 25] = [
    1, 3, 4, 5, 6, 7, 8, 9, 11, 12, 14, 15, 16, 17, 20, 21, 23, 27, 28, 35, 39, 60, 252, 258, 292,
];

/// One option that a rule understands: `options.known-option`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lift)]
#[component(record)]
pub struct KnownOption {
    /// Its number.
    pub number: u16,
    /// Bytes of its longest value.
    pub longest: u16,
    /// Whether the host remembers its last value.
    pub sticky: bool,
}

/// The options that one rule understands, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownOptions(Box<[KnownOption]>);

impl KnownOptions {
    /// The result of `known-options`.
    ///
    /// # Errors
    /// The fault, for the operator: a rule can list anything.
    pub fn parse(options: Vec<KnownOption>) -> Result<Self, String> {
        let count = options.len();
        let sticky = options.iter().filter(|option| option.sticky).count();
        if count > MAX_OPTIONS || sticky > MAX_STICKY {
            return Err(format!(
                "it knows {count} CoAP options, {sticky} of them sticky; at most {MAX_OPTIONS} and {MAX_STICKY} are \
                 possible"
            ));
        }
        for (place, option) in options.iter().enumerate() {
            let KnownOption {
                number,
                longest,
                sticky,
            } = *option;
            let is_token = number == ACCESS_TOKEN;
            let most = match sticky && !is_token {
                true => MAX_STICKY_LENGTH,
                false => MAX_LENGTH,
            };
            let fault = if OF_HOST.contains(&number) {
                "is the gateway's own".to_owned()
            } else if is_token && !sticky {
                "is the access token, which a rule never gets; it can only be sticky".to_owned()
            } else if options[..place].iter().any(|other| other.number == number) {
                "is listed twice".to_owned()
            } else if longest > most {
                format!("may have {longest} bytes, and at most {most} are possible")
            } else {
                continue;
            };
            return Err(format!("the CoAP option {number} {fault}"));
        }
        Ok(Self(options.into()))
    }

    /// The option with this number.
    #[must_use]
    pub fn get(&self, number: u16) -> Option<&KnownOption> {
        self.0.iter().find(|option| option.number == number)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &KnownOption> {
        self.0.iter()
    }

    /// The options whose values the host remembers, in the order of their numbers.
    pub fn sticky(&self) -> impl Iterator<Item = &KnownOption> {
        self.0.iter().filter(|option| option.sticky)
    }

    /// Whether the host remembers the device's access token for the rule.
    #[must_use]
    pub fn remembers_token(&self) -> bool {
        self.get(ACCESS_TOKEN).is_some()
    }

    /// Whether the host understands an option by itself.
    #[must_use]
    pub fn are_of_host(number: u16) -> bool {
        number == ACCESS_TOKEN || OF_HOST.contains(&number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(number: u16, longest: u16, sticky: bool) -> KnownOption {
        KnownOption {
            number,
            longest,
            sticky,
        }
    }

    #[test]
    fn a_key_version_and_the_access_token_can_be_remembered() {
        let options = vec![option(256, 1024, true), option(257, 4, true)];
        let known = KnownOptions::parse(options).expect("both are possible");
        assert!(known.remembers_token());
        assert_eq!(known.get(257), Some(&option(257, 4, true)));
        assert_eq!(known.get(259), None);
    }

    #[test]
    fn what_a_rule_may_not_take_from_the_host_is_named() {
        for (options, fault) in [
            (
                vec![option(11, 1, false)],
                "CoAP option 11 is the gateway's own",
            ),
            (
                vec![option(9, 1, true)],
                "CoAP option 9 is the gateway's own",
            ),
            (
                vec![option(256, 64, false)],
                "CoAP option 256 is the access token",
            ),
            (
                vec![option(257, 1, false); 2],
                "CoAP option 257 is listed twice",
            ),
            (vec![option(257, 65, true)], "at most 64"),
            (vec![option(257, 1025, false)], "at most 1024"),
            (
                (301..310).map(|n| option(n, 1, false)).collect(),
                "knows 9 CoAP options",
            ),
            (
                (301..306).map(|n| option(n, 1, true)).collect(),
                "5 of them sticky",
            ),
        ] {
            let refused = KnownOptions::parse(options).expect_err(fault);
            assert!(refused.contains(fault), "{refused}");
        }
    }
}
