//! What can go wrong below the verbs, and which kind of store error each becomes.

use std::io;

use rustix::io::Errno;
use session_core::store::{StoreError, StoreErrorKind};

/// A failure of one operation on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The operating system said no.
    Io(Errno),
    /// The bytes are not what this library wrote.
    Corrupt,
    /// The bytes were written by a newer version of this library.
    Newer,
    /// The deadline passed while waiting for another process's lock. Nothing was done.
    Late,
    /// The directory is not fit to keep sessions in.
    Unfit(&'static str),
}

impl From<Errno> for Fault {
    fn from(errno: Errno) -> Self {
        Self::Io(errno)
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(Errno::from_io_error(&error).unwrap_or(Errno::IO))
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Io(errno) => Self::new(kind_of(errno), NAME).because(io::Error::from(errno)),
            Fault::Corrupt => Self::new(StoreErrorKind::Corrupt, NAME),
            Fault::Newer => Self::new(StoreErrorKind::Newer, NAME),
            Fault::Late => Self::timeout(NAME),
            Fault::Unfit(why) => Self::new(StoreErrorKind::Refused, NAME).because(why),
        }
    }
}

/// What must be changed by a person before it can succeed is `Refused`; what may pass by itself is `Unavailable`.
fn kind_of(errno: Errno) -> StoreErrorKind {
    match errno {
        Errno::ACCESS
        | Errno::PERM
        | Errno::ROFS
        | Errno::NOSPC
        | Errno::DQUOT
        | Errno::FBIG
        | Errno::LOOP
        | Errno::MLINK
        | Errno::NOTDIR
        | Errno::ISDIR
        | Errno::NOENT
        | Errno::EXIST
        | Errno::NAMETOOLONG => StoreErrorKind::Refused,
        _ => StoreErrorKind::Unavailable,
    }
}

/// The store's name in errors and events.
pub(crate) const NAME: &str = "file";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_refused_and_too_many_open_files_is_unavailable() {
        let kind = |errno| StoreError::from(Fault::Io(errno)).kind();
        assert_eq!(kind(Errno::NOSPC), StoreErrorKind::Refused);
        assert_eq!(kind(Errno::LOOP), StoreErrorKind::Refused);
        assert_eq!(kind(Errno::MFILE), StoreErrorKind::Unavailable);
        assert_eq!(kind(Errno::IO), StoreErrorKind::Unavailable);
    }

    #[test]
    fn the_cause_is_the_source_and_not_the_message() {
        let error = StoreError::from(Fault::Io(Errno::NOSPC));
        assert_eq!(error.to_string(), "the file session store refused the operation");
        assert!(std::error::Error::source(&error).is_some());
    }
}
