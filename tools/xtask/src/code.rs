//! Rust source with its comments and literals blanked, so that a text rule sees only code.
//!
//! Without this, prose such as "unknown is unsafe" or a brace in a test string would count.

/// The same text, line by line as long, with spaces for comments, strings and characters.
pub(crate) fn blank(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_end(bytes, at);
        if end == at {
            out.push(bytes[at]);
            at += 1;
        } else {
            out.extend(bytes[at..end].iter().map(|&b| if b == b'\n' { b } else { b' ' }));
            at = end;
        }
    }
    // Literals are blanked whole, so no character is ever cut in two.
    String::from_utf8_lossy(&out).into_owned()
}

/// One past the comment or literal that starts at `at`; `at` itself when none does.
fn literal_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    match rest {
        [b'/', b'/', ..] => at + find(rest, b"\n").unwrap_or(rest.len()),
        [b'/', b'*', ..] => at + comment_length(rest),
        [b'"', ..] => at + string_length(rest),
        [b'r', b'"' | b'#', ..] if starts_word(bytes, at) => at + raw_string_length(rest),
        [b'\'', ..] => at + char_length(rest),
        _ => at,
    }
}

/// True when `r` at `at` is not the end of a name. The prefixes of `br"` and `cr"` are no name.
fn starts_word(bytes: &[u8], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).map(|index| bytes[index]);
    match before(1) {
        Some(b'b' | b'c') => !before(2).is_some_and(is_word),
        Some(byte) => !is_word(byte),
        None => true,
    }
}

/// Block comments nest.
fn comment_length(rest: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn string_length(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Zero for a raw name such as `r#type`.
fn raw_string_length(rest: &[u8]) -> usize {
    let hashes = rest[1..].iter().take_while(|&&b| b == b'#').count();
    let opening = hashes + 2;
    if rest.get(opening - 1) != Some(&b'"') {
        return 0;
    }
    let closing = [b"\"".as_slice(), &vec![b'#'; hashes]].concat();
    find(&rest[opening..], &closing).map_or(rest.len(), |at| opening + at + closing.len())
}

/// Zero for a lifetime.
fn char_length(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        return rest[3.min(rest.len())..]
            .iter()
            .position(|&b| b == b'\'')
            .map_or(rest.len(), |at| at + 4);
    }
    // A character is one to four bytes long; a lifetime has no quote behind its first letter.
    let longest = rest.len().min(6);
    let first_end = (2..longest).find(|&at| rest[at] & 0b1100_0000 != 0b1000_0000);
    first_end.filter(|&at| rest[at] == b'\'').map_or(0, |at| at + 1)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Where `needle` stands in `text` and neither end of it is in the middle of a name.
pub(crate) fn find_word(text: &str, needle: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let inside = |a: Option<&u8>, b: Option<&u8>| {
        a.is_some_and(|&a| is_word(a)) && b.is_some_and(|&b| is_word(b))
    };
    text.match_indices(needle).map(|(at, _)| at).find(|&at| {
        let end = at + needle.len();
        let before = at.checked_sub(1).and_then(|index| bytes.get(index));
        !inside(before, bytes.get(at)) && !inside(bytes.get(end - 1), bytes.get(end))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn blanks(source: &str, expected: &str) {
        assert_eq!(blank(source), expected);
    }

    #[test]
    fn comments_go_and_lines_stay() {
        blanks("a // b\nc", "a     \nc");
        blanks("a /* b /* c\n */ d */ e", "a          \n         e");
        blanks("a /* never closed", "a                ");
        blanks("//! ünsafe\nx", "           \nx");
    }

    #[test]
    fn strings_go() {
        blanks(r#"f("a \" } b") }"#, r"f(          ) }");
        blanks("f(r\"\\\") }", "f(    ) }");
        blanks("f(r#\"a\"b\"#) }", "f(        ) }");
        blanks("f(br#\"{\"#, b\"{\")", "f(b      , b   )");
        blanks("\"never closed", "             ");
        blanks("let r#type = bar#x;", "let r#type = bar#x;");
    }

    #[test]
    fn characters_go_and_lifetimes_stay() {
        blanks(r"['{', '\'', '\u{7d}', 'é', '\\']", "[   ,     ,         ,     ,     ]");
        blanks("fn f<'a>(x: &'a str, y: &'static str)", "fn f<'a>(x: &'a str, y: &'static str)");
        blanks("'", "'");
        blanks(r"'\", "  ");
    }

    #[test]
    fn words_are_whole() {
        assert_eq!(find_word("unsafe_code unsafe", "unsafe"), Some(12));
        assert_eq!(find_word("unsafely", "unsafe"), None);
        assert_eq!(find_word("xdbg!(1)", "dbg!"), None);
        assert_eq!(find_word("(dbg!(1))", "dbg!"), Some(1));
    }
}
