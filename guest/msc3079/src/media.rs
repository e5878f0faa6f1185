//! Media: bytes of any type, whose type and Content-Format stand for each other.

/// A Content-Format of the registry "CoAP Content-Formats" (RFC 7252 §12.3) and its type.
const TYPES: [(u16, &str); 12] = [
    (0, "text/plain;charset=utf-8"),
    (21, "image/gif"),
    (22, "image/jpeg"),
    (23, "image/png"),
    (40, "application/link-format"),
    (41, "application/xml"),
    (42, "application/octet-stream"),
    (50, "application/json"),
    (60, "application/cbor"),
    (110, "application/senml+json"),
    (112, "application/senml+cbor"),
    (30_000, "image/svg+xml"),
];

/// The type of a Content-Format, if it is one that media may have.
pub fn content_type(format: u32) -> Option<&'static str> {
    let found = TYPES
        .iter()
        .find(|(number, _)| u32::from(*number) == format);
    found.map(|(_, name)| *name)
}

/// The Content-Format of a type, if CoAP has one: letters in any case, and no parameter but `charset=utf-8` of a text.
pub fn content_format(content_type: &[u8]) -> Option<u16> {
    let plain = |text: &[u8]| -> Vec<u8> {
        let bytes = text
            .iter()
            .filter(|byte| !matches!(byte, b' ' | b'\t' | b'"'));
        bytes.map(u8::to_ascii_lowercase).collect()
    };
    let wanted = plain(content_type);
    let wanted: &[u8] = match wanted.as_slice() {
        b"text/plain" => b"text/plain;charset=utf-8",
        b"application/json;charset=utf-8" => b"application/json",
        wanted => wanted,
    };
    let found = TYPES.iter().find(|(_, name)| name.as_bytes() == wanted);
    found.map(|(number, _)| *number)
}

/// Whether a request to this path has media as its body.
pub fn is_upload(path: &[String]) -> bool {
    let mut segments = path.iter().map(String::as_str);
    let is_media = segments.next() == Some("_matrix") && segments.next() == Some("media");
    is_media && segments.nth(1) == Some("upload")
}

/// Whether a success response from this path is media.
pub fn is_download(path: &[String]) -> bool {
    let segments: Vec<&str> = path.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["_matrix", "media", _, kind, ..] | ["_matrix", "client", _, "media", kind, ..] => {
            matches!(*kind, "download" | "thumbnail")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_format_and_its_type_stand_for_each_other() {
        for (number, name) in TYPES {
            assert_eq!(content_type(number.into()), Some(name));
            assert_eq!(content_format(name.as_bytes()), Some(number));
        }
        assert_eq!(content_format(b"Text/Plain; charset=\"UTF-8\""), Some(0));
        assert_eq!(content_format(b"text/plain"), Some(0));
        for unknown in [
            &b"text/plain; charset=latin1"[..],
            b"video/mp4",
            b"",
            b"\xff",
        ] {
            assert_eq!(content_format(unknown), None);
        }
        assert_eq!(content_type(12), None);
    }

    #[test]
    fn media_are_where_the_specification_has_them() {
        for (path, upload, download) in [
            ("_matrix/media/v3/upload", true, false),
            ("_matrix/media/v3/upload/h/id", true, false),
            ("_matrix/media/r0/download/h/id", false, true),
            ("_matrix/media/v3/thumbnail/h/id", false, true),
            ("_matrix/client/v1/media/download/h/id/a.png", false, true),
            ("_matrix/client/v1/media/config", false, false),
            ("_matrix/media/v3/config", false, false),
            ("_matrix/client/v3/sync", false, false),
        ] {
            let path: Vec<String> = path.split('/').map(str::to_owned).collect();
            assert_eq!(
                (is_upload(&path), is_download(&path)),
                (upload, download),
                "{path:?}"
            );
        }
    }
}
