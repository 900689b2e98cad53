//! House rules that rustfmt and clippy do not know: headers, sizes, left-overs, white space, paths.

use crate::code;
use crate::files::{File, Finding};

/// Lines of a file, without its tests.
const FILE_LINES_MAX: usize = 500;
/// Lines of a function, from its name to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;
/// Comment of a file that is one long list: lists may be longer, logic may not.
const LIST_MARKER: &str = "// tidy: list";

/// Code that must not be committed: unfinished, silenced, or waiting for the clock.
const LEFT_OVERS: &[&str] =
    &["todo!", "unimplemented!", "dbg!", "#[ignore", "should_panic", "thread::sleep"];
/// Roots of paths that exist on one machine only. Cut in two, so that this list is not a finding.
const MACHINE_PATHS: &[&str] =
    &[concat!("/wor", "k/"), concat!("/roo", "t/"), concat!("/hom", "e/")];
/// Files in which white space at the end of a line is an error.
const TRIMMED: &[&str] = &["rs", "md", "toml"];

/// All rules on all files.
pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    files.iter().flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let mut findings = machine_paths(file);
    if TRIMMED.iter().any(|extension| file.has_extension(extension)) {
        findings.extend(trailing_space(file));
    }
    if file.is_rust() {
        let code = code::blank(&file.text);
        findings.extend(header(file));
        findings.extend(file_length(file));
        findings.extend(function_lengths(file, &code));
        findings.extend(left_overs(file, &code));
    }
    findings
}

fn header(file: &File) -> Option<Finding> {
    let bad = !file.text.starts_with("//! ");
    bad.then(|| Finding::new(&file.path, 1, "does not start with a `//!` line: what and why"))
}

fn file_length(file: &File) -> Option<Finding> {
    let lines: Vec<&str> = file.text.lines().collect();
    if lines.contains(&LIST_MARKER) || file.path.ends_with("/tests.rs") {
        return None;
    }
    let count = lines.len() - test_lines(&lines);
    let message = format!("{count} lines without tests, at most {FILE_LINES_MAX}");
    (count > FILE_LINES_MAX).then(|| Finding::new(&file.path, 0, message))
}

/// Lines of `#[cfg(test)] mod tests { … }`, attributes included; rustfmt ends it in column 1.
fn test_lines(lines: &[&str]) -> usize {
    let Some(start) = lines.iter().position(|line| *line == "#[cfg(test)]") else {
        return 0;
    };
    let body = lines[start..].iter().find(|line| !line.starts_with("#["));
    if body != Some(&"mod tests {") {
        return 0;
    }
    let end = lines[start..].iter().position(|line| *line == "}");
    end.map_or(0, |end| end + 1)
}

fn function_lengths(file: &File, code: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut from = 0;
    while let Some(found) = code::find_word(&code[from..], "fn") {
        let at = from + found;
        from = at + "fn".len();
        let Some(name) = function_name(&code[from..]) else { continue };
        let count = body_end(&code[from..]).map_or(0, |end| lines_in(&code[from..from + end]));
        if count > FUNCTION_LINES_MAX {
            let message = format!("`fn {name}` has {count} lines, at most {FUNCTION_LINES_MAX}");
            findings.push(Finding::new(&file.path, lines_in(&code[..at]), message));
        }
    }
    findings
}

/// The name behind `fn`; `None` for a pointer type such as `fn(u8)`.
fn function_name(behind: &str) -> Option<&str> {
    let name = behind.strip_prefix(' ')?;
    let end = name.find(['(', '<', ' ', '\n'])?;
    (end > 0).then(|| &name[..end])
}

/// Where the brace that closes the body stands; `None` for a declaration, which has no body.
fn body_end(code: &str) -> Option<usize> {
    let mut brackets = 0_u32;
    let mut braces = 0_u32;
    for (at, byte) in code.bytes().enumerate() {
        match byte {
            b'(' | b'[' => brackets += 1,
            b')' | b']' => brackets = brackets.saturating_sub(1),
            b'{' => braces += 1,
            b'}' if braces <= 1 => return Some(at),
            b'}' => braces -= 1,
            // A semicolon in brackets is that of an array's length.
            b';' if brackets == 0 && braces == 0 => return None,
            _ => {}
        }
    }
    None
}

/// Lines that a text touches.
fn lines_in(text: &str) -> usize {
    text.matches('\n').count() + 1
}

fn left_overs(file: &File, code: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in code.lines().enumerate() {
        for needle in LEFT_OVERS.iter().filter(|needle| code::find_word(line, needle).is_some()) {
            findings.push(Finding::new(&file.path, index + 1, format!("`{needle}`")));
        }
    }
    findings
}

fn trailing_space(file: &File) -> Vec<Finding> {
    let lines = file.text.split('\n').enumerate();
    lines
        .filter(|(_, line)| line.ends_with(char::is_whitespace))
        .map(|(index, _)| Finding::new(&file.path, index + 1, "white space at the end"))
        .collect()
}

fn machine_paths(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for path in MACHINE_PATHS.iter().filter(|path| starts_path(line, path)) {
            let message = format!("`{path}` is a path on one machine");
            findings.push(Finding::new(&file.path, index + 1, message));
        }
    }
    findings
}

/// Whether `path` stands in `line` as the start of a path, not as the middle of `src/work/x`.
fn starts_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "_-.~$})*".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(path: &str, text: &str) -> Vec<String> {
        let file = File { path: path.to_owned(), text: text.to_owned() };
        check(&[file]).into_iter().map(|finding| finding.to_string()).collect()
    }

    /// The messages for a Rust file with this text below its header.
    fn rust(text: &str) -> Vec<String> {
        messages("a.rs", &format!("//! A.\n{text}"))
    }

    /// A function that takes `lines` lines.
    fn function(lines: usize) -> String {
        format!("fn long(\n) {{\n{}}}\n", "    step();\n".repeat(lines - 3))
    }

    #[test]
    fn a_sound_file_passes() {
        assert!(rust("\nfn f() {\n    g();\n}\n").is_empty());
    }

    #[test]
    fn a_file_says_what_it_is() {
        assert_eq!(messages("a.rs", "use std::fmt;\n").len(), 1);
        assert_eq!(messages("a.rs", "").len(), 1);
        assert!(messages("a.md", "Text.\n").is_empty());
    }

    #[test]
    fn files_are_short() {
        let line = "const A: u8 = 1;\n";
        assert!(rust(&line.repeat(FILE_LINES_MAX - 1)).is_empty());
        assert_eq!(rust(&line.repeat(FILE_LINES_MAX)).len(), 1);
        assert!(rust(&format!("{LIST_MARKER}\n{}", line.repeat(FILE_LINES_MAX))).is_empty());
    }

    #[test]
    fn tests_do_not_count_and_nothing_hides_behind_them() {
        let line = "const A: u8 = 1;\n";
        let tests = format!("#[cfg(test)]\nmod tests {{\n    {}}}\n", line.repeat(FILE_LINES_MAX));
        assert!(rust(&tests).is_empty());
        assert_eq!(rust(&(tests + &line.repeat(FILE_LINES_MAX))).len(), 1);
        let file = File { path: "a/tests.rs".to_owned(), text: line.repeat(FILE_LINES_MAX + 1) };
        assert!(file_length(&file).is_none());
        let elsewhere = format!("#[cfg(test)]\nmod tests;\n{}", line.repeat(FILE_LINES_MAX));
        assert_eq!(rust(&elsewhere).len(), 1);
    }

    #[test]
    fn functions_are_short() {
        assert!(rust(&function(FUNCTION_LINES_MAX)).is_empty());
        let found = rust(&function(FUNCTION_LINES_MAX + 1));
        assert_eq!(found, ["a.rs:2: `fn long` has 71 lines, at most 70"]);
    }

    #[test]
    fn braces_in_text_end_no_function() {
        let long = "    f(\"}\", '}'); // }\n".repeat(FUNCTION_LINES_MAX);
        assert_eq!(rust(&format!("fn long() {{\n{long}}}\n")).len(), 1);
    }

    #[test]
    fn declarations_and_pointers_are_no_functions() {
        let far = "const A: u8 = 1;\n".repeat(FUNCTION_LINES_MAX);
        assert!(rust(&format!("trait T {{\n    fn f(&self, a: [u8; 2]);\n{far}}}\n")).is_empty());
        assert!(rust(&format!("struct S {{\n    run: fn(u8) -> u8,\n{far}}}\n")).is_empty());
        assert!(rust(&format!("fn f(a: [u8; 2]) {{}}\n{far}")).is_empty());
    }

    #[test]
    fn nothing_unfinished_or_silenced_is_left() {
        for needle in LEFT_OVERS {
            assert_eq!(rust(&format!("x({needle}())\n")).len(), 1, "{needle}");
            assert!(rust(&format!("// {needle}\n")).is_empty(), "{needle} in a comment");
        }
    }

    #[test]
    fn lines_end_in_no_space() {
        for path in ["a.md", "a.toml"] {
            assert_eq!(messages(path, "a \nb\t\nc\r\n").len(), 3);
        }
        assert_eq!(rust("// A. \n").len(), 1);
        assert!(messages("a.json", "{} \n").is_empty());
    }

    #[test]
    fn machine_paths_stay_out() {
        for path in MACHINE_PATHS {
            assert_eq!(rust(&format!("// see {path}x\n")).len(), 1);
            assert_eq!(messages(".ci/run", &format!("cd {path}x\n")).len(), 1);
            assert_eq!(messages("a.md", &format!("file://{path}x\n")).len(), 1);
            assert!(messages("a.md", &format!("src{path}x, ${{X}}{path}x\n")).is_empty());
        }
    }
}
