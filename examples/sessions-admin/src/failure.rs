//! Why something was not done, and the exit code that says so.

use session_core::store::StoreError;
use session_stores::SettingError;

use crate::command::NoKey;

/// It was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("there is no such session")]
    NotThere,
    #[error("this session was ended already")]
    Ended,
    #[error("the {0} store cannot find sessions by their user; name the session by its key")]
    NoIndex(&'static str),
    #[error(
        "the {0} store cannot go through all its sessions; those of a user can be listed, and each session is moved when it \
         is used"
    )]
    NoCensus(&'static str),
    #[error("no old store is configured; set SESSION_MIGRATE_FROM, or name it with --from URL")]
    NoOldStore,
    #[error("no secret keys are configured; set SESSION_KEYS")]
    NoKeys,
    #[error(transparent)]
    NoKey(#[from] NoKey),
    #[error("the store did not do it")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Settings(#[from] SettingError),
    #[error("the system's random generator failed")]
    Entropy(#[from] session_core::error::EntropyError),
    #[error("stopped after {moved} sessions; run it again to go on")]
    Stopped { moved: u64 },
}

impl Failure {
    /// The codes that `--help` and the README name.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::NoKey(_) => 2,
            Self::NotThere | Self::Ended => 3,
            Self::NoIndex(_) | Self::NoCensus(_) => 4,
            Self::Stopped { .. } => 130,
            Self::NoOldStore | Self::NoKeys | Self::Store(_) | Self::Settings(_) | Self::Entropy(_) => 1,
        }
    }
}
