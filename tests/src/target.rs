//! The target of a request to a homeserver, in its parts.

/// The segments of a target after the API's version, decoded, and the query.
pub(crate) fn parts(target: &str) -> (Vec<String>, &str) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    (path.split('/').skip(4).map(decoded).collect(), query)
}

/// A field of a query, decoded.
pub(crate) fn field(query: &str, name: &str) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .find(|(key, _)| *key == name)
        .map(|(_, value)| decoded(&value.replace('+', " ")))
}

/// Percent-decoded.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        (rest, bytes) = match (first, byte) {
            (b'%', Some(byte)) => (&tail[2..], [bytes, vec![byte]].concat()),
            _ => (tail, [bytes, vec![*first]].concat()),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
