//! The file beside a capture that says what it is: `<capture>.manifest.json`.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use fusewire_core::instrument::Market;
use serde::{Deserialize, Serialize};

use super::error::CaptureError;
use super::time::Unit;

/// What a sidecar's name adds to the capture's.
const SUFFIX: &str = ".manifest.json";
/// Longest sidecar. It names symbols; a larger file is something else.
const BYTES_MAX: u64 = 1 << 20;

/// What a producer knows about a capture that it wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sidecar {
    /// Layout of this file: `Sidecar::VERSION`.
    pub version: u32,
    /// Market of all frames: `usdm`, `coinm` or `spot`.
    pub market: String,
    /// Unit of the receive times: `ns` or `us`.
    pub unit: String,
    /// Symbols in the capture, as the exchange writes them.
    pub symbols: Vec<String>,
    /// Free text for people, such as where the data came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The part that every version has.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Sidecar {
    /// The version that this build reads and writes.
    pub const VERSION: u32 = 1;

    /// Where the sidecar of a capture lies.
    #[must_use]
    pub fn path(capture: &Path) -> PathBuf {
        let mut path = OsString::from(capture);
        path.push(SUFFIX);
        path.into()
    }

    /// Writes it beside a capture.
    ///
    /// # Errors
    /// It would not be read back (version, market or unit), or the file can not be written.
    pub fn write(&self, capture: &Path) -> Result<(), CaptureError> {
        let path = Self::path(capture);
        let written = self.check().and_then(|()| {
            let mut text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
            text.push('\n');
            std::fs::write(&path, text).map_err(|error| format!("cannot write: {error}"))
        });
        written.map_err(|reason| error(&path, reason))
    }

    /// Reads the sidecar of a capture; `None` if there is none.
    ///
    /// # Errors
    /// It is there, but can not be read or understood.
    pub(super) fn read(capture: &Path) -> Result<Option<Self>, CaptureError> {
        let path = Self::path(capture);
        let parsed = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => Err(format!("cannot open: {error}")),
            Ok(file) => read_text(file).and_then(|text| Self::parse(&text)),
        };
        parsed.map(Some).map_err(|reason| error(&path, reason))
    }

    /// The market of the capture. Checked when the sidecar was read.
    pub(super) fn market(&self) -> Option<Market> {
        self.market.parse().ok()
    }

    /// The unit of the capture. Checked when the sidecar was read.
    pub(super) fn unit(&self) -> Option<Unit> {
        self.unit.parse().ok()
    }

    fn parse(text: &[u8]) -> Result<Self, String> {
        // The version comes first: a later one may have fields that look like mistakes here.
        let Version { version } =
            serde_json::from_slice(text).map_err(|error| error.to_string())?;
        check_version(version)?;
        let sidecar: Self = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        sidecar.check()?;
        Ok(sidecar)
    }

    fn check(&self) -> Result<(), String> {
        check_version(self.version)?;
        self.market.parse::<Market>()?;
        self.unit.parse::<Unit>()?;
        Ok(())
    }
}

fn check_version(version: u32) -> Result<(), String> {
    if version == Sidecar::VERSION {
        return Ok(());
    }
    Err(format!("version {version}, but this build reads version {}", Sidecar::VERSION))
}

fn read_text(file: File) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let read = file.take(BYTES_MAX + 1).read_to_end(&mut text);
    read.map_err(|error| format!("cannot read: {error}"))?;
    if text.len() as u64 > BYTES_MAX {
        return Err(format!("longer than {BYTES_MAX} bytes"));
    }
    Ok(text)
}

fn error(path: &Path, reason: String) -> CaptureError {
    CaptureError::Sidecar { file: path.display().to_string(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sidecar() -> Sidecar {
        Sidecar {
            version: Sidecar::VERSION,
            market: "usdm".to_owned(),
            unit: "us".to_owned(),
            symbols: vec!["BTCUSDT".to_owned(), "币安人生USDT".to_owned()],
            note: None,
        }
    }

    fn failure(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let capture = folder.path().join("x.gz");
        std::fs::write(Sidecar::path(&capture), text).unwrap();
        Sidecar::read(&capture).unwrap_err().to_string()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let capture = folder.path().join("btcusdt.gz");
        assert_eq!(Sidecar::read(&capture).unwrap(), None);
        for note in [None, Some("from\na test".to_owned())] {
            let written = Sidecar { note, ..sidecar() };
            written.write(&capture).unwrap();
            assert_eq!(Sidecar::read(&capture).unwrap(), Some(written));
        }
        assert!(folder.path().join("btcusdt.gz.manifest.json").exists());
    }

    #[test]
    fn another_version_is_named_before_its_fields() {
        let text = failure(r#"{"version":2,"markets":["usdm"]}"#);
        assert!(
            text.ends_with("x.gz.manifest.json: version 2, but this build reads version 1"),
            "{text}"
        );
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        let good = serde_json::to_string(&sidecar()).unwrap();
        for (from, to, part) in [
            ("usdm", "usd", "unknown market 'usd'"),
            ("\"us\"", "\"ms\"", "unknown unit 'ms'"),
            ("symbols", "symbol", "unknown field `symbol`"),
            ("{", "", "line 1"),
            ("\"version\":1,", "", "missing field `version`"),
        ] {
            let text = failure(&good.replacen(from, to, 1));
            assert!(text.contains(part), "{text}");
            assert!(!text.contains('\n'), "{text}");
        }
        assert!(failure(&" ".repeat(BYTES_MAX as usize + 1)).contains("longer than"));
    }

    #[test]
    fn what_could_not_be_read_back_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let capture = folder.path().join("x.gz");
        for bad in [
            Sidecar { version: 2, ..sidecar() },
            Sidecar { market: "x".to_owned(), ..sidecar() },
            Sidecar { unit: String::new(), ..sidecar() },
        ] {
            assert!(bad.write(&capture).is_err());
        }
        assert!(!Sidecar::path(&capture).exists());
    }
}
