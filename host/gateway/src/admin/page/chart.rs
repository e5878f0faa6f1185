//! Charts as inline SVG: their shape is in attributes and their colours in the page's style, so they need no script.

use std::fmt::Write;

use maud::{Markup, html};

/// Width and height of a chart in units of its own; the page stretches it.
const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 80.0;
/// Room above the highest value and below the lowest.
const MARGIN: f64 = 3.0;
/// The time from the left edge to the right one.
const HOUR_MS: f64 = 3_600_000.0;

/// The values of a line: milliseconds before now, and the value; none where there is no value.
pub(super) type Values = Vec<(u64, Option<f64>)>;

/// A chart of the last hour. `label` says what it shows, for people who do not see it; `lines` are the class of each
/// line's style and its values; `top` is the value of the upper edge.
pub(super) fn chart(label: &str, lines: &[(&str, &Values)], top: f64) -> Markup {
    let quarter = |number: u32| WIDTH / 4.0 * f64::from(number);
    html! {
        svg role="img" aria-label=(label) viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" {
            @for number in 1..4 {
                path.grid d=(format!("M{:.0} 0V{HEIGHT}", quarter(number))) {}
            }
            path.grid d=(format!("M0 {0}H{WIDTH}", HEIGHT - MARGIN)) {}
            @for (class, values) in lines {
                path class=(class) d=(path(values, top)) {}
            }
        }
    }
}

/// A bar whose length is the share of `count` in `most`.
pub(super) fn bar(count: u64, most: u64) -> Markup {
    let share = count as f64 / most.max(1) as f64;
    html! {
        svg.share aria-hidden="true" viewBox="0 0 100 4" preserveAspectRatio="none" {
            path.fill d=(format!("M0 0H{:.1}V4H0Z", (100.0 * share).max(0.5))) {}
        }
    }
}

/// A round number that is not below any of these values: 1, 2 or 5 times a power of ten.
pub(super) fn top(values: &[&Values], least: f64) -> f64 {
    let values = values.iter().flat_map(|values| values.iter());
    let highest = values.filter_map(|(_, value)| *value).fold(least, f64::max);
    let power = 10_f64.powf(highest.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    let fitting = steps
        .iter()
        .map(|step| step * power)
        .find(|top| *top >= highest);
    fitting.unwrap_or(highest)
}

/// A line through all values; a value alone is a dot.
fn path(values: &Values, top: f64) -> String {
    let mut path = String::new();
    let mut is_drawing = false;
    for (before_ms, value) in values {
        let Some(value) = value else {
            is_drawing = false;
            continue;
        };
        let x = WIDTH * (1.0 - *before_ms as f64 / HOUR_MS);
        if x < 0.0 {
            continue;
        }
        let share = (value / top).clamp(0.0, 1.0);
        let y = HEIGHT - MARGIN - share * (HEIGHT - 2.0 * MARGIN);
        // Writing to a string does not fail.
        let _ = match is_drawing {
            true => write!(path, "L{x:.1} {y:.1}"),
            false => write!(path, "M{x:.1} {y:.1}h0"),
        };
        is_drawing = true;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_value_is_at_the_right_and_the_highest_at_the_top() {
        let values = vec![
            (3_600_000, Some(0.0)),
            (1_800_000, Some(10.0)),
            (0, Some(5.0)),
        ];
        assert_eq!(path(&values, 10.0), "M0.0 77.0h0L150.0 3.0L300.0 40.0");
    }

    #[test]
    fn a_gap_is_not_drawn_and_neither_is_what_is_older_than_an_hour() {
        let values = vec![
            (4_000_000, Some(1.0)),
            (120_000, Some(1.0)),
            (60_000, None),
            (0, Some(1.0)),
        ];
        assert_eq!(path(&values, 1.0), "M290.0 3.0h0M300.0 3.0h0");
    }

    #[test]
    fn the_upper_edge_is_round_and_above_all_values() {
        let of = |value: f64| top(&[&vec![(0, Some(value))]], 1.0);
        let all = [0.0, 0.3, 1.0, 1.1, 4.0, 7.0, 99.0, 1234.0].map(of);
        assert_eq!(all, [1.0, 1.0, 1.0, 2.0, 5.0, 10.0, 100.0, 2000.0]);
    }
}
