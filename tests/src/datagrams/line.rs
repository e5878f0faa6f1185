//! The lines of a case.

use std::time::Duration;

/// What a line says.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// A line of the configuration.
    Config(String),
    /// Arguments of the gateway.
    Arguments(Vec<String>),
    /// `homeserver takes`.
    HomeserverTakes(Duration),
    /// `room says`.
    RoomSays(String),
    /// `room has`.
    RoomHas(String),
    /// `sent`.
    Sent(usize),
    /// `wait`.
    Wait(Duration),
    /// Device, and the datagram in hex or in words.
    Sends(String, String),
    /// Device, whether others may precede it, and the pattern.
    Gets(String, bool, String),
    /// Device, and how long nothing comes.
    GetsNothing(String, Duration),
    /// Device, and whether it acknowledges.
    Acknowledges(String, bool),
    /// Device, and its habit.
    Responds(String, Habit),
    /// Device, and the token in hex whose messages it resets.
    Resets(String, String),
}

/// How a device responds to confirmable messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// RFC 7252 §4.2, §4.3: ACK, and RST to a ping.
    AsSpecified,
    /// ACK, to a ping too.
    AckToPings,
    /// An ACK with 4.04, to a ping too.
    NotFound,
}

/// The lines of a case with their numbers.
///
/// # Panics
/// A line is none of them.
pub fn lines(text: &str) -> Vec<(usize, Line)> {
    let numbered = text.lines().enumerate();
    numbered
        .map(|(index, line)| (index + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .flat_map(|(number, line)| repeated(line).into_iter().map(move |line| (number, line)))
        .map(|(number, line)| {
            let parsed = parse(&line);
            (
                number,
                parsed.unwrap_or_else(|| panic!("line {number}: {line:?} is no line of a case")),
            )
        })
        .collect()
}

/// The lines that a line with `N times` stands for.
fn repeated(line: &str) -> Vec<String> {
    let Some((count, one)) = line.split_once(" times ") else {
        return vec![line.to_owned()];
    };
    let Ok(count) = count.parse::<u8>() else {
        return vec![line.to_owned()];
    };
    let number = |number: u8| match one.contains(" > ") {
        true => one.replace("##", &format!("{number:02x}")),
        false => one.replace("##", &number.to_string()),
    };
    (1..=count).map(number).collect()
}

fn parse(line: &str) -> Option<Line> {
    if let Some(config) = line.strip_prefix("config ") {
        return Some(Line::Config(config.to_owned()));
    }
    if let Some(arguments) = line.strip_prefix("gateway ") {
        let words = arguments.split(' ').map(str::to_owned);
        return Some(Line::Arguments(words.collect()));
    }
    if let Some(text) = line.strip_prefix("room has ") {
        return Some(Line::RoomHas(text.to_owned()));
    }
    if let Some(time) = line.strip_prefix("homeserver takes ") {
        return seconds(time).map(Line::HomeserverTakes);
    }
    if let Some(text) = line.strip_prefix("room says ") {
        return Some(Line::RoomSays(text.to_owned()));
    }
    if let Some(count) = line.strip_prefix("sent ") {
        return count.parse().ok().map(Line::Sent);
    }
    if let Some(time) = line.strip_prefix("wait ") {
        return seconds(time).map(Line::Wait);
    }
    let (device, rest) = line.split_once(' ')?;
    let device = device.starts_with("device").then(|| device.to_owned())?;
    if let Some(time) = rest.strip_prefix("< nothing within ") {
        return seconds(time).map(|time| Line::GetsNothing(device, time));
    }
    match rest {
        "is silent" => return Some(Line::Acknowledges(device, false)),
        "responds to pings with ACK" => return Some(Line::Responds(device, Habit::AckToPings)),
        "responds with 4.04" => return Some(Line::Responds(device, Habit::NotFound)),
        "acknowledges" => return Some(Line::Acknowledges(device, true)),
        _ => {}
    }
    if let Some(token) = rest.strip_prefix("resets ") {
        return Some(Line::Resets(device, token.to_owned()));
    }
    let (direction, rest) = rest.split_once(' ')?;
    Some(match direction {
        ">" => Line::Sends(device, rest.to_owned()),
        "<" => Line::Gets(device, false, rest.to_owned()),
        "<<" => Line::Gets(device, true, rest.to_owned()),
        _ => return None,
    })
}

/// `1.6 s`.
fn seconds(text: &str) -> Option<Duration> {
    let seconds = text.strip_suffix(" s")?.parse().ok()?;
    Some(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_is_read_and_its_number_is_kept() {
        let text = "# comment\nconfig [coap]\n\nhomeserver takes 1.6 s\nroom says hot and dry\nsent 2\nwait 2 s\n\
                    device > 40 01\ndevice2 < ACK 2.05\ndevice << 2.05\ndevice < nothing within 1 s\n\
                    device is silent\ndevice acknowledges\n\
                    device responds with 4.04\ndevice resets 01\nroom has 21\ngateway -i ::\n\
                    2 times room says ##\n2 times device > 40##";
        let read = lines(text);
        let device = || "device".to_owned();
        let expected = [
            Line::Config("[coap]".to_owned()),
            Line::HomeserverTakes(Duration::from_millis(1_600)),
            Line::RoomSays("hot and dry".to_owned()),
            Line::Sent(2),
            Line::Wait(Duration::from_secs(2)),
            Line::Sends(device(), "40 01".to_owned()),
            Line::Gets("device2".to_owned(), false, "ACK 2.05".to_owned()),
            Line::Gets(device(), true, "2.05".to_owned()),
            Line::GetsNothing(device(), Duration::from_secs(1)),
            Line::Acknowledges(device(), false),
            Line::Acknowledges(device(), true),
            Line::Responds(device(), Habit::NotFound),
            Line::Resets(device(), "01".to_owned()),
            Line::RoomHas("21".to_owned()),
            Line::Arguments(vec!["-i".to_owned(), "::".to_owned()]),
            Line::RoomSays("1".to_owned()),
            Line::RoomSays("2".to_owned()),
            Line::Sends(device(), "4001".to_owned()),
            Line::Sends(device(), "4002".to_owned()),
        ];
        assert_eq!(
            read.iter()
                .map(|(_, line)| line.clone())
                .collect::<Vec<_>>(),
            expected
        );
        assert_eq!((read[0].0, read[1].0), (2, 4));
    }
}
