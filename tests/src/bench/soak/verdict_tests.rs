//! Verdicts.

use super::super::watcher::Notified;
use super::*;

const FLAT: Memory = Memory {
    start: 10 << 20,
    warm: 20 << 20,
    end: 23 << 20,
};

fn verdict(read: &[(&str, u64)], memory: Memory) -> Option<String> {
    let ledger = Ledger {
        sent: vec![(0, "sure".to_owned())],
        unsure: vec![(0, "unsure".to_owned())],
        ..Ledger::default()
    };
    let read = read
        .iter()
        .map(|(body, times)| ((0, (*body).to_owned()), *times));
    Verdict::new(vec![ledger], &read.collect(), memory).problem()
}

#[test]
fn an_acknowledged_message_is_there_once_and_any_other_at_most_once() {
    assert_eq!(verdict(&[("sure", 1)], FLAT), None);
    assert_eq!(verdict(&[("sure", 1), ("unsure", 1)], FLAT), None);
    for read in [
        &[("unsure", 1)][..],
        &[("sure", 2)],
        &[("sure", 1), ("unsure", 2)],
        &[("sure", 1), ("another", 1)],
    ] {
        assert!(verdict(read, FLAT).is_some(), "{read:?}");
    }
}

#[test]
fn an_observer_gets_every_message_from_its_first_on_and_in_order() {
    let timeline: Vec<String> = ["first", "a", "b", "c"].map(str::to_owned).to_vec();
    let problem = |notified: &[(&str, usize)]| {
        let notified = notified.iter().map(|(body, missed)| Notified {
            body: (*body).to_owned(),
            missed: *missed,
        });
        let notified = notified.collect();
        let read = [((0, "sure".to_owned()), 1)].into();
        let sent = vec![(0, "sure".to_owned())];
        let ledger = Ledger {
            sent,
            ..Ledger::default()
        };
        let observations = [Observed { room: 0, notified }];
        let verdict = Verdict::new(vec![ledger], &read, FLAT);
        verdict
            .watched(&observations, std::slice::from_ref(&timeline))
            .problem()
    };
    assert_eq!(problem(&[("a", 0), ("b", 0), ("c", 0)]), None);
    assert_eq!(problem(&[("first", 0)]), None);
    assert_eq!(problem(&[("first", 0), ("c", 2)]), None, "as it says");
    for notified in [
        &[("a", 0), ("c", 0)][..],
        &[("first", 0), ("c", 1)],
        &[("a", 0), ("a", 0)],
        &[("b", 0), ("a", 0)],
        &[("a", 0), ("unknown", 0)],
    ] {
        assert!(problem(notified).is_some(), "{notified:?}");
    }
}

#[test]
fn memory_that_grows_fails() {
    let grown = Memory {
        end: 25 << 20,
        ..FLAT
    };
    assert!(verdict(&[("sure", 1)], grown).is_some());
}
