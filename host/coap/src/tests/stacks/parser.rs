//! What a stack takes of a message: no response may be longer than its buffers, nor have what its parser discards.

use super::table::Stack;
use crate::Datagram;
use crate::code;
use crate::option::OBSERVE;

impl Stack {
    /// Fails for a datagram of so many bytes that the stack would cut or discard.
    pub(super) fn assert_parses(&self, bytes: usize, datagram: &Datagram) {
        let name = self.name;
        let message = &datagram.message;
        assert!(
            bytes <= self.datagram,
            "{name} cuts {bytes} bytes: {datagram:?}"
        );
        // The remedy of an error is in its first 64 bytes.
        let is_error = code::class(message.code) != 2;
        let payload = message.payload.len();
        assert!(
            is_error || payload <= self.payload,
            "{name} cuts the payload of {datagram:?}"
        );
        assert!(
            message.options.len() <= self.options,
            "{name}: too many options: {datagram:?}"
        );
        for option in &message.options {
            let most = match option.number {
                OBSERVE => self.observe,
                _ => self.option_value,
            };
            let is_taken = option.number <= self.highest_option && option.value.len() <= most;
            assert!(
                is_taken,
                "{name} discards option {} of {datagram:?}",
                option.number
            );
        }
    }
}
