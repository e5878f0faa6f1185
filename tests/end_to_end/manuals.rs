//! The READMEs: their links lead to files and headings, their commands exist, and the manual lists every setting.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use comatrix_tests::gateway;
use comatrix_tests::places::{self, Scratch};

const MANUALS: [&str; 7] = [
    "README.md",
    "guest/README.md",
    "guest/msc3079/README.md",
    "host/README.md",
    "host/coap/README.md",
    "host/devices.md",
    "tests/README.md",
];

fn read(manual: &str) -> String {
    let path = places::workspace().join(manual);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Prose and code blocks of a manual, each with the language of the block; none for prose.
fn parts(text: &str) -> impl Iterator<Item = (Option<&str>, &str)> {
    text.split("```")
        .enumerate()
        .map(|(index, part)| match index % 2 {
            0 => (None, part),
            _ => {
                let (language, code) = part.split_once('\n').unwrap_or((part, ""));
                (Some(language.trim()), code)
            }
        })
}

fn prose(text: &str) -> String {
    parts(text)
        .filter(|(language, _)| language.is_none())
        .map(|(_, part)| part)
        .collect()
}

fn blocks<'a>(text: &'a str, wanted: &str) -> Vec<&'a str> {
    let blocks = parts(text).filter(|(language, _)| *language == Some(wanted));
    blocks.map(|(_, code)| code).collect()
}

/// The texts between a mark and the next other one.
fn between<'a>(mut text: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    while let Some((_, rest)) = text.split_once(start)
        && let Some((inner, rest)) = rest.split_once(end)
    {
        found.push(inner);
        text = rest;
    }
    found
}

/// The anchors of a manual's headings, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let prose = prose(text);
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title
                .chars()
                .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
            kept.collect::<String>().replace(' ', "-")
        })
        .collect()
}

/// The lines of shell in the manuals that begin with this program; a line that ends with a backslash continues.
fn commands(text: &str, program: &str) -> Vec<String> {
    let code = blocks(text, "sh").concat().replace("\\\n", " ");
    let lines = code
        .lines()
        .map(|line| line.split(" #").next().unwrap_or(line).trim());
    let lines = lines.filter(|line| {
        line.split(' ')
            .take(program.split(' ').count())
            .eq(program.split(' '))
    });
    lines.map(str::to_owned).collect()
}

fn help(arguments: &[&str]) -> String {
    let output = gateway::run(&[arguments, &["--help"]].concat());
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The words of a text that are options in long form.
fn options(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !(letter.is_ascii_lowercase() || letter == '-'));
    let long = words.filter(|word| word.starts_with("--") && word.len() > 2);
    long.map(str::to_owned).collect()
}

#[test]
fn links_lead_to_files_and_headings_that_exist() {
    for manual in MANUALS {
        let text = read(manual);
        let prose = prose(&text);
        let targets = between(&prose, "](", ")");
        for target in targets.iter().filter(|target| !target.contains("://")) {
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let folder = Path::new(manual).parent().unwrap_or(Path::new(""));
            let file = match path {
                "" => places::workspace().join(manual),
                path => places::workspace().join(folder).join(path),
            };
            assert!(
                file.exists(),
                "{manual} links to {target}, which is not there"
            );
            if !anchor.is_empty() {
                let linked = fs::read_to_string(&file).expect("a heading is in a file");
                assert!(
                    anchors(&linked).contains(anchor),
                    "{manual}: no heading {target}"
                );
            }
        }
    }
}

#[test]
fn the_architecture_names_files_that_exist() {
    let text = prose(&read("tests/README.md"));
    let (_, architecture) = text.split_once("## Architecture").expect("the section");
    let mut count = 0;
    for name in between(architecture, "`", "`") {
        if !name.ends_with(".rs") {
            continue;
        }
        count += 1;
        let is_there = places::workspace().join(name).exists();
        assert!(is_there, "tests/README.md names {name}, which is not there");
    }
    assert!(
        count > 20,
        "{count} files are few for two ways through the gateway"
    );
}

#[test]
fn the_front_page_is_short_and_lines_fit_a_terminal() {
    let bytes = read("README.md").len();
    assert!(bytes <= 14_000, "README.md has {bytes} bytes");
    for manual in MANUALS {
        for line in read(manual).lines() {
            assert!(line.chars().count() <= 120, "{manual}: {line}");
        }
    }
}

#[test]
fn commands_in_the_manuals_have_the_options_that_they_are_given() {
    let mut count = 0;
    for manual in MANUALS {
        for line in commands(&read(manual), "comatrix-gateway") {
            let words = line.split(' ').skip(1);
            let command: Vec<&str> = words
                .take_while(|word| word.bytes().all(|byte| byte.is_ascii_lowercase()))
                .take(2)
                .collect();
            let listed = options(&help(&command));
            for option in options(&line) {
                assert!(
                    listed.contains(&option),
                    "{manual}: {line}: no option {option}"
                );
            }
            count += 1;
        }
    }
    assert!(count > 20, "{count} commands are few for six manuals");
}

#[test]
fn developer_commands_in_the_manuals_exist() {
    let xtask = gateway::full().with_file_name("xtask");
    let help = Command::new(xtask)
        .arg("help")
        .output()
        .expect("it is built");
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    for manual in MANUALS {
        for line in commands(&read(manual), "cargo xtask") {
            let command = line.split(' ').nth(2).expect("a command");
            let is_listed = help
                .lines()
                .any(|line| line.trim().split(' ').next() == Some(command));
            assert!(is_listed, "{manual}: {line}: {help}");
        }
    }
}

#[test]
fn every_option_of_the_gateway_is_in_the_manual() {
    let manual = read("host/README.md");
    let listed = options(&manual);
    for option in options(&help(&[])) {
        let is_general = option == "--help" || option == "--version";
        assert!(
            is_general || listed.contains(&option),
            "host/README.md lacks {option}"
        );
    }
}

/// The gateway's message about this configuration file. It never serves with it: the address is none.
fn complaint(scratch: &Scratch, toml: &str) -> String {
    let file = scratch.write("gateway.toml", toml).display().to_string();
    let output = gateway::run(&["--config", &file, "--ip", "nowhere"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn every_setting_of_the_file_is_in_the_manual() {
    let manual = read("host/README.md");
    let scratch = Scratch::new("manual-settings");
    let mut count = 0;
    for table in [
        "",
        "[[homeserver]]",
        "[[rule]]",
        "[rules]",
        "[[rule]]\nname = \"x\"\n[rule.limits]",
        "[coap]",
        "[limits]",
    ] {
        let complaint = complaint(&scratch, &format!("{table}\nno_such_setting = 1\n"));
        let (_, expected) = complaint.split_once("expected").expect(&complaint);
        for setting in between(expected, "`", "`") {
            let is_there = manual.contains(&format!("`{setting}`"))
                || manual.contains(&format!("`[{setting}"))
                || manual.contains(&format!("`[[{setting}"));
            assert!(is_there, "host/README.md lacks {setting} of {table:?}");
            count += 1;
        }
    }
    assert!(count > 60, "{count} settings");
}

#[test]
fn the_gateway_reads_every_configuration_in_the_manuals() {
    let scratch = Scratch::new("manual-configurations");
    for manual in MANUALS {
        for block in blocks(&read(manual), "toml") {
            let complaint = complaint(&scratch, block);
            assert!(
                complaint.contains("nowhere"),
                "{manual}: {block}{complaint}"
            );
        }
    }
}
