//! The members of the workspace, as `cargo metadata` and their manifests describe them.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// What the edge rules need to know about one package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Path of the manifest, relative to the root.
    pub(crate) manifest: String,
    /// Whether the manifest takes the shared lints.
    pub(crate) shared_lints: bool,
    /// Whether it can be published to a registry.
    pub(crate) publishable: bool,
    pub(crate) licence: String,
    /// Packages of the workspace that it names, for builds, tests and build scripts alike.
    pub(crate) uses: Vec<String>,
}

/// All members, in cargo's order.
pub(crate) fn members(root: &Path) -> Result<Vec<Member>, String> {
    let output = super::cargo(root, &["metadata", "--format-version", "1", "--no-deps"])
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let mut members = parse(&String::from_utf8_lossy(&output.stdout))?;
    for member in &mut members {
        let full = Path::new(&member.manifest);
        let text = fs::read_to_string(full).map_err(|e| format!("{}: {e}", member.manifest))?;
        member.shared_lints = takes_shared_lints(&text);
        let relative = full.strip_prefix(root).unwrap_or(full);
        member.manifest = relative.to_string_lossy().into_owned();
    }
    Ok(members)
}

/// Reads the JSON of `cargo metadata --no-deps`, which lists exactly the members.
fn parse(json: &str) -> Result<Vec<Member>, String> {
    let bad = |what: &str| format!("cargo metadata has no {what}");
    let root: Value = serde_json::from_str(json).map_err(|e| format!("cargo metadata: {e}"))?;
    let packages = root["packages"].as_array().ok_or_else(|| bad("packages"))?;
    packages
        .iter()
        .map(|package| {
            let text = |key: &str| package[key].as_str().map(str::to_owned);
            let dependencies =
                package["dependencies"].as_array().ok_or_else(|| bad("dependencies"))?;
            Ok(Member {
                name: text("name").ok_or_else(|| bad("name"))?,
                manifest: text("manifest_path").ok_or_else(|| bad("manifest_path"))?,
                shared_lints: false,
                // `publish = false` is an empty list of registries; absent is `null`, any registry.
                publishable: package["publish"].as_array().is_none_or(|list| !list.is_empty()),
                licence: text("license").unwrap_or_default(),
                // Only a dependency inside the workspace has a path; a rename does not hide it.
                uses: dependencies
                    .iter()
                    .filter(|dependency| dependency["path"].is_string())
                    .filter_map(|dependency| dependency["name"].as_str().map(str::to_owned))
                    .collect(),
            })
        })
        .collect()
}

/// Whether a manifest says `lints.workspace = true`, in either of the two spellings.
fn takes_shared_lints(manifest: &str) -> bool {
    let mut section = "";
    manifest.lines().map(str::trim).any(|line| {
        if line.starts_with('[') {
            section = line;
        }
        let setting: String = line.split_whitespace().collect();
        match section {
            "" => setting == "lints.workspace=true",
            "[lints]" => setting == "workspace=true",
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_read() {
        let json = r#"{"packages": [
            {"name": "a", "manifest_path": "a/Cargo.toml", "license": "MIT", "publish": [],
             "dependencies": [{"name": "serde"}, {"name": "b", "path": "b", "kind": "dev"}]},
            {"name": "b", "manifest_path": "b/Cargo.toml", "license": null, "publish": null,
             "dependencies": []}]}"#;
        let members = parse(json).unwrap();
        assert_eq!(members[0].uses, ["b"]);
        assert!(!members[0].publishable && members[1].publishable);
        assert_eq!((members[0].licence.as_str(), members[1].licence.as_str()), ("MIT", ""));
    }

    #[test]
    fn a_registry_list_is_publishable() {
        let json = r#"{"packages": [{"name": "a", "manifest_path": "m", "publish": ["x"],
            "dependencies": []}]}"#;
        assert!(parse(json).unwrap()[0].publishable);
    }

    #[test]
    fn broken_metadata_is_an_error() {
        for json in ["", "{}", r#"{"packages": [{}]}"#] {
            assert!(parse(json).is_err(), "{json}");
        }
    }

    #[test]
    fn shared_lints_have_two_spellings() {
        assert!(takes_shared_lints("[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n"));
        assert!(takes_shared_lints("lints.workspace = true\n[package]\n"));
        assert!(!takes_shared_lints("[package]\nname = \"a\"\n"));
        assert!(!takes_shared_lints("[lints]\n# workspace = true\n"));
        assert!(!takes_shared_lints("[dependencies.x]\nworkspace = true\n"));
    }
}
