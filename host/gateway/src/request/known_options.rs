//! The critical options of a request that the gateway does not understand by itself (RFC 7252 §5.4.1): its rule may.

use super::error::GatewayError;
use coap::Message;
use coap::option::is_critical;
use contract::KnownOptions;

/// What a request's option is to its rule.
#[derive(PartialEq, Eq)]
enum Use {
    /// The gateway understands it, or the rule, or it is elective and the rule may ignore it.
    Kept,
    /// It is to be treated as one that is not understood.
    NotUnderstood,
}

/// Checks the options that the rule of a request has to understand, and removes elective ones that it lists but that
/// are too long, or repeated (RFC 7252 §5.4.3, §5.4.5).
///
/// # Errors
/// 4.02: a critical option that the rule does not list, is too long, or is repeated.
pub(super) fn check(request: &mut Message, known: &KnownOptions) -> Result<(), GatewayError> {
    let mut previous = None;
    let mut removed = false;
    for option in &request.options {
        let is_repeated = previous.replace(option.number) == Some(option.number);
        if use_of(option.number, option.value.len(), is_repeated, known) == Use::NotUnderstood {
            if is_critical(option.number) {
                return Err(GatewayError::Option(option.number));
            }
            removed = true;
        }
    }
    if removed {
        let mut previous = None;
        request.options.retain(|option| {
            let is_repeated = previous.replace(option.number) == Some(option.number);
            use_of(option.number, option.value.len(), is_repeated, known) == Use::Kept
        });
    }
    Ok(())
}

/// The same for a resource of the gateway's own.
///
/// # Errors
/// 4.02.
pub(super) fn check_none(request: &Message) -> Result<(), GatewayError> {
    let mut options = request.options.iter().map(|option| option.number);
    let unknown =
        options.find(|number| is_critical(*number) && !KnownOptions::are_of_host(*number));
    unknown.map_or(Ok(()), |number| Err(GatewayError::Option(number)))
}

fn use_of(number: u16, length: usize, is_repeated: bool, known: &KnownOptions) -> Use {
    if KnownOptions::are_of_host(number) {
        return Use::Kept;
    }
    match known.get(number) {
        Some(option) if length <= usize::from(option.longest) && !is_repeated => Use::Kept,
        None if !is_critical(number) => Use::Kept,
        _ => Use::NotUnderstood,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coap::code;
    use contract::KnownOption;

    fn known() -> KnownOptions {
        let option = |number| KnownOption {
            number,
            longest: 2,
            sticky: false,
        };
        KnownOptions::parse(vec![option(257), option(2048)]).expect("both are possible")
    }

    fn checked(options: &[(u16, &str)]) -> Result<Vec<u16>, u16> {
        let mut request = Message::new(code::GET);
        for (number, value) in options {
            request.push_option(*number, *value);
        }
        match check(&mut request, &known()) {
            Ok(()) => Ok(request.options.iter().map(|option| option.number).collect()),
            Err(GatewayError::Option(number)) => Err(number),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_critical_option_passes_only_to_a_rule_that_lists_it() {
        assert_eq!(checked(&[(11, "a"), (257, "1")]), Ok(vec![11, 257]));
        assert_eq!(checked(&[(259, "1")]), Err(259));
        let request = Message::new(code::GET).with_option(257, "1");
        let refused = check_none(&request).expect_err("the gateway does not understand it");
        assert_eq!(refused.code(), code::BAD_OPTION);
    }

    #[test]
    fn a_value_that_is_too_long_or_repeated_is_not_understood() {
        assert_eq!(checked(&[(257, "123")]), Err(257));
        assert_eq!(checked(&[(257, "1"), (257, "2")]), Err(257));
        assert_eq!(checked(&[(2048, "123")]), Ok(vec![]));
        assert_eq!(checked(&[(2048, "1"), (2048, "2")]), Ok(vec![2048]));
    }

    #[test]
    fn elective_options_that_nobody_lists_and_those_of_the_gateway_stay() {
        let options = [(11, "a"), (11, "b"), (256, "t"), (2050, "x"), (2050, "x")];
        assert_eq!(checked(&options), Ok(vec![11, 11, 256, 2050, 2050]));
    }
}
