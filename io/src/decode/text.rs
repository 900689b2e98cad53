//! Raw JSON string text to real text. Cold: only symbols beyond ASCII may ever need it.

use std::borrow::Cow;

/// The text behind the raw bytes between two quotes; `None` when they are no valid JSON string.
#[must_use]
pub fn unescape(raw: &[u8]) -> Option<Cow<'_, str>> {
    let text = std::str::from_utf8(raw).ok()?;
    if !raw.contains(&b'\\') {
        return Some(Cow::Borrowed(text));
    }
    serde_json::from_str::<String>(&format!("\"{text}\"")).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn plain_text_is_borrowed_and_escapes_are_resolved() {
        assert_eq!(unescape(b"BTCUSDT").as_deref(), Some("BTCUSDT"));
        assert_eq!(unescape(br"\u5e01USDT").as_deref(), Some("币USDT"));
        assert_eq!(unescape(br"\ud800").as_deref(), None);
        assert_eq!(unescape(b"\xff").as_deref(), None);
    }
}
