//! tower-sessions' traits, implemented for each version that is in use.

use async_trait::async_trait;

use crate::bridge::TowerSessionsBridge;
use crate::error::BridgeError;

macro_rules! implement {
    ($theirs:ident) => {
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

            fn theirs(error: BridgeError) -> Error {
                let text = error.text();
                if error.is_encoding() { Error::Encode(text) } else { Error::Backend(text) }
            }
        };
    };
}

#[cfg(feature = "tower-sessions-0-14")]
implement!(tower_sessions_core_0_14);
#[cfg(feature = "tower-sessions-0-15")]
implement!(tower_sessions_core_0_15);
