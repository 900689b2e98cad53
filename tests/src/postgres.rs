//! A PostgreSQL server of a test's own: a cluster in a temporary folder, reached through a socket in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::say_loudly;

/// Folder with versions of PostgreSQL, as Debian installs them.
const VERSIONS: &str = "/usr/lib/postgresql";
/// Who runs the server when the tests run as root, which PostgreSQL refuses.
const USER: &str = "postgres";

/// A running server, which ends with it.
pub struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    as_root: bool,
}

impl Cluster {
    /// Starts one. None, said loudly, when PostgreSQL is not installed; in CI that fails.
    ///
    /// # Panics
    /// It is missing in CI, or does not start.
    #[must_use]
    pub fn start(test: &str) -> Option<Self> {
        let Some(programs) = programs() else {
            let missing = format!("{test}: PostgreSQL (initdb, pg_ctl) is not installed");
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{missing}");
            say_loudly(&format!("SKIPPED {missing}"));
            return None;
        };
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let as_root = said("id", &["-u"]) == "0";
        if as_root {
            run(Command::new("chown").arg(USER).arg(folder.path()));
        }
        let cluster = Self { folder, programs, as_root };
        let data = cluster.data();
        let make = ["-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C", "--no-sync", "-D"];
        run(cluster.command("initdb").args(make).arg(&data));
        // Reached through the socket alone, so that no port has to be free.
        let options = format!(
            "-k {} -c listen_addresses= -c fsync=off -c max_connections=20 -c shared_buffers=4MB",
            cluster.folder.path().display()
        );
        let log = cluster.folder.path().join("log");
        let start = ["-w", "-s", "-o", &options, "-l"];
        // Its outputs are not waited for: the server keeps them open.
        let started = cluster
            .command("pg_ctl")
            .arg("-D")
            .arg(&data)
            .args(start)
            .arg(&log)
            .arg("start")
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .expect("pg_ctl runs");
        let log = || std::fs::read_to_string(&log).unwrap_or_default();
        assert!(started.success(), "the server starts: {}", log());
        Some(cluster)
    }

    /// Makes a database and returns its connection string.
    ///
    /// # Panics
    /// The server does not.
    #[must_use]
    pub fn database(&self, name: &str) -> String {
        run(self.command("createdb").arg("-h").arg(self.folder.path()).args(["-U", USER, name]));
        format!("host={} user={USER} dbname={name}", self.folder.path().display())
    }

    /// Where its socket is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = if self.as_root {
            let mut command = Command::new("setpriv");
            let groups = ["--reuid", USER, "--regid", USER, "--clear-groups"];
            command.args(groups).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let stop = self
            .command("pg_ctl")
            .arg("-D")
            .arg(self.data())
            .args(["-m", "immediate", "-w", "stop"])
            .output();
        if !stop.is_ok_and(|output| output.status.success()) {
            say_loudly("a PostgreSQL server of a test did not stop");
        }
    }
}

/// Folder of the server's programs.
fn programs() -> Option<PathBuf> {
    let said = Command::new("pg_config").arg("--bindir").output().ok();
    let configured = said.map(|output| String::from_utf8_lossy(&output.stdout).trim().into());
    let mut folders: Vec<PathBuf> = configured.into_iter().collect();
    let versions = std::fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|entry| entry.path().join("bin")).collect();
    versions.sort();
    folders.extend(versions.into_iter().rev());
    let is_server =
        |folder: &PathBuf| folder.join("initdb").exists() && folder.join("pg_ctl").exists();
    folders.into_iter().find(is_server)
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().expect("a usual program runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn run(command: &mut Command) {
    let Output { status, stderr, .. } = command.output().expect("a usual program runs");
    assert!(status.success(), "{command:?}: {}", String::from_utf8_lossy(&stderr));
}
