//! Records in files: one for each id, whose time of change says when it expires.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use session_core::Timestamp;
use session_core::store::StoreError;
use tokio::io::AsyncReadExt as _;

use super::{OldRecord, Records};
use crate::MOST_BYTES;

/// Records in a directory, one file for each.
#[derive(Clone, Debug)]
pub struct FileRecords {
    directory: PathBuf,
    extension: &'static str,
    lifetime: Duration,
}

impl FileRecords {
    /// The files of AdonisJS' store `file`: the directory is its `location`, the lifetime the session's `age`.
    #[cfg(feature = "adonisjs")]
    #[must_use]
    pub fn adonisjs(location: impl Into<PathBuf>, age: Duration) -> Self {
        Self { directory: location.into(), extension: ".txt", lifetime: age }
    }

    /// The files of Laravel's driver `file`: the directory is `session.files` (`storage/framework/sessions`), the lifetime
    /// `session.lifetime`, which is in minutes there.
    #[cfg(feature = "laravel")]
    #[must_use]
    pub fn laravel(files: impl Into<PathBuf>, lifetime: Duration) -> Self {
        Self { directory: files.into(), extension: "", lifetime }
    }

    /// The importers have checked the id; nothing else leads out of the directory either.
    fn path(&self, id: &str) -> Option<PathBuf> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_name = !id.is_empty() && id.bytes().all(is_plain);
        is_name.then(|| self.directory.join(format!("{id}{}", self.extension)))
    }

    async fn read(&self, path: &Path) -> std::io::Result<OldRecord> {
        let file = tokio::fs::File::open(path).await?;
        let changed = file.metadata().await?.modified()?;
        let mut bytes = Vec::new();
        // One more than an importer accepts.
        let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        file.take(most).read_to_end(&mut bytes).await?;
        let changed = changed.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let expires = Timestamp::from_millis(0).plus(changed).plus(self.lifetime);
        Ok(OldRecord::new(bytes).with_expiry(expires))
    }
}

#[async_trait]
impl Records for FileRecords {
    async fn load(&self, id: &str) -> Result<Option<OldRecord>, StoreError> {
        let Some(path) = self.path(id) else { return Ok(None) };
        match self.read(&path).await {
            Ok(record) => Ok(Some(record)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::unavailable(STORE, error)),
        }
    }

    async fn remove(&self, id: &str) -> Result<(), StoreError> {
        let Some(path) = self.path(id) else { return Ok(()) };
        match tokio::fs::remove_file(path).await {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(StoreError::unavailable(STORE, error)),
        }
    }
}

const STORE: &str = "file";
