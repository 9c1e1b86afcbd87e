//! The files below the root: every name is opened relative to an open directory, through no link.
//!
//! A name consists of a key's 64 hexadecimal digits or is one of the constants below, so no input can become part of a
//! path. A file is written under a temporary name (`O_EXCL`), flushed, and renamed, so that a reader finds the old
//! bytes or the new ones, never a part.

use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;
use session_core::{Timestamp, store::StoreKey};

use crate::dirs::{PRIVATE_FILE, Root, make_dir, names, open_dir, unlink};
use crate::fault::Fault;

/// How far a write goes before it is answered.
///
/// ```
/// use session_store_file::{Durability, FileStore};
///
/// # fn main() -> Result<(), session_core::store::StoreError> {
/// # let dir = tempfile::tempdir().unwrap();
/// let store = FileStore::builder(dir.path().join("sessions")).durability(Durability::Rename).open()?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// File and directory are flushed to the disk before a write is answered: an acknowledged write survives a power
    /// cut. The default, because a session that comes back after its logout is worse than a slow logout.
    #[default]
    Full,
    /// Nothing is flushed. A killed process loses nothing, a power cut may lose the last seconds, logouts among them.
    Rename,
}

/// What one write waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flush {
    /// The bytes and the name.
    All,
    /// The bytes alone: losing the rename is harmless, but a rename that outlives its bytes would not be.
    Bytes,
}

/// An open root directory.
#[derive(Debug)]
pub(crate) struct Disk {
    root: Root,
    durability: Durability,
}

impl Disk {
    /// Opens a root, and makes it first if it is not there.
    pub(crate) fn open(path: &Path, durability: Durability) -> Result<Self, Fault> {
        let disk = Self { root: Root::open(path)?, durability };
        match disk.read_small(FORMAT)? {
            Some(bytes) => check_version(&bytes)?,
            None => disk.begin()?,
        }
        Ok(disk)
    }

    /// Checks that the root is still where it was opened.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        self.root.check()
    }

    /// Marks a new root with the format it has.
    fn begin(&self) -> Result<(), Fault> {
        for entry in Dir::read_from(&self.root)? {
            if !is_ours(entry?.file_name().to_bytes()) {
                return Err(Fault::Unfit("the directory holds other things and is not a session directory"));
            }
        }
        self.write_into(self.root.as_fd(), FORMAT, &marker(), Flush::All)?;
        if self.durability == Durability::Full
            && let Some(parent) = self.root.parent()
        {
            File::open(parent)?.sync_all()?;
        }
        Ok(())
    }

    /// Reads the bytes under a key.
    pub(crate) fn read(&self, key: &StoreKey) -> Result<Option<Vec<u8>>, Fault> {
        let Some(fan) = self.fan(key)? else { return Ok(None) };
        match open_regular(fan.as_fd(), &key.to_string())? {
            Some(file) => slurp(file).map(Some),
            None => Ok(None),
        }
    }

    /// Reads up to `most` of the first bytes under a key.
    pub(crate) fn read_start(&self, key: &StoreKey, most: usize) -> Result<Option<Vec<u8>>, Fault> {
        let Some(fan) = self.fan(key)? else { return Ok(None) };
        let Some(file) = open_regular(fan.as_fd(), &key.to_string())? else { return Ok(None) };
        let mut bytes = Vec::with_capacity(most);
        file.take(u64::try_from(most).map_err(|_| Fault::Damaged)?).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Writes these bytes under a key, whole or not at all.
    pub(crate) fn write(&self, key: &StoreKey, bytes: &[u8], flush: Flush) -> Result<(), Fault> {
        let fan = self.made_dir(self.root.as_fd(), &fan_name(key))?;
        self.write_into(fan.as_fd(), &key.to_string(), bytes, flush)
    }

    /// Flushes the name of a key: the last step of a write, or one that may have been interrupted before it.
    pub(crate) fn settle(&self, key: &StoreKey) -> Result<(), Fault> {
        match self.fan(key)? {
            Some(fan) => self.flush_dir(fan.as_fd()),
            None => Ok(()),
        }
    }

    /// Removes a file if it is there.
    pub(crate) fn remove(&self, key: &StoreKey) -> Result<(), Fault> {
        match self.fan(key)? {
            Some(fan) => unlink(fan.as_fd(), &key.to_string()),
            None => Ok(()),
        }
    }

    /// Removes a temporary file that a dead writer left.
    pub(crate) fn remove_temp(&self, key: &StoreKey, name: &str) -> Result<(), Fault> {
        match self.fan(key)? {
            Some(fan) => unlink(fan.as_fd(), name),
            None => Ok(()),
        }
    }

    /// When the bytes under a key were last written, by the file system's clock.
    pub(crate) fn modified(&self, key: &StoreKey) -> Result<Option<Timestamp>, Fault> {
        let Some(fan) = self.fan(key)? else { return Ok(None) };
        match rustix::fs::statat(&fan, key.to_string(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(Timestamp::from_millis(stat.st_mtime.saturating_mul(1_000)))),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// The names in one of the 256 directories of records.
    pub(crate) fn fan_names(&self, fan: u8) -> Result<Vec<String>, Fault> {
        match open_dir(self.root.as_fd(), &format!("{fan:02x}"))? {
            Some(dir) => names(dir.as_fd()),
            None => Ok(Vec::new()),
        }
    }

    /// Opens a directory of the root by name; `None` when it is not there.
    pub(crate) fn dir(&self, name: &str) -> Result<Option<OwnedFd>, Fault> {
        open_dir(self.root.as_fd(), name)
    }

    /// Opens a directory of the root by name, and makes it first if it is not there.
    pub(crate) fn root_dir(&self, name: &str) -> Result<OwnedFd, Fault> {
        self.made_dir(self.root.as_fd(), name)
    }

    /// Opens a directory, and makes it first if it is not there. If another process has made it, its name is not
    /// flushed again: the file systems this is for keep names in the order in which they were made.
    pub(crate) fn made_dir(&self, parent: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Fault> {
        for _ in 0..ATTEMPTS {
            if let Some(dir) = open_dir(parent, name)? {
                return Ok(dir);
            }
            if let Some(dir) = make_dir(parent, name)? {
                self.flush_dir(parent)?;
                return Ok(dir);
            }
        }
        Err(Errno::NOENT.into())
    }

    /// Flushes a directory's names, where this store flushes at all.
    pub(crate) fn flush_dir(&self, dir: BorrowedFd<'_>) -> Result<(), Fault> {
        if self.durability == Durability::Full {
            rustix::fs::fsync(dir)?;
        }
        Ok(())
    }

    fn fan(&self, key: &StoreKey) -> Result<Option<OwnedFd>, Fault> {
        open_dir(self.root.as_fd(), &fan_name(key))
    }

    fn read_small(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        match open_regular(self.root.as_fd(), name)? {
            Some(file) => slurp(file).map(Some),
            None => Ok(None),
        }
    }

    fn write_into(&self, dir: BorrowedFd<'_>, name: &str, bytes: &[u8], flush: Flush) -> Result<(), Fault> {
        let temp = format!("{name}{TEMP}{:016x}", RandomState::new().build_hasher().finish());
        let fd = rustix::fs::openat(
            dir,
            &temp,
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::from_raw_mode(PRIVATE_FILE),
        )?;
        let written = self.fill(fd, bytes).and_then(|()| Ok(rustix::fs::renameat(dir, &temp, dir, name)?));
        if let Err(fault) = written {
            let _ = unlink(dir, &temp);
            return Err(fault);
        }
        if flush == Flush::All { self.flush_dir(dir) } else { Ok(()) }
    }

    fn fill(&self, fd: OwnedFd, bytes: &[u8]) -> Result<(), Fault> {
        // The mode that `open` asked for has lost the umask's bits, and a default ACL may have changed it.
        rustix::fs::fchmod(&fd, Mode::from_raw_mode(PRIVATE_FILE))?;
        let mut file = File::from(fd);
        file.write_all(bytes)?;
        if self.durability == Durability::Full {
            file.sync_all()?;
        }
        Ok(())
    }
}

/// Opens a file without following links. Non-blocking, so that a pipe in its place cannot block a reader.
fn open_regular(dir: BorrowedFd<'_>, name: &str) -> Result<Option<File>, Fault> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = match rustix::fs::openat(dir, name, flags, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    if FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode) != FileType::RegularFile {
        return Err(Fault::Unfit("something that is not a file stands where a session should be"));
    }
    Ok(Some(File::from(fd)))
}

/// Reads a file. Of one that is larger than any record only the start, which is a damaged record.
fn slurp(file: File) -> Result<Vec<u8>, Fault> {
    let length = file.metadata()?.len();
    let most = if length > LARGEST_FILE { 64 } else { LARGEST_FILE };
    let mut bytes = Vec::with_capacity(usize::try_from(length.min(most)).map_err(|_| Fault::Damaged)?);
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn is_ours(name: &[u8]) -> bool {
    let is_fan = name.len() == 2 && name.iter().all(u8::is_ascii_hexdigit);
    is_fan
        || name.starts_with(FORMAT.as_bytes())
        || [&b"."[..], b"..", LOCKS.as_bytes(), OWNERS.as_bytes()].contains(&name)
}

fn marker() -> Vec<u8> {
    format!("{MAGIC}{VERSION} one session per file, named by the hash of its id\n").into_bytes()
}

/// Checks that this version, or an earlier one, made the directory.
fn check_version(marker: &[u8]) -> Result<(), Fault> {
    let text = str::from_utf8(marker).map_err(|_| Fault::Damaged)?;
    let number = text.strip_prefix(MAGIC).and_then(|rest| rest.split(' ').next());
    match number.and_then(|number| number.parse::<u32>().ok()) {
        Some(VERSION) => Ok(()),
        Some(newer) if newer > VERSION => Err(Fault::Newer),
        _ => Err(Fault::Damaged),
    }
}

fn fan_name(key: &StoreKey) -> String {
    format!("{:02x}", key.as_bytes()[0])
}

/// The directory of lock files.
pub(crate) const LOCKS: &str = "locks";
/// The directory of the owner index.
pub(crate) const OWNERS: &str = "owners";
/// Stands between a temporary file's destination and its own number.
pub(crate) const TEMP: &str = ".tmp.";
const FORMAT: &str = "FORMAT";
const MAGIC: &str = "session-file ";
const VERSION: u32 = 1;
/// Far above any record that may be written; a larger file is not one of ours.
const LARGEST_FILE: u64 = 4 * crate::LARGEST_RECORD as u64;
const ATTEMPTS: usize = 16;
