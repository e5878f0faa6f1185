//! The polls of observations while a homeserver is unreachable for a day, with a simulated clock.

use std::time::Duration;

use coap::code;

use crate::observing_by_hand::ObservingByHand;
use crate::timeline::Timeline;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// The longest pause, and the random quarter of it.
const LONGEST_PAUSE: Duration = Duration::from_secs(75);

#[tokio::test]
async fn polls_pause_longer_during_a_day_without_homeserver_and_then_the_next_message_is_notified()
{
    let homeserver_of_the_test = Timeline::start();
    homeserver_of_the_test.say("!a", "before");
    let mut observed = ObservingByHand::new(&homeserver_of_the_test);
    observed.observe(5683).await;
    homeserver_of_the_test.fail(Some((502, "M_UNKNOWN")));
    let (began, mut calls, mut last) = (observed.now, 0, observed.now);
    while observed.now < began + DAY {
        let (made, notifications) = observed.step().await;
        if made > 0 {
            let pause = observed.now - last;
            assert!(pause <= LONGEST_PAUSE, "{pause:?}");
            last = observed.now;
        }
        calls += made;
        // Once an hour the device gets the last message again.
        assert!(
            notifications
                .iter()
                .all(|message| message.code == code::CONTENT)
        );
        assert_eq!(observed.broker.size(), (1, 1));
    }
    assert!((1000..1500).contains(&calls), "{calls} calls in a day");
    homeserver_of_the_test.fail(None);
    homeserver_of_the_test.say("!a", "after a day");
    let back = observed.now;
    let message = loop {
        let (_, notifications) = observed.step().await;
        assert!(
            observed.now <= back + LONGEST_PAUSE,
            "the homeserver is not polled again"
        );
        if let Some(message) = notifications.into_iter().next() {
            break message;
        }
    };
    let text = String::from_utf8_lossy(&message.payload).into_owned();
    assert!(text.contains("after a day"), "{text}");
}
