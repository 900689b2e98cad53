//! What the journal asks of the file system, behind a trait so that tests can make it fail.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use rustix::fs::{FallocateFlags, fallocate};
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
}
