//! The text format of Prometheus, version 0.0.4. No library is used: a library keeps counts of its own, and the data
//! path would have to count everything twice.

use std::fmt::{self, Display, Write};

/// Content-Type of the format.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The types of metrics in use.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Only grows; its name ends with `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts per bucket, their number and their sum.
    Histogram,
}

/// The text under construction.
#[derive(Default)]
pub(super) struct Exposition(String);

/// A metric whose samples are being written.
pub(super) struct Family<'a> {
    text: &'a mut String,
    name: &'a str,
}

/// Names and values of a sample's labels.
pub(super) type Labels<'a> = &'a [(&'a str, &'a str)];

impl Exposition {
    /// Starts a metric. All of its samples must be written before the next metric starts.
    pub(super) fn family<'a>(&'a mut self, name: &'a str, kind: Kind, help: &str) -> Family<'a> {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let text = &mut self.0;
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        Family { text, name }
    }

    /// A metric of one sample without labels.
    pub(super) fn single(&mut self, name: &str, kind: Kind, help: &str, value: impl Display) {
        self.family(name, kind, help).sample(&[], value);
    }

    /// The whole text.
    pub(super) fn into_text(self) -> String {
        self.0
    }
}

impl Family<'_> {
    /// Writes a sample.
    pub(super) fn sample(&mut self, labels: Labels<'_>, value: impl Display) {
        self.line("", labels, None, value);
    }

    /// Writes a histogram: upper bounds with the counts up to them, the total count, and the sum.
    pub(super) fn histogram(
        &mut self,
        labels: Labels<'_>,
        classes: impl Iterator<Item = (f64, u64)>,
        count: u64,
        sum: f64,
    ) {
        for (bound, within) in classes {
            self.line("_bucket", labels, Some(&bound.to_string()), within);
        }
        self.line("_bucket", labels, Some("+Inf"), count);
        self.line("_sum", labels, None, sum);
        self.line("_count", labels, None, count);
    }

    fn line(&mut self, suffix: &str, labels: Labels<'_>, bound: Option<&str>, value: impl Display) {
        let _ = write!(self.text, "{}{suffix}", self.name);
        let all = labels
            .iter()
            .copied()
            .chain(bound.map(|bound| ("le", bound)));
        let mut separator = '{';
        for (name, value) in all {
            let _ = write!(self.text, "{separator}{name}=\"{}\"", Escaped(value));
            separator = ',';
        }
        let end = if separator == ',' { "}" } else { "" };
        let _ = writeln!(self.text, "{end} {value}");
    }
}

/// The value of a label, with backslash, quotation mark and line feed escaped.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_its_help_its_kind_and_its_samples() {
        let mut text = Exposition::default();
        text.single("up_seconds", Kind::Gauge, "How long.", 1.5);
        let mut family = text.family("calls_total", Kind::Counter, "Calls.");
        family.sample(&[("rule", "a"), ("code", "2.05")], 7);
        family.sample(&[("rule", "a\"b\\c\nd"), ("code", "")], 1);
        let expected = "# HELP up_seconds How long.\n# TYPE up_seconds gauge\nup_seconds 1.5\n\
            # HELP calls_total Calls.\n# TYPE calls_total counter\n\
            calls_total{rule=\"a\",code=\"2.05\"} 7\n\
            calls_total{rule=\"a\\\"b\\\\c\\nd\",code=\"\"} 1\n";
        assert_eq!(text.into_text(), expected);
    }

    #[test]
    fn a_histogram_has_its_classes_all_of_them_and_their_sum() {
        let mut text = Exposition::default();
        let mut family = text.family("took_seconds", Kind::Histogram, "How long.");
        family.histogram(&[("to", "h")], [(0.5, 2), (1.0, 3)].into_iter(), 4, 12.25);
        let text = text.into_text();
        let lines: Vec<_> = text.lines().skip(2).collect();
        let expected = [
            "took_seconds_bucket{to=\"h\",le=\"0.5\"} 2",
            "took_seconds_bucket{to=\"h\",le=\"1\"} 3",
            "took_seconds_bucket{to=\"h\",le=\"+Inf\"} 4",
            "took_seconds_sum{to=\"h\"} 12.25",
            "took_seconds_count{to=\"h\"} 4",
        ];
        assert_eq!(lines, expected);
    }
}
