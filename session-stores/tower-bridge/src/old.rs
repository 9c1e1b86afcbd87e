//! The store that an application had before: sessions move out of it when they are used.

use std::fmt;

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::error::BridgeError;
use crate::payload::Data;

/// A store of either version of tower-sessions.
#[async_trait]
pub(crate) trait OldStore: fmt::Debug + Send + Sync {
    async fn load(&self, id: i128) -> Result<Option<(Data, OffsetDateTime)>, BridgeError>;
    async fn delete(&self, id: i128) -> Result<(), BridgeError>;
}
