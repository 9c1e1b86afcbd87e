//! tower-sessions' traits, implemented for each version that is in use.

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::bridge::TowerSessionsBridge;
use crate::error::BridgeError;
use crate::old::OldStore;
use crate::payload::Data;

macro_rules! implement {
    ($theirs:ident, $with_old:ident, $version:literal) => {
        const _: () = {
            use $theirs::session::{Id, Record};
            use $theirs::session_store::{Error, ExpiredDeletion, Result};

            #[async_trait]
            impl $theirs::SessionStore for TowerSessionsBridge {
                async fn create(&self, record: &mut Record) -> Result<()> {
                    let draw = || Id::default().0;
                    let id = self.add(record.id.0, draw, &record.data, record.expiry_date).await;
                    record.id = Id(id.map_err(theirs)?);
                    Ok(())
                }

                async fn save(&self, record: &Record) -> Result<()> {
                    let place = std::ptr::from_ref(record).addr();
                    self.put(record.id.0, &record.data, record.expiry_date, place).await.map_err(theirs)
                }

                async fn load(&self, id: &Id) -> Result<Option<Record>> {
                    let loaded = self.get(id.0).await.map_err(theirs)?;
                    Ok(loaded.map(|(data, expiry_date)| Record { id: *id, data, expiry_date }))
                }

                async fn delete(&self, id: &Id) -> Result<()> {
                    self.end(id.0).await.map_err(theirs)
                }
            }

            #[async_trait]
            impl ExpiredDeletion for TowerSessionsBridge {
                async fn delete_expired(&self) -> Result<()> {
                    self.sweep().await.map_err(theirs)
                }
            }

            impl TowerSessionsBridge {
                #[doc = concat!("Takes the store of tower-sessions ", $version, " that the application had before.")]
                ///
                /// A session that is still there moves here when it is used, under the same id, so that nobody is signed
                /// out by the change of the store. It is removed there, also by a `delete`. Take the old store out once
                /// its sessions have expired.
                ///
                /// # Panics
                /// If the bridge was cloned before.
                #[must_use]
                pub fn $with_old(self, old: impl $theirs::SessionStore) -> Self {
                    self.with_old(Old(old))
                }
            }

            #[derive(Debug)]
            struct Old<S>(S);

            #[async_trait]
            impl<S: $theirs::SessionStore> OldStore for Old<S> {
                async fn load(&self, id: i128) -> std::result::Result<Option<(Data, OffsetDateTime)>, BridgeError> {
                    let loaded = self.0.load(&Id(id)).await.map_err(|error| BridgeError::OldStore(error.to_string()))?;
                    Ok(loaded.map(|record| (record.data, record.expiry_date)))
                }

                async fn delete(&self, id: i128) -> std::result::Result<(), BridgeError> {
                    self.0.delete(&Id(id)).await.map_err(|error| BridgeError::OldStore(error.to_string()))
                }
            }

            fn theirs(error: BridgeError) -> Error {
                let text = error.text();
                if error.is_encoding() { Error::Encode(text) } else { Error::Backend(text) }
            }
        };
    };
}

#[cfg(feature = "tower-sessions-0-14")]
implement!(tower_sessions_core_0_14, moving_from_0_14, "0.14");
#[cfg(feature = "tower-sessions-0-15")]
implement!(tower_sessions_core_0_15, moving_from_0_15, "0.15");
