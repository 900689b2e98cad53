//! The files of the clone that the text rules look at, and what a rule says about them.

use std::fmt;
use std::fs;
use std::path::Path;

/// Larger files are data, not something that a person reads.
const BYTES_MAX: u64 = 1 << 20;

/// A text file, with its path relative to the root and `/` between the parts.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn is_rust(&self) -> bool {
        self.has_extension("rs")
    }

    pub(crate) fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }
}

/// A broken rule; line 0 stands for the whole file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl Finding {
    pub(crate) fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.message),
            line => write!(f, "{}:{line}: {}", self.path, self.message),
        }
    }
}

/// All text files below `root`, sorted by path.
///
/// This walks the folders instead of asking git, which refuses to answer in a clone that belongs to
/// another user.
pub(crate) fn read_all(root: &Path) -> Result<Vec<File>, String> {
    let mut files = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(root.join(&folder)).map_err(|e| format!("{folder}: {e}"))?;
        for entry in entries {
            let entry = entry.map_err(|e| format!("{folder}: {e}"))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            let kind = entry.file_type().map_err(|e| format!("{path}: {e}"))?;
            if kind.is_dir() && is_ours(&path) {
                folders.push(path);
            } else if kind.is_file() && path != ".git" {
                files.extend(read(root, path)?);
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Everything but what tools leave behind, the same list as in `.gitignore`.
fn is_ours(folder: &str) -> bool {
    let left_by_tools = [
        "target",
        "tests/fuzz/target",
        "tests/fuzz/artifacts",
        "tests/fuzz/corpus",
        "tests/fuzz/coverage",
    ];
    let hidden = folder.starts_with('.') && ![".ci", ".cargo"].contains(&folder);
    !hidden && !left_by_tools.contains(&folder)
}

/// `None` for what is no text, or too large to be meant for people.
fn read(root: &Path, path: String) -> Result<Option<File>, String> {
    let full = root.join(&path);
    let bytes = fs::metadata(&full).map_err(|e| format!("{path}: {e}"))?.len();
    if bytes > BYTES_MAX {
        return Ok(None);
    }
    let content = fs::read(&full).map_err(|e| format!("{path}: {e}"))?;
    Ok(String::from_utf8(content).ok().map(|text| File { path, text }))
}
