//! Directories: opened and made through no link, and only if nobody but this user, and root, can write to them.

use std::fs::DirBuilder;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::fault::Fault;

/// An open root directory, and the path by which others find it.
#[derive(Debug)]
pub(crate) struct Root {
    fd: OwnedFd,
    path: PathBuf,
}

impl Root {
    /// Opens a root, and makes it first if it is not there.
    pub(crate) fn open(path: &Path) -> Result<Self, Fault> {
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(PRIVATE_DIR).create(parent)?;
        }
        let fd = match rustix::fs::mkdirat(CWD, path, PRIVATE) {
            Ok(()) => just_made(CWD, path)?,
            // It may be reached through a link: that is the operator's own path. Everything below is reached through none.
            Err(Errno::EXIST) => rustix::fs::openat(CWD, path, OFlags::DIRECTORY | READ, Mode::empty())?,
            Err(errno) => return Err(errno.into()),
        };
        check(&rustix::fs::fstat(&fd)?)?;
        Ok(Self { fd, path: path.canonicalize()? })
    }

    /// Checks that the directory is still at its path. Without this, every session of a directory that was removed, moved
    /// or hidden by a mount would be missing rather than out of reach.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let held = rustix::fs::fstat(&self.fd)?;
        match rustix::fs::stat(&self.path) {
            Ok(there) if (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino) && held.st_nlink > 0 => {
                check(&there)
            }
            // A process that has given up rights may no longer be able to look; it still holds the directory.
            Err(Errno::ACCESS) if held.st_nlink > 0 => check(&held),
            Ok(_) | Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS) => {
                Err(Fault::Unfit("the directory has been removed, moved or replaced"))
            }
            Err(errno) => Err(errno.into()),
        }
    }

    /// The directory that the root is in, to be flushed.
    pub(crate) fn parent(&self) -> Option<&Path> {
        self.path.parent()
    }
}

impl AsFd for Root {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Opens a directory; `None` when it is not there.
pub(crate) fn open_dir(parent: BorrowedFd<'_>, name: &str) -> Result<Option<OwnedFd>, Fault> {
    match rustix::fs::openat(parent, name, OFlags::DIRECTORY | OFlags::NOFOLLOW | READ, Mode::empty()) {
        Ok(dir) => {
            check(&rustix::fs::fstat(&dir)?)?;
            Ok(Some(dir))
        }
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// Makes a directory; `None` when something is there already.
pub(crate) fn make_dir(parent: BorrowedFd<'_>, name: &str) -> Result<Option<OwnedFd>, Fault> {
    match rustix::fs::mkdirat(parent, name, PRIVATE) {
        Ok(()) => {
            let dir = just_made(parent, Path::new(name))?;
            check(&rustix::fs::fstat(&dir)?)?;
            Ok(Some(dir))
        }
        Err(Errno::EXIST) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// The names in a directory, without the two dots and without what is not text.
pub(crate) fn names(dir: BorrowedFd<'_>) -> Result<Vec<String>, Fault> {
    let mut names = Vec::new();
    for entry in Dir::read_from(dir)? {
        if let Ok(name) = entry?.file_name().to_str()
            && name != "."
            && name != ".."
        {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// Removes a name if it is there.
pub(crate) fn unlink(dir: BorrowedFd<'_>, name: &str) -> Result<(), Fault> {
    match rustix::fs::unlinkat(dir, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// Opens a file that is changed in place, and makes it if it is not there. A link is refused: a hard one as well, since
/// what it leads to would be changed.
pub(crate) fn open_in_place(dir: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Fault> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::openat(dir, name, flags, Mode::from_raw_mode(PRIVATE_FILE))?;
    let stat = rustix::fs::fstat(&file)?;
    // The name of a file that was removed just now is gone: nobody else has it.
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || stat.st_nlink > 1 {
        return Err(Fault::Unfit("something that is not an own file stands where a file should be"));
    }
    if stat.st_mode & 0o7777 != PRIVATE_FILE {
        rustix::fs::fchmod(&file, Mode::from_raw_mode(PRIVATE_FILE))?;
    }
    Ok(file)
}

/// Opens a directory that was made just now, and gives it the mode that `mkdir` was asked for: the umask has taken bits.
fn just_made(parent: impl AsFd, name: &Path) -> Result<OwnedFd, Fault> {
    let dir = rustix::fs::openat(parent, name, OFlags::DIRECTORY | OFlags::NOFOLLOW | READ, Mode::empty())?;
    rustix::fs::fchmod(&dir, PRIVATE)?;
    Ok(dir)
}

fn check(stat: &Stat) -> Result<(), Fault> {
    if stat.st_uid != 0 && stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err(Fault::Unfit("a directory belongs to another user"));
    }
    if stat.st_mode & 0o022 != 0 {
        return Err(Fault::Unfit("a directory may be written by other users: make it mode 0700"));
    }
    Ok(())
}

/// Mode of every file, whatever the umask.
pub(crate) const PRIVATE_FILE: u32 = 0o600;
const PRIVATE_DIR: u32 = 0o700;
const PRIVATE: Mode = Mode::RWXU;
const READ: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC);
