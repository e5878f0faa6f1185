//! The table: every figure with its baseline, their ratio and the target.

use std::collections::BTreeMap;
use std::time::Duration;

use super::window::Window;

/// The figures of the Python gateway of 2021 on a machine with two cores.
pub struct Figures2021;

impl Figures2021 {
    /// Requests per second for `/time` at this many clients.
    pub fn time_rate(clients: usize) -> f64 {
        match clients {
            1 => 1633.0,
            64 => 2071.0,
            _ => 915.0,
        }
    }

    /// Requests per second for `/send` to an instant homeserver at this many clients.
    pub fn send_rate(clients: usize) -> f64 {
        match clients {
            1 => 487.0,
            64 => 591.0,
            _ => 280.0,
        }
    }

    /// Requests per second for `/send` to a 200 ms homeserver, at any number of clients.
    pub const SLOW_SEND_RATE: f64 = 4.8;
    /// CPU time per `/send`.
    pub const SEND_CPU: Duration = Duration::from_micros(1600);
    /// Bytes of memory when idle.
    pub const IDLE_MEMORY: f64 = 47e6;
    /// Bytes of memory after load.
    pub const LOADED_MEMORY: f64 = 344e6;
    /// From start to ready.
    pub const READY: Duration = Duration::from_millis(400);
}

/// The target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// Of the ratio.
    RatioAtLeast(f64),
    /// Of the ratio.
    RatioAtMost(f64),
    /// Of the figure, in its own unit.
    AtLeast(f64),
    /// Of the figure, in its own unit.
    AtMost(f64),
    /// Nothing: the row is there to be read.
    None,
}

/// One line of the table.
#[derive(Debug, Clone)]
pub struct Row {
    /// The measured quantity.
    pub name: String,
    /// The gateway's figure.
    pub figure: f64,
    /// Its unit, also the baseline's.
    pub unit: &'static str,
    /// The baseline's name and figure.
    pub baseline: Option<(&'static str, f64)>,
    /// Figure by baseline; where both took turns, the median of the pairs' ratios.
    pub ratio: Option<f64>,
    /// The target.
    pub target: Target,
    /// How many measurements the median was taken of.
    pub runs: usize,
    /// Further figures: latencies, errors, retransmissions.
    pub notes: String,
}

impl Row {
    /// Whether the target is met; none without a target.
    pub fn met(&self) -> Option<bool> {
        let ratio = self.ratio.unwrap_or(f64::NAN);
        match self.target {
            Target::RatioAtLeast(bound) => Some(ratio >= bound),
            Target::RatioAtMost(bound) => Some(ratio <= bound),
            Target::AtLeast(bound) => Some(self.figure >= bound),
            Target::AtMost(bound) => Some(self.figure <= bound),
            Target::None => None,
        }
    }

    fn line(&self) -> String {
        let Self {
            name,
            unit,
            runs,
            notes,
            ..
        } = self;
        let figure = number(self.figure);
        let baseline = self.baseline.map_or("–".to_owned(), |(of, figure)| {
            format!("{} {unit} ({of})", number(figure))
        });
        let ratio = self
            .ratio
            .map_or("–".to_owned(), |ratio| format!("{ratio:.2}"));
        let target = match self.target {
            Target::RatioAtLeast(bound) => format!("ratio ≥ {bound}"),
            Target::RatioAtMost(bound) => format!("ratio ≤ {bound}"),
            Target::AtLeast(bound) => format!("≥ {} {unit}", number(bound)),
            Target::AtMost(bound) => format!("≤ {} {unit}", number(bound)),
            Target::None => "–".to_owned(),
        };
        let met = self
            .met()
            .map_or("–", |met| if met { "yes" } else { "**no**" });
        format!(
            "| {name} | {figure} {unit} | {baseline} | {ratio} | {target} | {met} | {runs} | {notes} |"
        )
    }
}

/// The rows as a Markdown table.
pub fn table(rows: &[Row]) -> String {
    let head = "| row | gateway | baseline | ratio | target | met? | runs | notes |\n\
                | --- | ---: | ---: | ---: | --- | --- | ---: | --- |";
    let lines: Vec<String> = rows.iter().map(Row::line).collect();
    format!("{head}\n{}", lines.join("\n"))
}

/// Latencies and errors of several measurements.
pub fn notes(windows: &[Window]) -> String {
    let of = |latency: fn(&Window) -> Duration| {
        median(windows.iter().map(|window| millis(latency(window))))
    };
    let mut notes = format!(
        "p50 {} ms, p99 {} ms",
        number(of(|w| w.p50)),
        number(of(|w| w.p99))
    );
    let mut errors = BTreeMap::<&str, u64>::new();
    for (error, count) in windows.iter().flat_map(|window| &window.errors) {
        *errors.entry(error).or_default() += count;
    }
    let retransmissions: u64 = windows.iter().map(|window| window.retransmissions).sum();
    let strays: u64 = windows.iter().map(|window| window.strays).sum();
    notes += &format!(
        "; {retransmissions} retransmissions, {} errors",
        errors.values().sum::<u64>()
    );
    if strays > 0 {
        notes += &format!(", {strays} strays");
    }
    for (error, count) in errors {
        notes += &format!("; {count} × `{}`", error.replace('|', "\\|"));
    }
    notes
}

/// The median; the mean of the middle two of an even number; NaN of none.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[odd / 2],
        even => (values[even / 2 - 1] + values[even / 2]) / 2.0,
    }
}

/// `1 client`, `64 clients`.
pub fn clients(count: usize) -> String {
    if count == 1 {
        "1 client".to_owned()
    } else {
        format!("{count} clients")
    }
}

/// In milliseconds.
pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// In microseconds.
pub fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// Three significant digits; whole numbers as they are.
fn number(value: f64) -> String {
    match value.abs() {
        _ if value.fract() == 0.0 => format!("{value:.0}"),
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_pairs_is_the_middle_one() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median([]).is_nan());
    }

    #[test]
    fn a_missed_target_is_said_to_be_missed() {
        let row = Row {
            name: "`/time`".to_owned(),
            figure: 12.0,
            unit: "µs",
            baseline: Some(("UDP echo", 3.0)),
            ratio: Some(4.0),
            target: Target::RatioAtMost(3.0),
            runs: 5,
            notes: String::new(),
        };
        assert_eq!(row.met(), Some(false));
        assert_eq!(
            table(&[row]).lines().last(),
            Some("| `/time` | 12 µs | 3 µs (UDP echo) | 4.00 | ratio ≤ 3 | **no** | 5 |  |")
        );
    }

    #[test]
    fn a_ratio_that_was_not_measured_meets_nothing() {
        let row = Row {
            name: String::new(),
            figure: 1.0,
            unit: "µs",
            baseline: None,
            ratio: None,
            target: Target::RatioAtMost(3.0),
            runs: 0,
            notes: String::new(),
        };
        assert_eq!(row.met(), Some(false));
    }
}
