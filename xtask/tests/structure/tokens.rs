//! The names in a Rust file: modules, items, imports and paths. Tokens suffice, and those of macros are among them.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// `std::fs` as `["std", "fs"]`.
pub type Path = Vec<String>;

/// One name of a `use`.
#[derive(Debug, PartialEq)]
pub struct Import {
    pub path: Path,
    /// The name in the importing module; `*` for all.
    pub name: String,
    /// `pub`, with or without a restriction.
    pub is_public: bool,
}

/// The names of a module.
#[derive(Debug, Default)]
pub struct Names {
    /// Modules in files of their own.
    pub modules: Vec<String>,
    /// Modules in braces.
    pub inline: Vec<(String, Names)>,
    pub items: BTreeSet<String>,
    pub imports: Vec<Import>,
    /// Paths of two or more names, and single names, outside of imports.
    pub paths: BTreeSet<Path>,
}

/// Without the parts that are compiled for tests only: a test may use any file.
pub fn names(source: &str) -> Names {
    let stream: TokenStream = source.parse().expect("this file is Rust");
    let mut names = Names::default();
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    if !tokens
        .windows(3)
        .any(|three| is_punct(&three[1], '!') && is_for_tests(&three[2]))
    {
        names.scan(&tokens, true);
    }
    names
}

impl Names {
    /// `is_module`: whether these are the items of the module, and not the inside of one of them.
    fn scan(&mut self, tokens: &[TokenTree], is_module: bool) {
        let mut at = 0;
        let mut is_public = false;
        while let Some(token) = tokens.get(at) {
            let next = tokens.get(at + 1);
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    let is_skipped = next.is_some_and(is_for_tests);
                    if let Some(TokenTree::Group(attribute)) = next {
                        self.scan_group(attribute);
                    }
                    at += 2;
                    if is_skipped {
                        at = end_of_item(tokens, at);
                    }
                    continue;
                }
                TokenTree::Group(group) => self.scan_group(group),
                TokenTree::Ident(word) => {
                    let word = word.to_string();
                    match (word.as_str(), next) {
                        ("pub", _) => {
                            is_public = true;
                            let is_restricted = matches!(next,
                                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis);
                            at += 1 + usize::from(is_restricted);
                            continue;
                        }
                        ("use", _) => {
                            let end = end_of_item(tokens, at);
                            self.import(&tokens[at + 1..end], &[], is_public);
                            (at, is_public) = (end, false);
                            continue;
                        }
                        ("mod", Some(TokenTree::Ident(name))) => {
                            match tokens.get(at + 2) {
                                Some(TokenTree::Group(body)) => {
                                    let mut inner = Names::default();
                                    inner
                                        .scan(&body.stream().into_iter().collect::<Vec<_>>(), true);
                                    self.inline.push((name.to_string(), inner));
                                }
                                _ => self.modules.push(name.to_string()),
                            }
                            (at, is_public) = (at + 3, false);
                            continue;
                        }
                        (keyword, Some(TokenTree::Ident(name)))
                            if is_module && defines(keyword) =>
                        {
                            self.items.insert(name.to_string());
                        }
                        ("macro_rules", _) if is_module => {
                            self.items
                                .extend(tokens.get(at + 2).map(ToString::to_string));
                        }
                        _ => {}
                    }
                    is_public = false;
                    let (path, end) = path(tokens, at);
                    let is_member = at > 0 && is_punct(&tokens[at - 1], '.');
                    if !is_member {
                        self.paths.insert(path);
                    }
                    at = end;
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
    }

    fn scan_group(&mut self, group: &Group) {
        self.scan(&group.stream().into_iter().collect::<Vec<_>>(), false);
    }

    /// A tree of `use`, without the semicolon.
    fn import(&mut self, tree: &[TokenTree], prefix: &[String], is_public: bool) {
        let mut whole = prefix.to_vec();
        let mut rest = tree;
        loop {
            match rest {
                [TokenTree::Ident(word), ..] => {
                    whole.push(word.to_string());
                    rest = &rest[1..];
                    if let [TokenTree::Ident(keyword), TokenTree::Ident(name), ..] = rest
                        && *keyword == "as"
                    {
                        let name = name.to_string();
                        return self.imports.push(Import {
                            path: whole,
                            name,
                            is_public,
                        });
                    }
                }
                [TokenTree::Punct(punct), ..] if punct.as_char() == ':' => rest = &rest[1..],
                [TokenTree::Punct(punct), ..] if punct.as_char() == '*' => {
                    let name = "*".to_owned();
                    return self.imports.push(Import {
                        path: whole,
                        name,
                        is_public,
                    });
                }
                [TokenTree::Group(group), ..] => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    for part in inner.split(|token| is_punct(token, ',')) {
                        self.import(part, &whole, is_public);
                    }
                    return;
                }
                _ => break,
            }
        }
        // `a::{self}` imports `a`.
        whole.pop_if(|last| last == "self");
        if let Some(name) = whole.last().cloned() {
            self.imports.push(Import {
                path: whole,
                name,
                is_public,
            });
        }
    }
}

/// The path that begins with the word at `at`, and the index after it.
fn path(tokens: &[TokenTree], at: usize) -> (Path, usize) {
    let mut path = vec![tokens[at].to_string()];
    let mut at = at + 1;
    while let [colon, second, TokenTree::Ident(word), ..] = &tokens[at..]
        && is_punct(colon, ':')
        && is_punct(second, ':')
    {
        path.push(word.to_string());
        at += 3;
    }
    (path, at)
}

/// The index after the next semicolon or the next braces.
pub fn end_of_item(tokens: &[TokenTree], from: usize) -> usize {
    let is_use = matches!(&tokens.get(from), Some(TokenTree::Ident(word)) if *word == "use");
    let ends = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && !is_use,
        token => is_punct(token, ';') || is_punct(token, ',') && !is_use,
    };
    let end = tokens[from..].iter().position(ends);
    end.map_or(tokens.len(), |end| from + end + 1)
}

fn defines(keyword: &str) -> bool {
    [
        "struct", "enum", "union", "trait", "type", "fn", "const", "static",
    ]
    .contains(&keyword)
}

pub fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

/// `[cfg(test)]`, alone or among others.
pub fn is_for_tests(attribute: &TokenTree) -> bool {
    let text = attribute.to_string().replace(' ', "");
    text.starts_with("[cfg(test)") || text.starts_with("[cfg(all(test,")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imports(source: &str) -> Vec<String> {
        let names = names(source);
        let public = |one: &Import| if one.is_public { "pub " } else { "" };
        let imports = names.imports.iter();
        imports
            .map(|one| format!("{}{} as {}", public(one), one.path.join("::"), one.name))
            .collect()
    }

    #[test]
    fn a_tree_of_imports_becomes_a_list() {
        let source = "pub(crate) use super::{a::B as C, d::{self, E}, f::*}; use g as _;";
        let expected = [
            "pub super::a::B as C",
            "pub super::d as d",
            "pub super::d::E as E",
            "pub super::f as *",
            "g as _",
        ];
        assert_eq!(imports(source), expected);
    }

    #[test]
    fn paths_are_found_in_functions_and_in_macros() {
        let names = names("fn f() { vec![crate::a::b(1)]; super::C::new().d(); e!(g::H) }");
        for path in ["crate::a::b", "super::C::new", "g::H"] {
            assert!(
                names
                    .paths
                    .contains(&path.split("::").map(str::to_owned).collect::<Path>()),
                "{path}"
            );
        }
        assert!(!names.paths.contains(&vec!["d".to_owned()]));
    }

    #[test]
    fn code_compiled_for_tests_only_is_skipped() {
        let source = "#[cfg(test)] use a::B; #[cfg(test)] mod tests; #[cfg(test)] mod more { use c::D; } use e::F;";
        assert_eq!(imports(source), ["e::F as F"]);
        assert!(names(source).modules.is_empty());
        assert!(imports("#![cfg(test)] use a::B;").is_empty());
    }

    #[test]
    fn items_and_modules_have_their_names() {
        let names = names(
            "mod a; pub mod b { struct C; } pub(super) const fn d() { fn e() {} } macro_rules! f { () => {} }",
        );
        assert_eq!(names.modules, ["a"]);
        assert!(names.inline[0].1.items.contains("C"));
        assert!(["d", "f"].iter().all(|name| names.items.contains(*name)));
        assert!(!names.items.contains("e"));
    }
}
