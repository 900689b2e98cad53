//! What the journal asks of the file system, behind a trait so that tests can make it fail.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{FallocateFlags, OFlags, fallocate};
use rustix::io::Errno;

/// Zeros written at a time where blocks can not be reserved.
const ZEROS: usize = 1 << 20;

/// The calls that can fail because of the disk.
pub trait Disk: Send {
    /// Makes a new file of `bytes` zeros whose blocks are reserved: writing to it through a map can not fail.
    ///
    /// # Errors
    /// No space, no right, no such folder, a quota, or the file exists.
    fn create(&mut self, path: &Path, bytes: u64) -> io::Result<File>;

    /// Waits until the file's bytes are on the medium.
    ///
    /// # Errors
    /// The medium failed.
    fn sync(&mut self, file: &File) -> io::Result<()>;

    /// Waits until the names in a folder are on the medium.
    ///
    /// # Errors
    /// The medium failed, or the folder is gone.
    fn sync_folder(&mut self, folder: &Path) -> io::Result<()>;

    /// Cuts a file.
    ///
    /// # Errors
    /// As the system says.
    fn cut(&mut self, file: &File, bytes: u64) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// As the system says.
    fn remove(&mut self, path: &Path) -> io::Result<()>;
}

/// The file system of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create(&mut self, path: &Path, bytes: u64) -> io::Result<File> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        let reserved = reserve(&file, bytes);
        if reserved.is_err() {
            // A file that is too short would look like one that was cut. The first error counts.
            let _ = std::fs::remove_file(path);
        }
        reserved.map(|()| file)
    }

    fn sync(&mut self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    fn cut(&mut self, file: &File, bytes: u64) -> io::Result<()> {
        file.set_len(bytes)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }
}

/// Opens a file for reading; `None` when it is no plain file. Whatever lies there, this does not wait: a
/// pipe without a writer would hold the reader for ever.
pub(super) fn open_plain(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(OFlags::NONBLOCK.bits() as i32);
    match options.open(path) {
        Ok(file) => Ok(file.metadata()?.is_file().then_some(file)),
        // A socket; a link that leads to itself.
        Err(error) if is_one_of(&error, &[Errno::NXIO, Errno::LOOP]) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Opens a segment for changing it. A link is not followed: what lies elsewhere is not ours to cut.
pub(super) fn open_own(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
    OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)
}

fn is_one_of(error: &io::Error, codes: &[Errno]) -> bool {
    error.raw_os_error().is_some_and(|code| codes.iter().any(|errno| errno.raw_os_error() == code))
}

/// Reads from `offset` until the buffer is full or the file ends; returns how much.
pub(super) fn read_fully(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    match fallocate(file, FallocateFlags::empty(), 0, bytes) {
        Ok(()) => Ok(()),
        // A file system that can not reserve is given zeros, which take blocks just as well.
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => fill(file, bytes),
        Err(error) => Err(error.into()),
    }
}

fn fill(mut file: &File, bytes: u64) -> io::Result<()> {
    let zeros = vec![0; ZEROS];
    let mut left = bytes;
    while left > 0 {
        let piece = usize::try_from(left).map_or(ZEROS, |left| left.min(ZEROS));
        file.write_all(&zeros[..piece])?;
        left -= piece as u64;
    }
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_is_zeros_with_blocks_and_is_never_one_that_was_there() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let file = RealDisk.create(&path, 1 << 20).unwrap();
        let facts = file.metadata().unwrap();
        assert_eq!(facts.len(), 1 << 20);
        assert!(facts.blocks() * 512 >= 1 << 20, "blocks are reserved");
        assert!(std::fs::read(&path).unwrap().iter().all(|byte| *byte == 0));
        let again = RealDisk.create(&path, 1 << 20).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn zeros_stand_in_where_blocks_can_not_be_reserved() {
        let file = tempfile::tempfile().unwrap();
        fill(&file, (1 << 20) + 5).unwrap();
        assert_eq!(file.metadata().unwrap().len(), (1 << 20) + 5);
    }

    #[test]
    fn what_is_no_plain_file_is_never_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("folder")).unwrap();
        std::os::unix::fs::symlink(path("loop"), path("loop")).unwrap();
        std::os::unix::fs::symlink(path("plain"), path("link")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            path("pipe"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        for name in ["folder", "loop", "socket", "pipe"] {
            assert!(open_plain(&path(name)).unwrap().is_none(), "{name}");
        }
        assert_eq!(open_plain(&path("link")).unwrap_err().kind(), io::ErrorKind::NotFound);
        std::fs::write(path("plain"), "12345").unwrap();
        let file = open_plain(&path("link")).unwrap().unwrap();
        let mut bytes = [0; 9];
        assert_eq!((read_fully(&file, &mut bytes, 2).unwrap(), &bytes[..4]), (3, &b"345\0"[..]));
        assert!(open_own(&path("link")).is_err());
        assert!(open_own(&path("plain")).is_ok());
    }
}
