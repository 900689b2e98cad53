//! The report as one HTML file that needs nothing else: no script, no font, no address, so that it can be read
//! offline and years later.
//!
//! Figures come from the same `Report` as text and JSON: each carries the JSON pointer of its value in `data-key`, and
//! the last section lists every value of the JSON. Charts are SVG, drawn here.

mod charts;
mod figures;
mod page;
mod svg;

use crate::config::Config;
use crate::outcome::Failure;
use crate::report::{Report, Series};

/// The page.
///
/// # Errors
/// Never on a report of this program; kept as an error because a panic would lose the run.
pub fn render(report: &Report, series: &Series, config: &Config) -> Result<String, Failure> {
    let value = serde_json::to_value(report).map_err(Failure::line)?;
    let figures = figures::Figures::new(value);
    Ok(page::page(report, &figures, series, &config.to_toml()))
}

/// Text as it may stand in an element or a quoted attribute.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Not allowed in a document, however it is written.
            '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}' => {
                out.push('\u{fffd}');
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_markup() {
        assert_eq!(
            escape("<script>\"a\" & 'b'</script>\u{0}币"),
            "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;\u{fffd}币"
        );
    }
}
