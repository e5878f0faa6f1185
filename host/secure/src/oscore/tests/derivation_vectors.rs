//! RFC 8613 Appendix C.1 to C.3: key derivation.

use super::super::derivation::{Keys, info};
use super::super::nonce::{PartialIv, nonce};
use super::*;

/// The master secret of all vectors.
pub(super) const SECRET: &str = "0102030405060708090a0b0c0d0e0f10";
/// The master salt of C.1 and C.3.
pub(super) const SALT: &str = "9e7ca92223786340";
/// The ID Context of C.3.
pub(super) const ID_CONTEXT: &str = "37cbf3210017a2d3";

pub(super) fn parameters(
    salt: &str,
    sender: &str,
    recipient: &str,
    context: Option<&str>,
) -> Parameters {
    Parameters {
        master_secret: MasterSecret::new(&hex(SECRET)).expect("16 bytes"),
        master_salt: hex(salt),
        sender_id: identifier(sender),
        recipient_id: identifier(recipient),
        id_context: context.map(|context| IdContext::new(&hex(context)).expect("8 bytes")),
    }
}

/// The outputs of one vector: info, key and nonce of both identifiers, and info and bytes of the Common IV.
struct Expected {
    sender: [&'static str; 3],
    recipient: [&'static str; 3],
    common_iv: [&'static str; 2],
}

fn check(parameters: &Parameters, expected: &Expected) {
    let keys = Keys::derive(parameters).expect("valid parameters");
    let context = parameters.id_context.as_ref();
    for (id, key, [info_of_key, bytes, first_nonce]) in [
        (keys.sender_id, &keys.sender, expected.sender),
        (keys.recipient_id, &keys.recipient, expected.recipient),
    ] {
        assert_eq!(info(id, context, "Key", 16), hex(info_of_key));
        assert_eq!(key.bytes(), hex(bytes));
        let zero = PartialIv::new(0).expect("a number");
        assert_eq!(nonce(&keys.common_iv, id, zero)[..], hex(first_nonce));
    }
    let [info_of_iv, bytes] = expected.common_iv;
    assert_eq!(
        info(Identifier::default(), context, "IV", 13),
        hex(info_of_iv)
    );
    assert_eq!(keys.common_iv[..], hex(bytes));
}

/// A vector and its mirror: the server has the identifiers exchanged.
fn check_both(salt: &str, client: &str, server: &str, context: Option<&str>, expected: Expected) {
    check(&parameters(salt, client, server, context), &expected);
    let mirrored = Expected {
        sender: expected.recipient,
        recipient: expected.sender,
        common_iv: expected.common_iv,
    };
    check(&parameters(salt, server, client, context), &mirrored);
}

#[test]
fn c_1_keys_are_derived_with_a_master_salt() {
    let expected = Expected {
        sender: [
            "8540f60a634b657910",
            "f0910ed7295e6ad4b54fc793154302ff",
            "4622d4dd6d944168eefb54987c",
        ],
        recipient: [
            "854101f60a634b657910",
            "ffb14e093c94c9cac9471648b4f98710",
            "4722d4dd6d944169eefb54987c",
        ],
        common_iv: ["8540f60a6249560d", "4622d4dd6d944168eefb54987c"],
    };
    check_both(SALT, "", "01", None, expected);
}

#[test]
fn c_2_keys_are_derived_without_a_master_salt() {
    let expected = Expected {
        sender: [
            "854100f60a634b657910",
            "321b26943253c7ffb6003b0b64d74041",
            "bf35ae297d2dace910c52e99f9",
        ],
        recipient: [
            "854101f60a634b657910",
            "e57b5635815177cd679ab4bcec9d7dda",
            "bf35ae297d2dace810c52e99f9",
        ],
        common_iv: ["8540f60a6249560d", "be35ae297d2dace910c52e99f9"],
    };
    check_both("", "00", "01", None, expected);
}

#[test]
fn c_3_keys_are_derived_with_an_id_context() {
    let expected = Expected {
        sender: [
            "85404837cbf3210017a2d30a634b657910",
            "af2a1300a5e95788b356336eeecd2b92",
            "2ca58fb85ff1b81c0b7181b85e",
        ],
        recipient: [
            "8541014837cbf3210017a2d30a634b657910",
            "e39a0c7c77b43f03b4b39ab9a268699f",
            "2da58fb85ff1b81d0b7181b85e",
        ],
        common_iv: [
            "85404837cbf3210017a2d30a6249560d",
            "2ca58fb85ff1b81c0b7181b85e",
        ],
    };
    check_both(SALT, "", "01", Some(ID_CONTEXT), expected);
}
