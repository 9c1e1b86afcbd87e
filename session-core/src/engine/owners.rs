//! The sessions of a user: listing and counting them, and ending one, all, or all others.

use std::sync::Arc;
use std::time::Duration;

use super::common::Engine;
use super::error::UserSessionsError;
use super::event::Event;
use super::session::Session;
use super::sessions::Sessions;
use super::store::{OwnerIndex, SessionStore};
use crate::decision::moved::is_same_session;
use crate::decision::policy::last_seen;
use crate::value::answer::Written;
use crate::value::content::{self, Content};
use crate::value::id::{Handle, StoreKey};
use crate::value::record::Record;
use crate::value::time::Timestamp;
use crate::value::values::Values;

/// The sessions of one user, by the name that [`Session::tag`] gave them. Made by [`Sessions::of`].
///
/// Each method is one store call, or two where it must first find a session by its handle. A session that is created
/// while [`destroy_all`](Self::destroy_all) runs is either ended or listed afterwards.
///
/// ```
#[doc = include_str!("../given/two_devices.in")]
/// // After a password change on the phone: every other session of this user ends.
/// # let guard = sessions.visit(phone.cookie().into_iter().collect(), &Here);
/// # let session = guard.visit().session().await?;
/// assert_eq!(sessions.of("user-1").destroy_others(&session).await?, 1);
/// assert!(laptop.session().await.fresh() && !phone.session().await.fresh());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct UserSessions {
    engine: Arc<Engine>,
    name: String,
}

/// One session of a user, as a "your devices" page shows it.
///
/// ```
/// use session_core::Device;
///
/// /// One line of a "your devices" page.
/// fn line(device: &Device) -> String {
///     let browser = device.meta.get("browser").ok().flatten().unwrap_or_else(|| "a browser".to_owned());
///     format!("{browser}, last seen {}", device.last_seen.to_offset().date())
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Device {
    /// The public handle, for [`UserSessions::destroy`]. Equal to [`Session::id`] of the same session.
    pub handle: Handle,
    /// When the session began.
    pub created: Timestamp,
    /// When it was last used, with the precision of a tenth of the idle timeout.
    pub last_seen: Timestamp,
    /// When it expires unless it is used.
    pub deadline: Timestamp,
    /// The values of [`User::set_meta`](crate::User::set_meta): the browser, an address.
    pub meta: Values,
    /// Whether the session is bound to the device that signed in.
    pub bound: bool,
}

/// What [`UserSessions::make_room`] does if the user has too many sessions.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # #[derive(Debug)] struct Here;
/// # impl session_core::adapter::Spawn for Here { fn spawn(&self, f: session_core::adapter::BoxFuture<()>) { tokio::spawn(f); } }
/// # use session_core::adapter::CookieHeaders;
/// use session_core::{Excess, UserSessionsError};
///
/// # let key = session_core::SecretKey::generate()?;
/// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
/// # let guard = sessions.visit(CookieHeaders::default(), &Here);
/// # let session = guard.visit().session().await?;
/// # session.tag("ada")?;
/// # session.commit().await?;
/// # let others = sessions.visit(CookieHeaders::default(), &Here);
/// # let session = others.visit().session().await?;
/// // Somebody is signed in already, and one is all there may be.
/// let refused = sessions.of("ada").make_room(&session, 1, Excess::Refuse).await;
/// assert!(matches!(refused, Err(UserSessionsError::TooMany { most: 1 })));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a promise: these are all the ways there are")]
pub enum Excess {
    /// Refuse the new session.
    Refuse,
    /// End the oldest sessions.
    EndOldest,
}

impl Sessions {
    /// Returns the sessions of a user.
    #[must_use]
    pub fn of(&self, user: impl Into<String>) -> UserSessions {
        UserSessions { engine: self.engine.clone(), name: user.into() }
    }
}

impl UserSessions {
    /// Returns the user's live sessions, the newest first.
    ///
    /// # Errors
    /// [`UserSessionsError::NotSupported`] if the store keeps no index, [`UserSessionsError::Store`] if it fails.
    ///
    /// ```
    #[doc = include_str!("../given/two_devices.in")]
    /// for device in sessions.of("user-1").list().await? {
    ///     println!("{} since {}", device.handle, device.created.to_offset());
    /// }
    /// # assert_eq!(sessions.of("user-1").list().await?.len(), 2);
    /// # Ok(()) }
    /// ```
    pub async fn list(&self) -> Result<Vec<Device>, UserSessionsError> {
        let found = self.find().await?;
        let mut devices: Vec<Device> =
            found.into_iter().map(|(key, record)| self.device(&key, &record)).collect();
        devices.sort_by_key(|device| (std::cmp::Reverse(device.created), device.handle));
        Ok(devices)
    }

    /// Returns the number of the user's live sessions.
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn count(&self) -> Result<usize, UserSessionsError> {
        let index = self.index()?;
        index.count(&self.name, self.engine.clock.now()).await.map_err(|error| self.failed(error))
    }

    /// Returns one of the user's sessions, or `None` if the user has none with this handle.
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    ///
    /// ```
    #[doc = include_str!("../given/two_devices.in")]
    /// let handle = phone.session().await.id()?;
    /// assert!(sessions.of("user-1").get(handle).await?.is_some());
    /// // It is nobody else's.
    /// assert!(sessions.of("user-2").get(handle).await?.is_none());
    /// # Ok(()) }
    /// ```
    pub async fn get(&self, handle: Handle) -> Result<Option<Device>, UserSessionsError> {
        Ok(self.find_one(handle).await?.map(|(key, record)| self.device(&key, &record)))
    }

    /// Ends one of the user's sessions and returns whether it existed. Another user's session is never ended.
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    ///
    /// ```
    #[doc = include_str!("../given/two_devices.in")]
    /// let handle = laptop.session().await.id()?;
    /// assert!(sessions.of("user-1").destroy(handle).await?);
    /// assert!(laptop.session().await.fresh(), "the laptop is signed out");
    /// # Ok(()) }
    /// ```
    pub async fn destroy(&self, handle: Handle) -> Result<bool, UserSessionsError> {
        let Some((key, record)) = self.find_one(handle).await? else { return Ok(false) };
        self.end(key, &record).await?;
        Ok(true)
    }

    /// Ends all sessions of the user and returns their number.
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn destroy_all(&self) -> Result<usize, UserSessionsError> {
        self.destroy_but(None).await
    }

    /// Ends all sessions of the user except this one and returns their number. Call it after a password change.
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn destroy_others(&self, session: &Session) -> Result<usize, UserSessionsError> {
        let own = session.read(|state| state.key());
        self.destroy_but(own.as_ref()).await
    }

    /// Limits the user to `most` sessions, this one included. Call it at sign-in, before [`tag`](Session::tag). Two
    /// concurrent sign-ins may both be admitted.
    ///
    /// # Errors
    /// [`UserSessionsError::TooMany`] with [`Excess::Refuse`], and as for [`list`](Self::list).
    ///
    /// ```
    #[doc = include_str!("../given/two_devices.in")]
    /// # let guard = sessions.visit(CookieHeaders::default(), &Here);
    /// # let session = guard.visit().session().await?;
    /// // A third device signs in, and two is as many as there may be: the laptop's, which began first, ends.
    /// sessions.of("user-1").make_room(&session, 2, Excess::EndOldest).await?;
    /// session.tag("user-1")?;
    /// session.commit().await?;
    /// assert_eq!(sessions.of("user-1").count().await?, 2);
    /// # Ok(()) }
    /// ```
    pub async fn make_room(
        &self,
        session: &Session,
        most: usize,
        excess: Excess,
    ) -> Result<(), UserSessionsError> {
        let own = session.read(|state| state.key());
        let mut others = self.find().await?;
        others.retain(|(key, _)| Some(key) != own.as_ref());
        let Some(too_many) = (others.len() + 1).checked_sub(most.max(1)).filter(|number| *number > 0) else {
            return Ok(());
        };
        match excess {
            Excess::Refuse => Err(UserSessionsError::TooMany { most }),
            Excess::EndOldest => {
                others.sort_by_key(|(_, record)| record.created);
                for (key, record) in &others[..too_many.min(others.len())] {
                    self.end(*key, record).await?;
                }
                Ok(())
            }
        }
    }

    async fn destroy_but(&self, except: Option<&StoreKey>) -> Result<usize, UserSessionsError> {
        let now = self.engine.clock.now();
        let until = self.engine.policy.tombstone_until(now);
        let ended = self.index()?.destroy_all(&self.name, except, now, until).await;
        ended.map_err(|error| self.failed(error))
    }

    /// Ends a session that was found under this key, under whatever key it is by now.
    async fn end(&self, mut key: StoreKey, found: &Record) -> Result<(), UserSessionsError> {
        let until = self.engine.policy.tombstone_until(self.engine.clock.now());
        loop {
            match self.store()?.destroy(&key, until).await.map_err(|error| self.failed(error))? {
                Written::Moved { key: to, record } if is_same_session(found, &record) => key = to,
                _ => break,
            }
        }
        self.engine.tell(&Event::Destroyed(key.handle()));
        Ok(())
    }

    async fn find(&self) -> Result<Vec<(StoreKey, Record)>, UserSessionsError> {
        let found = self.index()?.list(&self.name, self.engine.clock.now()).await;
        found.map_err(|error| self.failed(error))
    }

    async fn find_one(&self, handle: Handle) -> Result<Option<(StoreKey, Record)>, UserSessionsError> {
        Ok(self.find().await?.into_iter().find(|(key, _)| key.handle() == handle))
    }

    fn device(&self, key: &StoreKey, record: &Record) -> Device {
        let (created, deadline) = (record.created, record.deadline());
        let idle = record.idle_deadline;
        // A record whose content cannot be read is still a session that can be ended.
        let content = Content::decode(&record.payload, record.owner.clone()).unwrap_or_default();
        let bound = content.system.exists(content::DEVICE);
        let age = match content.age() {
            Some(age) => age,
            None if content.has_something() => self.engine.policy.age,
            None => created.until(idle).min(Duration::from_secs(60)),
        };
        Device {
            handle: key.handle(),
            created,
            last_seen: last_seen(record, age),
            deadline,
            meta: content.meta(),
            bound,
        }
    }

    fn store(&self) -> Result<&dyn SessionStore, UserSessionsError> {
        self.engine.store.as_deref().ok_or(UserSessionsError::NotSupported { store: "cookie" })
    }

    fn index(&self) -> Result<&dyn OwnerIndex, UserSessionsError> {
        let store = self.store()?;
        store.owners().ok_or(UserSessionsError::NotSupported { store: store.name() })
    }

    fn failed(&self, error: crate::value::answer::StoreError) -> UserSessionsError {
        self.engine.tell(&Event::StoreError(error.store()));
        UserSessionsError::Store(error)
    }
}
