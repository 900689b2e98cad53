//! What the stream name of a combined envelope tells: `btcusdt@depth5@100ms`, `!forceOrder@arr`.

use super::unescape;

/// The streams whose name changes what a payload means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamKind {
    /// `@depth5`, `@depth10`, `@depth20`: the payload is the complete top of the book. Only the name
    /// tells it from a diff.
    PartialDepth,
    /// `@rpiDepth`: a book that includes retail-price-improvement orders, another book than ours.
    RpiDepth,
    /// Any other stream: the payload speaks for itself.
    Other,
}

impl StreamKind {
    /// Reads the part behind the first `@` (or the whole name of an all-market stream).
    #[must_use]
    pub fn of(stream: &[u8]) -> Self {
        let channel = match stream.iter().position(|&b| b == b'@') {
            Some(at) if !stream.starts_with(b"!") => &stream[at + 1..],
            _ => stream.strip_prefix(b"!").unwrap_or(stream),
        };
        match channel {
            [b'd', b'e', b'p', b't', b'h', digit, ..] if digit.is_ascii_digit() => {
                Self::PartialDepth
            }
            _ if channel.starts_with(b"rpiDepth") => Self::RpiDepth,
            _ => Self::Other,
        }
    }
}

/// The symbol part of a stream name in upper case, as the exchange writes symbols; `None` for
/// all-market streams and for text that is no stream name. The name is the raw text between its quotes
/// in the frame, which may hold escapes.
#[must_use]
pub fn symbol_of_stream(stream: &[u8]) -> Option<String> {
    let name = unescape(stream)?;
    let (symbol, _) = name.split_once('@')?;
    let named = !symbol.is_empty() && !symbol.starts_with('!');
    named.then(|| symbol.to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_on_the_wire() {
        let cases: [(&str, StreamKind); 10] = [
            ("btcusdt@depth@0ms", StreamKind::Other),
            ("btcusdt@depth", StreamKind::Other),
            ("btcusdt@depth5@100ms", StreamKind::PartialDepth),
            ("ethusdt@depth20", StreamKind::PartialDepth),
            ("btcusdt@depthSnapshot", StreamKind::Other),
            ("btcusdt@rpiDepth@500ms", StreamKind::RpiDepth),
            ("btcusdt@bookTicker", StreamKind::Other),
            ("!bookTicker", StreamKind::Other),
            ("!forceOrder@arr", StreamKind::Other),
            ("", StreamKind::Other),
        ];
        for (name, kind) in cases {
            assert_eq!(StreamKind::of(name.as_bytes()), kind, "{name}");
        }
    }

    #[test]
    fn symbols_of_streams() {
        assert_eq!(symbol_of_stream(b"btcusd_perp@depth@0ms").as_deref(), Some("BTCUSD_PERP"));
        assert_eq!(
            symbol_of_stream("币安人生usdt@trade".as_bytes()).as_deref(),
            Some("币安人生USDT")
        );
        assert_eq!(
            symbol_of_stream(br"\u5e01usdt\u0040depth@0ms").as_deref(),
            Some("\u{5e01}USDT")
        );
        assert_eq!(symbol_of_stream(br"\ud800usdt@depth"), None);
        assert_eq!(symbol_of_stream(br"\xusdt@depth"), None);
        assert_eq!(symbol_of_stream(b"!forceOrder@arr"), None);
        assert_eq!(symbol_of_stream(b"@depth"), None);
        assert_eq!(symbol_of_stream(b"\xff@depth"), None);
    }
}
