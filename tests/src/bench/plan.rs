//! The measurements to make, and their length.

use std::time::Duration;

use super::soak::outages::Outages;

/// A restart of a homeserver with an update takes some seconds.
const PIECE: Duration = Duration::from_secs(12);

/// The command line of the bench, as values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Words of which a row's name must contain one; none: every row.
    pub filters: Vec<String>,
    /// How many times a measurement and its baseline take turns.
    pub pairs: usize,
    /// Length of one measurement, after its warm-up.
    pub window: Duration,
    /// Load before each measurement that counts for nothing: caches fill, connections open.
    pub warm_up: Duration,
    /// Requests before memory is read a second time.
    pub soak_requests: u64,
    /// Starts of which the median is taken.
    pub starts: usize,
    /// Swaps under load, one every 600 ms.
    pub swaps: usize,
    /// How long a gateway is watched that nobody asks for anything.
    pub idle: Duration,
    /// Sessions, and security contexts, whose memory is measured.
    pub secured: usize,
}

/// The role of the bench's process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// Say how to use it.
    Help,
    /// Measure and print the table.
    Measure(Plan),
    /// Many devices for so many minutes, and nothing lost, while the homeserver is away at times.
    Soak(u64, Option<Outages>),
    /// The baseline of `/time`: a bare UDP echo, in a process of its own so that its CPU time can be read.
    EchoServer,
    /// A homeserver that accepts every `/send` after this delay, at this port; 0: any.
    StubHomeserver(Duration, u16),
}

impl Role {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    /// An option that does not exist, or a delay that is no number of milliseconds.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut quick = false;
        let mut filters = Vec::new();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => quick = true,
                "--soak" => {
                    let minutes = arguments.next().unwrap_or_default();
                    return match minutes.parse() {
                        Ok(minutes) if minutes > 0 => {
                            outages(arguments).map(|outages| Self::Soak(minutes, outages))
                        }
                        _ => Err(format!(
                            "`{minutes}` is no number of minutes: try --soak 10"
                        )),
                    };
                }
                "--echo-server" => return Ok(Self::EchoServer),
                "--stub-homeserver" => {
                    let delay = arguments.next().unwrap_or_default();
                    let port = arguments.next().and_then(|port| port.parse().ok());
                    return delay
                        .parse()
                        .map(|milliseconds| {
                            let delay = Duration::from_millis(milliseconds);
                            Self::StubHomeserver(delay, port.unwrap_or(0))
                        })
                        .map_err(|_| {
                            format!(
                                "`{delay}` is no delay in milliseconds: try --stub-homeserver 200"
                            )
                        });
                }
                "--help" | "-h" => return Ok(Self::Help),
                option if option.starts_with('-') => {
                    return Err(format!("`{option}` is unknown; `--help` lists the options"));
                }
                word => filters.push(word.to_lowercase()),
            }
        }
        let mut plan = if quick {
            Plan::quick()
        } else {
            Plan::thorough()
        };
        plan.filters = filters;
        Ok(Self::Measure(plan))
    }
}

/// `--away PERCENT [--piece SECONDS]`.
fn outages(mut arguments: impl Iterator<Item = String>) -> Result<Option<Outages>, String> {
    let mut outages = None;
    while let Some(option) = arguments.next() {
        let value = arguments.next().unwrap_or_default();
        let number = value.parse::<u32>().ok().filter(|number| *number > 0);
        let wrong = || format!("`{option} {value}` is wrong: try --away 20 --piece 12");
        let number = number.ok_or_else(wrong)?;
        let piece = outages.map_or(PIECE, |outages: Outages| outages.piece);
        outages = Some(match (option.as_str(), outages) {
            ("--away", _) if number < 100 => Outages {
                percent: number,
                piece,
            },
            ("--piece", Some(Outages { percent, .. })) => Outages {
                percent,
                piece: Duration::from_secs(number.into()),
            },
            _ => return Err(wrong()),
        });
    }
    Ok(outages)
}

impl Plan {
    fn thorough() -> Self {
        Self {
            filters: Vec::new(),
            pairs: 5,
            window: Duration::from_secs(3),
            warm_up: Duration::from_millis(500),
            soak_requests: 1_000_000,
            starts: 9,
            swaps: 100,
            idle: Duration::from_secs(600),
            secured: 10_000,
        }
    }

    /// Enough to see whether a change helped, not to quote.
    fn quick() -> Self {
        Self {
            pairs: 3,
            window: Duration::from_secs(1),
            warm_up: Duration::from_millis(200),
            soak_requests: 50_000,
            starts: 3,
            swaps: 20,
            idle: Duration::from_secs(60),
            secured: 2_000,
            ..Self::thorough()
        }
    }

    /// Whether the row of this name is to be measured.
    pub fn selects(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.filters.is_empty() || self.filters.iter().any(|word| name.contains(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Role, String> {
        Role::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn words_select_rows_and_quick_shortens_them() {
        let Ok(Role::Measure(plan)) = parse("--quick /TIME start") else {
            panic!("a plan was expected");
        };
        assert!(plan.selects("/time, 64 clients") && plan.selects("ready after start"));
        assert!(!plan.selects("memory"));
        assert!(plan.window < Plan::thorough().window);
    }

    #[test]
    fn no_word_selects_every_row() {
        assert!(Plan::thorough().selects("anything"));
    }

    #[test]
    fn a_soak_may_be_without_its_homeserver_at_times() {
        assert_eq!(parse("--soak 10"), Ok(Role::Soak(10, None)));
        let outages = |percent, seconds| {
            let piece = Duration::from_secs(seconds);
            Ok(Role::Soak(10, Some(Outages { percent, piece })))
        };
        assert_eq!(parse("--soak 10 --away 20"), outages(20, 12));
        assert_eq!(parse("--soak 10 --away 50 --piece 600"), outages(50, 600));
        for wrong in ["--away", "--away 100", "--away 0", "--piece 9", "--loss 5"] {
            assert!(parse(&format!("--soak 10 {wrong}")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_children_of_the_bench_are_named_by_options() {
        assert_eq!(parse("--echo-server"), Ok(Role::EchoServer));
        assert_eq!(
            parse("--stub-homeserver 200"),
            Ok(Role::StubHomeserver(Duration::from_millis(200), 0))
        );
        assert!(parse("--stub-homeserver soon").is_err());
        assert!(parse("--fast").is_err());
    }
}
