//! What can be wrong with a history file: one line that names the file, and the line and field where there are any.

use std::fmt;

/// A history file that can not be imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportError {
    /// Path of the file.
    pub file: String,
    /// Line, from 1; none when it is about the whole file.
    pub line: Option<u64>,
    /// What is wrong, and what to do.
    pub what: String,
}

impl ImportError {
    /// About a whole file.
    #[must_use]
    pub fn of_file(file: &str, what: impl fmt::Display) -> Self {
        Self { file: file.to_owned(), line: None, what: what.to_string() }
    }

    /// About one line of it.
    #[must_use]
    pub fn at(file: &str, line: u64, what: impl fmt::Display) -> Self {
        Self { file: file.to_owned(), line: Some(line), what: what.to_string() }
    }
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}: line {line}: {}", self.file, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

impl std::error::Error for ImportError {}
