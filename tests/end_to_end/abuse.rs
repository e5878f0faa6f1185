//! One hostile host beside honest devices, in a short form of `cargo xtask abuse`.

use comatrix_tests::abuse::{ATTACKS, Pace, run};

/// Megabytes that the gateway may keep after an attack: buffers and tables that grew once.
const KEPT: f64 = 48.0;

#[test]
fn no_attack_of_one_host_costs_an_honest_device_a_response_or_a_message() {
    let mut wrong = Vec::new();
    for attack in &ATTACKS {
        let report = run(attack, Pace::SHORT);
        let failed = report.failed();
        let [_, kept] = report.growth();
        let is_amplified = report.is_forged && report.amplification() > 3.0;
        if !failed.is_empty() || report.missing + report.doubled > 0 || is_amplified || kept > KEPT
        {
            wrong.push(format!(
                "{}\n{failed:?}\n{}",
                report.row(Pace::SHORT.duration),
                report.log
            ));
        }
        assert!(
            report.traffic.datagrams > 20,
            "{}: {:?}",
            attack.name,
            report.traffic
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
