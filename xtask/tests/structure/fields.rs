//! The fields of a Rust file that can grow: maps, sets, queues, channels, accounts of shares, and some vectors.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::tokens::{end_of_item, is_for_tests, is_punct};

#[cfg(test)]
#[path = "fields_tests.rs"]
mod tests;

/// Types that grow, or through which the sender of something makes another task hold it.
const COLLECTIONS: [&str; 21] = [
    "ArcSwap",
    "ArcSwapOption",
    "BTreeMap",
    "BTreeSet",
    "BinaryHeap",
    "FuturesOrdered",
    "FuturesUnordered",
    "HashMap",
    "HashSet",
    "IndexMap",
    "JoinSet",
    "LinkedList",
    "Receiver",
    "Semaphore",
    "Sender",
    "Shares",
    "SyncSender",
    "Table",
    "UnboundedReceiver",
    "UnboundedSender",
    "VecDeque",
];

/// Methods that make a vector longer.
const GROWS: [&str; 8] = [
    "append",
    "extend",
    "extend_from_slice",
    "insert",
    "push",
    "resize",
    "resize_with",
    "write_all",
];

/// A field of a struct or of an enum's variant.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Field {
    /// `Type::field`, `Type::0`, `Type::Variant::field`.
    pub name: String,
    /// Whether its store must be in a table. Otherwise it is a vector, which may be there.
    pub is_store: bool,
}

/// The types that this file defines as other names of collections.
pub fn aliases(source: &str) -> Vec<String> {
    let mut aliases = Vec::new();
    let tokens = tokens_of(source);
    for (at, token) in tokens.iter().enumerate() {
        if let (true, Some(TokenTree::Ident(name))) = (is_word(token, "type"), tokens.get(at + 1)) {
            let is_end = |token: &TokenTree| is_punct(token, ';');
            let end = tokens[at..].iter().position(is_end);
            let end = end.map_or(tokens.len(), |end| at + end);
            if words(&tokens[at + 2..end]).any(|word| COLLECTIONS.contains(&word.as_str())) {
                aliases.push(name.to_string());
            }
        }
    }
    aliases
}

/// The fields that are collections, without those compiled for tests only. `aliases` are further names of collections.
pub fn fields(source: &str, aliases: &BTreeSet<String>) -> Vec<Field> {
    let tokens = tokens_of(source);
    let mut finder = Finder {
        aliases,
        grown: BTreeSet::new(),
        fields: Vec::new(),
    };
    finder.find_grown(&tokens);
    finder.scan(&tokens);
    finder.fields.sort();
    finder.fields
}

struct Finder<'a> {
    aliases: &'a BTreeSet<String>,
    /// Names of fields that the file makes longer.
    grown: BTreeSet<String>,
    fields: Vec<Field>,
}

/// Which kind of collection a type contains.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Collection,
    Vectors,
    Vector,
}

impl Finder<'_> {
    /// Finds `.field.push(`.
    fn find_grown(&mut self, tokens: &[TokenTree]) {
        for four in tokens.windows(4) {
            if let [
                first,
                TokenTree::Ident(field),
                dot,
                TokenTree::Ident(method),
            ] = four
                && is_punct(first, '.')
                && is_punct(dot, '.')
                && GROWS.contains(&method.to_string().as_str())
            {
                self.grown.insert(field.to_string());
            }
        }
        for token in tokens {
            if let TokenTree::Group(group) = token {
                self.find_grown(&group.stream().into_iter().collect::<Vec<_>>());
            }
        }
    }

    fn scan(&mut self, tokens: &[TokenTree]) {
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let next = tokens.get(at + 1);
            if is_punct(token, '#') && next.is_some_and(is_for_tests) {
                at = end_of_item(tokens, at + 2);
                continue;
            }
            if let Some(TokenTree::Ident(name)) = next {
                let item = definition(&tokens[at..]);
                if is_word(token, "struct") {
                    self.add_fields(&name.to_string(), item);
                } else if is_word(token, "enum") {
                    self.add_variants(&name.to_string(), item);
                }
            }
            if let TokenTree::Group(group) = token {
                self.scan(&group.stream().into_iter().collect::<Vec<_>>());
            }
            at += 1;
        }
    }

    fn add_variants(&mut self, name: &str, item: &[TokenTree]) {
        let Some(TokenTree::Group(body)) = item.last() else {
            return;
        };
        for variant in parts(body.stream()) {
            let is_of_variant = |token: &&TokenTree| matches!(token, TokenTree::Ident(_));
            if let Some(variant_name) = variant.iter().find(is_of_variant) {
                self.add_fields(&format!("{name}::{variant_name}"), &variant);
            }
        }
    }

    /// The fields in the last group of an item: in braces with names, in parentheses without.
    fn add_fields(&mut self, name: &str, item: &[TokenTree]) {
        let is_body = |token: &&TokenTree| {
            matches!(token, TokenTree::Group(group)
                if matches!(group.delimiter(), Delimiter::Brace | Delimiter::Parenthesis))
        };
        let Some(TokenTree::Group(body)) = item.iter().rev().find(is_body) else {
            return;
        };
        let is_named = body.delimiter() == Delimiter::Brace;
        let mut found = Vec::new();
        for (index, part) in parts(body.stream()).iter().enumerate() {
            let colon = part.iter().position(|token| is_punct(token, ':'));
            let (field, of_type) = match colon.filter(|_| is_named) {
                Some(colon) => (part[colon - 1].to_string(), &part[colon + 1..]),
                None => (index.to_string(), part.as_slice()),
            };
            if let Some(kind) = self.kind(of_type) {
                found.push((field, kind));
            }
        }
        let is_state = found.iter().any(|(_, kind)| *kind == Kind::Collection);
        for (field, kind) in found {
            let is_store = kind != Kind::Vector || is_state || self.grown.contains(&field);
            self.fields.push(Field {
                name: format!("{name}::{field}"),
                is_store,
            });
        }
    }

    fn kind(&self, of_type: &[TokenTree]) -> Option<Kind> {
        let is_collection =
            |word: String| COLLECTIONS.contains(&word.as_str()) || self.aliases.contains(&word);
        let vectors = words(of_type).filter(|word| word == "Vec").count();
        // A borrowed collection belongs to somebody else.
        if of_type.first().is_some_and(|token| is_punct(token, '&')) {
            None
        } else if words(of_type).any(is_collection) {
            Some(Kind::Collection)
        } else {
            match vectors {
                0 => None,
                1 => Some(Kind::Vector),
                _ => Some(Kind::Vectors),
            }
        }
    }
}

fn tokens_of(source: &str) -> Vec<TokenTree> {
    let stream: TokenStream = source.parse().expect("this file is Rust");
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let is_for_tests_alone = tokens
        .windows(3)
        .any(|three| is_punct(&three[1], '!') && is_for_tests(&three[2]));
    if is_for_tests_alone {
        Vec::new()
    } else {
        tokens
    }
}

/// A struct or an enum without what follows it.
fn definition(tokens: &[TokenTree]) -> &[TokenTree] {
    let ends = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        token => is_punct(token, ';'),
    };
    let end = tokens.iter().position(ends);
    &tokens[..end.map_or(tokens.len(), |end| end + 1)]
}

/// All words of a type, those in parentheses included.
fn words(tokens: &[TokenTree]) -> impl Iterator<Item = String> {
    let mut words = Vec::new();
    add_words(tokens, &mut words);
    words.into_iter()
}

fn add_words(tokens: &[TokenTree], words: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                add_words(&group.stream().into_iter().collect::<Vec<_>>(), words);
            }
            TokenTree::Ident(word) => words.push(word.to_string()),
            _ => {}
        }
    }
}

/// Splits at the commas that are not between angle brackets; without attributes and `pub(...)`.
fn parts(stream: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut parts = vec![Vec::new()];
    let mut depth = 0;
    let mut before = ' ';
    let mut tokens = stream.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if is_punct(&token, '#') || is_word(&token, "pub") {
            tokens.next_if(|next| matches!(next, TokenTree::Group(_)));
            continue;
        }
        if is_punct(&token, '<') {
            depth += 1;
        } else if is_punct(&token, '>') && before != '-' {
            depth -= 1;
        } else if is_punct(&token, ',') && depth == 0 {
            parts.push(Vec::new());
            continue;
        }
        before = match &token {
            TokenTree::Punct(punct) => punct.as_char(),
            _ => ' ',
        };
        if let Some(last) = parts.last_mut() {
            last.push(token);
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn is_word(token: &TokenTree, wanted: &str) -> bool {
    matches!(token, TokenTree::Ident(word) if *word == wanted)
}
