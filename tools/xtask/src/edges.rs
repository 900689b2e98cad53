//! Which crate may name which, and which crate may name what.
//!
//! ```text
//!  core <- {io, risk, strategies} <- tools <- {bench, tests}
//! ```

use crate::code;
use crate::files::{File, Finding};
use crate::workspace::Member;

/// Each member with the members that it may name. A new member is added here on purpose.
const EDGES: &[(&str, &[&str])] = &[
    ("fusewire-core", &[]),
    ("fusewire-io", &["fusewire-core"]),
    ("fusewire-risk", &["fusewire-core"]),
    ("fusewire-strategies", &["fusewire-core"]),
    ("fusewire", &["fusewire-core", "fusewire-io", "fusewire-risk", "fusewire-strategies"]),
    ("fusewire-bench", ALL_LIBRARIES),
    ("fusewire-tests", ALL_LIBRARIES),
    ("fusewire-loom-models", &[]),
    ("fusewire-xtask", &[]),
];

const ALL_LIBRARIES: &[&str] =
    &["fusewire-core", "fusewire-io", "fusewire-risk", "fusewire-strategies", "fusewire"];

/// Crates whose output is a function of sequenced events and configuration only.
const DETERMINISTIC: &[&str] = &["core", "risk", "strategies"];
/// What their `lib.rs` says, to turn the bans of `clippy.toml` on.
const DENY: &str = "#![deny(clippy::disallowed_methods, clippy::disallowed_types)]";
/// Lint names that would turn the bans off again. Both bans are in the group `style`.
const BAN_NAMES: &[&str] = &["clippy::disallowed_", "clippy::all", "clippy::style"];

/// The key that makes an intent an `Approved`; whoever can name it can approve.
const APPROVAL_KEY: &str = "ApprovalKey";
const MAY_APPROVE: &[&str] = &["core", "risk"];
const MAY_BE_UNSAFE: &[&str] = &["core", "tests"];

/// The rules on manifests.
pub(crate) fn check_members(members: &[Member]) -> Vec<Finding> {
    members.iter().flat_map(check_member).collect()
}

fn check_member(member: &Member) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |message: String| findings.push(Finding::new(&member.manifest, 0, message));
    match EDGES.iter().find(|(name, _)| *name == member.name) {
        None => add(format!("{} is not in the table of xtask's edges.rs", member.name)),
        Some((_, allowed)) => {
            for used in member.uses.iter().filter(|used| !allowed.contains(&used.as_str())) {
                add(format!("{} may not depend on {used}", member.name));
            }
        }
    }
    if !member.shared_lints {
        add("no `lints.workspace = true`".to_owned());
    }
    if member.publishable {
        add("no `publish = false`".to_owned());
    }
    if member.licence.is_empty() {
        add("no licence".to_owned());
    }
    findings
}

/// The rules on sources.
pub(crate) fn check_files(files: &[File]) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        files.iter().filter(|file| file.is_rust()).flat_map(check_file).collect();
    for folder in DETERMINISTIC {
        let path = format!("{folder}/src/lib.rs");
        let lib = files.iter().find(|file| file.path == path);
        if !lib.is_some_and(|file| file.text.lines().any(|line| line == DENY)) {
            findings.push(Finding::new(&path, 0, format!("no `{DENY}`")));
        }
    }
    findings
}

fn check_file(file: &File) -> Vec<Finding> {
    let folder = file.path.split('/').next().unwrap_or_default();
    let mut findings = Vec::new();
    for (index, line) in code::blank(&file.text).lines().enumerate() {
        let mut add = |message: String| {
            findings.push(Finding::new(&file.path, index + 1, message));
        };
        if !MAY_APPROVE.contains(&folder) && code::find_word(line, APPROVAL_KEY).is_some() {
            add(format!("only risk may name `{APPROVAL_KEY}`"));
        }
        if !MAY_BE_UNSAFE.contains(&folder) && code::find_word(line, "unsafe").is_some() {
            add("`unsafe` belongs in core or tests".to_owned());
        }
        if DETERMINISTIC.contains(&folder)
            && line != DENY
            && let Some(name) = BAN_NAMES.iter().find(|name| line.contains(**name))
        {
            add(format!("`{name}…`: the bans of clippy.toml hold without exception here"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, uses: &[&str]) -> Member {
        Member {
            name: name.to_owned(),
            manifest: "x/Cargo.toml".to_owned(),
            shared_lints: true,
            publishable: false,
            licence: "MIT".to_owned(),
            uses: uses.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    /// The messages for one file, beside three sound deterministic crates.
    fn messages(path: &str, text: &str) -> Vec<String> {
        let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        let mut files: Vec<File> =
            DETERMINISTIC.iter().map(|name| file(&format!("{name}/src/lib.rs"), DENY)).collect();
        files.retain(|sound| sound.path != path);
        files.push(file(path, text));
        check_files(&files).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn edges_that_point_the_right_way_pass() {
        for (name, allowed) in EDGES {
            assert_eq!(check_member(&member(name, allowed)), []);
        }
    }

    #[test]
    fn edges_that_point_the_wrong_way_fail() {
        let wrong = [
            ("fusewire-core", "fusewire-io"),
            ("fusewire-io", "fusewire-risk"),
            ("fusewire-risk", "fusewire-strategies"),
            ("fusewire-strategies", "fusewire-io"),
            ("fusewire-risk", "fusewire"),
            ("fusewire", "fusewire-bench"),
            ("fusewire-tests", "fusewire-bench"),
            ("fusewire-xtask", "fusewire-core"),
        ];
        for (name, used) in wrong {
            assert_eq!(check_member(&member(name, &[used])).len(), 1, "{name} -> {used}");
        }
    }

    #[test]
    fn an_unknown_member_fails() {
        assert_eq!(check_member(&member("fusewire-extra", &[])).len(), 1);
    }

    #[test]
    fn a_member_takes_lints_has_a_licence_and_stays_private() {
        let sound = member("fusewire-core", &[]);
        let bad = [
            Member { shared_lints: false, ..sound.clone() },
            Member { publishable: true, ..sound.clone() },
            Member { licence: String::new(), ..sound.clone() },
        ];
        for member in bad {
            assert_eq!(check_member(&member).len(), 1, "{member:?}");
        }
    }

    #[test]
    fn only_risk_may_approve() {
        let text = "use fusewire_core::order::ApprovalKey;\n";
        assert_eq!(messages("io/src/gateway.rs", text), ["only risk may name `ApprovalKey`"]);
        assert_eq!(messages("tests/fuzz/fuzz_targets/x.rs", text).len(), 1);
        assert_eq!(messages("risk/src/gate.rs", text).len(), 0);
        assert_eq!(messages("io/src/gateway.rs", "// not the ApprovalKey\n").len(), 0);
        assert_eq!(messages("io/src/gateway.rs", "struct ApprovalKeyboard;\n").len(), 0);
    }

    #[test]
    fn unsafe_belongs_in_core_or_tests() {
        let text = "fn f() { unsafe { g() } }\n";
        assert_eq!(messages("tools/src/lib.rs", text), ["`unsafe` belongs in core or tests"]);
        assert_eq!(messages("core/src/ring.rs", text).len(), 0);
        assert_eq!(messages("tests/src/alloc.rs", text).len(), 0);
        assert_eq!(messages("tools/src/lib.rs", "// unsafe\n#![deny(unsafe_code)]\n").len(), 0);
    }

    #[test]
    fn deterministic_crates_turn_the_bans_on() {
        for folder in DETERMINISTIC {
            let path = format!("{folder}/src/lib.rs");
            assert_eq!(messages(&path, "//! Nothing.\n").len(), 1);
            assert_eq!(messages(&path, &format!("// {DENY}\n")).len(), 1, "in a comment");
        }
    }

    #[test]
    fn deterministic_crates_keep_the_bans_on() {
        let ways = [
            "#[allow(clippy::disallowed_methods)]",
            "#[expect(clippy::disallowed_types, reason = \"\")]",
            "#[allow(\n    clippy::disallowed_types,\n)]",
            "#![allow(clippy::style)]",
            "#[allow(unused, clippy::all)]",
        ];
        for way in ways {
            assert_eq!(messages("risk/src/gate.rs", way).len(), 1, "{way}");
            assert_eq!(messages("io/src/socket.rs", way).len(), 0, "{way}");
        }
    }

    #[test]
    fn a_missing_crate_is_found() {
        assert_eq!(check_files(&[]).len(), DETERMINISTIC.len());
    }
}
