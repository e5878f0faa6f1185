//! The texts of the endpoint's own error responses: ASCII, and at most 64 bytes, which is all that the smallest stacks
//! keep of a payload.

use crate::block::ReservedSize;
use crate::block1_error::Block1Error;
use crate::option_bounds::OptionExcess;
use crate::options::BadOption;

/// Literals of the sources that make responses without an error type.
const SOURCES: [&str; 4] = [
    include_str!("../account.rs"),
    include_str!("../assemble.rs"),
    include_str!("../request.rs"),
    include_str!("../sendable.rs"),
];

#[test]
fn every_diagnostic_is_ascii_and_fits_64_bytes() {
    let errors = [
        ReservedSize.to_string(),
        BadOption(65_535).to_string(),
        Block1Error::Incomplete.to_string(),
        Block1Error::TooLarge.to_string(),
        Block1Error::WrongLength.to_string(),
        Block1Error::Full.to_string(),
        OptionExcess::Number.to_string(),
        OptionExcess::Bytes.to_string(),
    ];
    // A text has words; a name of a module or an option has none.
    let code = SOURCES.iter().flat_map(|source| source.lines());
    let code = code.filter(|line| !line.trim_start().starts_with("//"));
    let literals = code.flat_map(|line| line.split('"').skip(1).step_by(2));
    let texts = literals
        .filter(|text| text.contains(' '))
        .map(str::to_owned);
    let texts: Vec<_> = errors.into_iter().chain(texts).collect();
    assert!(texts.len() > 12, "{texts:?}");
    for text in texts {
        assert!(
            text.is_ascii() && text.len() <= 64,
            "{} bytes: {text}",
            text.len()
        );
    }
}
