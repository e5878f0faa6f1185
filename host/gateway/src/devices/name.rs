//! Names of devices. The name is the principal in rules and logs, and the identity of a pre-shared key.

use contract::escaping::escaped;

/// Bytes of a name: tinydtls in RIOT takes identities of no more.
pub(super) const LONGEST: usize = 32;

/// Checks the name of a device that is to be enrolled.
///
/// # Errors
/// A sentence with the remedy.
pub(super) fn check(name: &str) -> Result<(), String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let begins_well = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric());
    if begins_well && name.len() <= LONGEST && name.bytes().all(is_plain) {
        return Ok(());
    }
    Err(format!(
        "\"{}\" is not a name of a device: use 1 to {LONGEST} of the characters a-z, A-Z, 0-9, '-', '_' and '.', and \
         begin with a letter or digit",
        escaped(name, 64)
    ))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_name_fits_into_the_identity_of_small_stacks_and_into_a_command_line() {
        for name in ["kitchen", "Roof-3.meadow_1", "7", &"n".repeat(32)] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        let long = "n".repeat(33);
        for name in ["", "-k", ".", "a b", "küche", "a\nb", "a/b", "a\"b", &long] {
            let error = check(name).unwrap_err();
            assert!(error.contains("1 to 32"), "{error}");
        }
    }
}
