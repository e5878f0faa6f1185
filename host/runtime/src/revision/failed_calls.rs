//! The inputs of the latest failed calls of a revision, few and from many networks.

use std::collections::VecDeque;

use super::call_input::{CallInput, FailedCall};
use super::network::Network;

/// Inputs that are kept, one for each network if there are as many: with an attacker among them, the others decide.
const KEPT: usize = 8;

#[derive(Default)]
pub(super) struct FailedCalls(VecDeque<(Network, FailedCall)>);

impl FailedCalls {
    /// Keeps the input of a failed call. If there is no room, the oldest of the network with most of them makes room.
    pub(super) fn keep(&mut self, network: Network, input: &CallInput<'_>) {
        let Some(call) = input.kept() else { return };
        if self.0.len() == KEPT {
            let of = |network: Network| self.0.iter().filter(|(one, _)| *one == network).count();
            let most = self.0.iter().map(|(one, _)| of(*one)).max();
            let oldest = self.0.iter().position(|(one, _)| Some(of(*one)) == most);
            oldest.and_then(|oldest| self.0.remove(oldest));
        }
        self.0.push_back((network, call));
    }

    /// All of them; none are left.
    pub(super) fn take(&mut self) -> Vec<FailedCall> {
        self.0.drain(..).map(|(_, call)| call).collect()
    }

    pub(super) fn clear(&mut self) {
        // With its memory: a revision that works keeps nothing.
        self.0 = VecDeque::new();
    }
}

#[cfg(test)]
mod tests {
    use contract::bindings::{Context, Message};

    use super::*;

    fn context() -> Context {
        Context {
            link: 0,
            captures: Vec::new(),
            requested: None,
            principal: None,
            flow_id: String::new(),
            now: None,
            facts: Vec::new(),
        }
    }

    fn request(payload: Vec<u8>) -> Message {
        Message {
            code: 1,
            options: Vec::new(),
            payload,
        }
    }

    fn payload(call: &FailedCall) -> &[u8] {
        match call {
            FailedCall::Begin(_, request) => &request.payload,
            FailedCall::Resume(..) => panic!("none was kept"),
        }
    }

    #[test]
    fn a_network_with_many_failed_calls_displaces_its_own() {
        let mut calls = FailedCalls::default();
        for number in 0..100_u8 {
            let network = Network::V4([192, 0, if number % 20 == 0 { number } else { 1 }]);
            calls.keep(
                network,
                &CallInput::Begin(&context(), &request(vec![number])),
            );
        }
        let kept = calls.take();
        assert_eq!(kept.len(), KEPT);
        let kept: Vec<_> = kept.iter().map(|call| payload(call)[0]).collect();
        assert_eq!(kept, [0, 20, 40, 60, 80, 97, 98, 99]);
        assert!(calls.take().is_empty());
    }

    #[test]
    fn a_large_input_is_not_kept() {
        let mut calls = FailedCalls::default();
        let network = Network::V4([192, 0, 2]);
        calls.keep(
            network,
            &CallInput::Begin(&context(), &request(vec![0; 65_537])),
        );
        assert!(calls.take().is_empty());
    }
}
