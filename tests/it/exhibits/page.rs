//! A page and the block in it that a run wrote.

use std::fs;
use std::path::{Path, PathBuf};

use fusewire_tests::say_loudly;

const BEGIN: &str = "<!-- from a run: `cargo xtask exhibits` writes what follows -->\n";
const END: &str = "<!-- up to here -->\n";
/// What `cargo xtask exhibits` sets to `write`.
const MODE: &str = "FUSEWIRE_EXHIBITS";

/// A file of `docs/exhibits`.
pub(crate) fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/exhibits").join(name)
}

/// Finds that the page has this block, or writes it if that is asked for.
pub(super) fn check(name: &str, block: &str) {
    let path = file(name);
    let text = fs::read_to_string(&path).unwrap();
    let fresh = with_block(&text, block).unwrap_or_else(|| panic!("{name} has no block for a run"));
    if std::env::var_os(MODE).is_some_and(|mode| mode == "write") {
        if fresh != text {
            fs::write(&path, fresh).unwrap();
            say_loudly(&format!("wrote docs/exhibits/{name}"));
        }
        return;
    }
    assert_eq!(
        text, fresh,
        "docs/exhibits/{name} is not what a run says: see `cargo xtask exhibits`"
    );
}

fn with_block(text: &str, block: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{block}\n{END}{after}"))
}

#[test]
fn a_block_is_replaced_and_nothing_else() {
    let page = format!("a\n{BEGIN}\nold\n\n{END}b\n");
    assert_eq!(with_block(&page, "new\n").unwrap(), page.replace("old", "new"));
    assert_eq!(with_block("a\n", "new\n"), None);
}
