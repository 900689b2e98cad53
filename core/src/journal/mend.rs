//! Changes files of a journal that nobody writes: sets aside what stands behind an end, and cuts it off.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::behind::{Tail, holds_bytes};
use super::disk::{Disk, open_own, open_plain, read_fully};
use super::error::JournalError;
use super::layout::{HEAD_BYTES, Position, Strand, segment_path};
use super::listing::Listing;
use super::reader::read_head;

/// A folder whose lock this process holds.
pub(super) struct Mender<'a> {
    pub(super) dir: &'a Path,
    pub(super) disk: &'a mut dyn Disk,
}

impl Mender<'_> {
    /// Moves or copies what stands behind the end of a strand into files of its own, as it was found; returns
    /// their names. Nothing that is set aside already is written over.
    pub(super) fn quarantine(&mut self, tail: &Tail) -> Result<Vec<String>, JournalError> {
        let Tail { strand, end, has_segment, .. } = *tail;
        let mut names = Vec::new();
        for index in self.indexes(strand)? {
            if index < end.segment() {
                continue;
            }
            let path = segment_path(self.dir, strand, index);
            let failed = || JournalError::io(&path);
            if index == end.segment() && has_segment {
                names.extend(self.copy_rest(&path, strand, end).map_err(failed())?);
            } else if holds_something(&path, strand, index).map_err(failed())? {
                names.push(self.set_aside(&path, strand, index).map_err(failed())?);
            }
        }
        Ok(names)
    }

    /// Brings the files of a strand, from segment `from` up to its end, to the medium.
    pub(super) fn sync(&mut self, from: u32, tail: &Tail) -> Result<(), JournalError> {
        let Tail { strand, end, .. } = *tail;
        for index in self.indexes(strand)? {
            if (from..=end.segment()).contains(&index) {
                let path = segment_path(self.dir, strand, index);
                let synced = open_plain(&path).and_then(|file| match file {
                    Some(file) => self.disk.sync(&file),
                    None => Ok(()),
                });
                synced.map_err(JournalError::io(&path))?;
            }
        }
        Ok(())
    }

    /// Cuts a strand at its end, and removes the segments behind it and those before its first one.
    pub(super) fn cut(&mut self, first: u32, tail: &Tail) -> Result<(), JournalError> {
        let Tail { strand, end, has_segment, .. } = *tail;
        for index in self.indexes(strand)? {
            let path = segment_path(self.dir, strand, index);
            let failed = || JournalError::io(&path);
            let last = index == end.segment();
            if last && has_segment {
                self.cut_file(&path, u64::from(end.offset())).map_err(failed())?;
            } else if last || index > end.segment() || index < first {
                self.disk.remove(&path).map_err(failed())?;
            }
        }
        Ok(())
    }

    fn cut_file(&mut self, path: &Path, bytes: u64) -> io::Result<()> {
        let file = open_own(path)?;
        if file.metadata()?.len() > bytes {
            self.disk.cut(&file, bytes)?;
            self.disk.sync(&file)?;
        }
        Ok(())
    }

    fn indexes(&self, strand: Strand) -> Result<Vec<u32>, JournalError> {
        let listing = Listing::of(self.dir).map_err(JournalError::io(self.dir))?;
        Ok(listing.indexes(strand).collect())
    }

    /// Renames a segment, or whatever has the name of one.
    fn set_aside(&mut self, path: &Path, strand: Strand, index: u32) -> io::Result<String> {
        let (name, target) = self.free_name(strand, Position::new(index, 0), |_| Ok(false))?;
        fs::rename(path, target)?;
        Ok(name)
    }

    /// Copies the bytes of a segment from the end of its strand on, if there are any.
    fn copy_rest(
        &mut self,
        path: &Path,
        strand: Strand,
        end: Position,
    ) -> io::Result<Option<String>> {
        let from = u64::from(end.offset());
        let mut file = match open_plain(path)? {
            Some(file) if holds_bytes(&file, from)? => file,
            Some(_) | None => return Ok(None),
        };
        // A recovery that was interrupted left the same bytes, or the first of them.
        let part = |old: &Path| is_part(&file, from, old);
        let (name, target) = self.free_name(strand, end, part)?;
        let _ = fs::remove_file(&target);
        let mut copy = File::create_new(target)?;
        file.seek(SeekFrom::Start(from))?;
        io::copy(&mut file, &mut copy)?;
        self.disk.sync(&copy)?;
        Ok(Some(name))
    }

    /// A name for what stood at a place: one that nothing has, or whose file `may_go`.
    fn free_name(
        &self,
        strand: Strand,
        at: Position,
        may_go: impl Fn(&Path) -> io::Result<bool>,
    ) -> io::Result<(String, PathBuf)> {
        let base = format!("quarantine-{strand}-{:06}-{:010}", at.segment(), at.offset());
        let mut number = 1_u64;
        loop {
            let more = if number == 1 { String::new() } else { format!("-{number}") };
            let name = format!("{base}{more}.bin");
            let path = self.dir.join(&name);
            if fs::symlink_metadata(&path).is_err() || may_go(&path)? {
                return Ok((name, path));
            }
            number += 1;
        }
    }
}

/// False for a segment that was prepared and never used, and for one that was not even made whole.
fn holds_something(path: &Path, strand: Strand, index: u32) -> io::Result<bool> {
    let Some(file) = open_plain(path)? else { return Ok(true) };
    let is_ours = read_head(&file, strand, index)?.is_ok();
    holds_bytes(&file, if is_ours { HEAD_BYTES as u64 } else { 0 })
}

/// True when a file holds the first bytes of the rest of another, and no others.
fn is_part(rest: &File, from: u64, old: &Path) -> io::Result<bool> {
    let Some(old) = open_plain(old)? else { return Ok(false) };
    let (mut a, mut b, mut at) = (vec![0; 64 << 10], vec![0; 64 << 10], 0);
    loop {
        let read = read_fully(&old, &mut a, at)?;
        let there = read_fully(rest, &mut b[..read], from + at)?;
        if a[..read] != b[..there] {
            return Ok(false);
        }
        if read < a.len() {
            return Ok(true);
        }
        at += read as u64;
    }
}
