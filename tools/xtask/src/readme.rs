//! The test command, as README.md states it: what people are told to run is what the check runs.

/// The line above the fenced block with the command.
const MARKER: &str = "<!-- test-command -->";
const FENCE_START: &str = "```sh";
const FENCE_END: &str = "```";

/// The one command in the fenced block behind the marker.
pub(crate) fn test_command(readme: &str) -> Result<&str, String> {
    let mut sections = readme.split(MARKER).skip(1);
    let (Some(behind), None) = (sections.next(), sections.next()) else {
        return Err(format!("README.md: the line `{MARKER}` must be there exactly once"));
    };
    let mut lines = behind.lines().map(str::trim_end).skip_while(|line| line.is_empty());
    if lines.next() != Some(FENCE_START) {
        return Err(format!("README.md: no {FENCE_START} block right behind `{MARKER}`"));
    }
    let commands: Vec<&str> = lines.by_ref().take_while(|line| *line != FENCE_END).collect();
    match commands.as_slice() {
        [command] if !command.trim().is_empty() => Ok(command),
        _ => Err(format!("README.md: the block behind `{MARKER}` must hold exactly one command")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_found() {
        let text =
            "# A\n\n<!-- test-command -->\n```sh\ncargo test --workspace\n```\n\n```sh\nx\n```\n";
        assert_eq!(test_command(text), Ok("cargo test --workspace"));
        let spaced = "<!-- test-command -->\n\n```sh\ncargo test\n```";
        assert_eq!(test_command(spaced), Ok("cargo test"));
    }

    #[test]
    fn anything_else_is_an_error() {
        let bad = [
            "",
            "```sh\ncargo test\n```\n",
            "<!-- test-command -->\n",
            "<!-- test-command -->\nRun this:\n```sh\ncargo test\n```\n",
            "<!-- test-command -->\n```\ncargo test\n```\n",
            "<!-- test-command -->\n```sh\n```\n",
            "<!-- test-command -->\n```sh\n\n```\n",
            "<!-- test-command -->\n```sh\na\nb\n```\n",
            "<!-- test-command -->\n```sh\na\n```\n<!-- test-command -->\n```sh\na\n```\n",
        ];
        for text in bad {
            assert!(test_command(text).is_err(), "{text:?}");
        }
    }
}
