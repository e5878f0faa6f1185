//! The files of a new rule. They include the SDK and the contract that this gateway was built from, so that a rule can
//! be built without the gateway's sources.

/// Path below the new folder, and content. The build script collects them from `guest/sdk`, `wit` and `Cargo.lock` (the
/// versions of dependencies that this gateway was tested with).
const SDK: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sdk_files.rs"));

/// Files with the placeholders `{name}`, `{library}` and `{version}`.
const CRATE: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("template/Cargo.toml.in")),
    ("README.md", include_str!("template/README.md.in")),
    ("src/lib.rs", include_str!("template/lib.rs.in")),
    ("tests/vectors.rs", include_str!("template/vectors.rs.in")),
];

const CASE: &str = "vectors/a_text_becomes_a_message";

/// Path below the new folder, and content, of every file of the rule `name`.
pub(super) fn files(name: &str) -> Vec<(String, String)> {
    let library = library(&package(name));
    let fill = |text: &str| {
        text.replace("{name}", name)
            .replace("{library}", &library)
            .replace("{version}", env!("CARGO_PKG_VERSION"))
    };
    let filled = CRATE
        .iter()
        .map(|(path, text)| ((*path).to_owned(), fill(text)));
    let case = [
        ("request.json", include_str!("template/request.json")),
        ("calls.json", include_str!("template/calls.json")),
        ("reply.json", include_str!("template/reply.json")),
    ];
    let case = case.map(|(file, text)| (format!("{CASE}/{file}"), text.to_owned()));
    let ignored = (
        ".gitignore".to_owned(),
        "/target\n/*.wasm\n/*.key\n".to_owned(),
    );
    let sdk = SDK
        .iter()
        .map(|(path, text)| ((*path).to_owned(), in_place(path, text)));
    filled.chain(case).chain([ignored]).chain(sdk).collect()
}

/// The package of the rule `name`. The suffix avoids names of crates in the registry and Rust's keywords.
pub(super) fn package(name: &str) -> String {
    format!("{name}-rule")
}

/// The name of a package's library.
pub(super) fn library(package: &str) -> String {
    package.replace('-', "_")
}

/// Adapts the path of the contract, which differs from the gateway's sources.
fn in_place(path: &str, text: &str) -> String {
    match path {
        "sdk/src/bindings.rs" => text.replace("path: \"../../wit\"", "path: \"wit\""),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> String {
        let files = files("meadow");
        let found = files.into_iter().find(|(of_file, _)| of_file == path);
        found.map_or_else(|| panic!("no {path}"), |(_, text)| text)
    }

    #[test]
    fn a_new_rule_is_complete_and_has_less_than_40_lines() {
        assert!(file("src/lib.rs").lines().count() < 40);
        for path in [
            "Cargo.lock",
            "sdk/Cargo.toml",
            "sdk/src/lib.rs",
            "sdk/src/rule/mod.rs",
            "sdk/wit/types.wit",
        ] {
            assert!(!file(path).is_empty());
        }
        assert!(file("Cargo.toml").contains("name = \"meadow-rule\""));
        assert!(file("tests/vectors.rs").contains("&meadow_rule::RULE"));
        assert!(file("sdk/src/bindings.rs").contains("path: \"wit\""));
        for (path, text) in files("meadow")
            .iter()
            .filter(|(path, _)| !path.starts_with("sdk/"))
        {
            for placeholder in ["{name}", "{library}", "{version}"] {
                assert!(!text.contains(placeholder), "{path}");
            }
        }
    }
}
