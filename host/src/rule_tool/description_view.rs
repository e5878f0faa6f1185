//! A rule's description as a table, and its needs as lines of a configuration file.

use contract::escaping::escaped;
use contract::{Grant, Link, Segment};

/// Bytes of a path to print: it is the rule's text.
const MAX_PATH: usize = 100;

/// A link's path as people write it: `/send/{room}/…`.
pub(super) fn path(segments: &[Segment]) -> String {
    let path: String = segments
        .iter()
        .map(|segment| match segment {
            Segment::Literal(literal) => format!("/{literal}"),
            Segment::Capture(name) => format!("/{{{name}}}"),
            Segment::Rest => "/…".to_owned(),
        })
        .collect();
    if path.is_empty() {
        return "/".to_owned();
    }
    escaped(&path, MAX_PATH)
}

/// Lines of a table: methods, path and formats of each link.
pub(super) fn links(links: &[Link]) -> Vec<String> {
    let rows: Vec<_> = links
        .iter()
        .map(|link| (methods(&link.methods), path(&link.path), formats(link)))
        .collect();
    let width = |column: fn(&(String, String, String)) -> &String| {
        let widths = rows.iter().map(|row| column(row).chars().count());
        widths.max().unwrap_or(0)
    };
    let (first, second) = (width(|row| &row.0), width(|row| &row.1));
    rows.iter()
        .map(|(methods, path, formats)| {
            let line = format!("{methods:first$}  {path:second$}  {formats}");
            line.trim_end().to_owned()
        })
        .collect()
}

/// `allow = […]` with these needs, a line each.
pub(super) fn allow(needs: &[Grant]) -> Vec<String> {
    if needs.is_empty() {
        return vec!["allow = []".to_owned()];
    }
    let lines = needs.iter().map(|need| format!("  \"{need}\","));
    std::iter::once("allow = [".to_owned())
        .chain(lines)
        .chain(std::iter::once("]".to_owned()))
        .collect()
}

fn methods(codes: &[u8]) -> String {
    let name = |code: &u8| match code {
        1 => "GET".to_owned(),
        2 => "POST".to_owned(),
        3 => "PUT".to_owned(),
        4 => "DELETE".to_owned(),
        5 => "FETCH".to_owned(),
        6 => "PATCH".to_owned(),
        7 => "iPATCH".to_owned(),
        other => coap::code::Dotted(*other).to_string(),
    };
    codes.iter().map(name).collect::<Vec<_>>().join(",")
}

fn formats(link: &Link) -> String {
    let list = |numbers: &[u16]| {
        let numbers: Vec<_> = numbers.iter().map(u16::to_string).collect();
        numbers.join(",")
    };
    let parts = [
        (!link.accepts.is_empty()).then(|| format!("accepts {}", list(&link.accepts))),
        (!link.produces.is_empty()).then(|| format!("produces {}", list(&link.produces))),
        link.observable.then(|| "observable".to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_in_columns_and_hostile_names_stay_on_their_line() {
        let link = |path: Vec<Segment>, methods: &[u8], observable| Link {
            path,
            methods: methods.to_vec(),
            accepts: vec![60, 50],
            produces: vec![60],
            observable,
            attributes: vec![],
        };
        let room = Segment::Capture("room".into());
        let lines = links(&[
            link(
                vec![Segment::Literal("send".into()), room, Segment::Rest],
                &[3],
                false,
            ),
            link(vec![], &[1, 5], true),
            link(vec![Segment::Literal("a\nok".into())], &[9], false),
        ]);
        assert_eq!(
            lines,
            [
                "PUT        /send/{room}/…  accepts 60,50  produces 60",
                "GET,FETCH  /               accepts 60,50  produces 60  observable",
                "0.09       /a\\u{a}ok       accepts 60,50  produces 60",
            ]
        );
    }

    #[test]
    fn needs_are_lines_of_toml() {
        let text = "PUT any standard /_matrix/client/v3/rooms/*/send/**";
        let lines = allow(&[text.parse().unwrap()]);
        let table: toml::Table = lines.join("\n").parse().unwrap();
        assert_eq!(table["allow"].as_array().unwrap()[0].as_str(), Some(text));
        assert_eq!(allow(&[]), ["allow = []"]);
    }
}
