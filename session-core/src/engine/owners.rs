//! The sessions of a user: listing and counting them, and ending one, all, or all others.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use super::common::Engine;
use super::error::UserSessionsError;
use super::event::Event;
use super::room;
use super::session::Session;
use super::sessions::Sessions;
use super::store::{OwnerIndex, PAGE, SessionStore};
use crate::decision::policy::last_seen;
use crate::value::answer::{Loaded, StoreErrorKind};
use crate::value::content::{self, Content};
use crate::value::head::SessionHead;
use crate::value::id::{Handle, StoreKey};
use crate::value::record::Record;
use crate::value::time::Timestamp;
use crate::value::values::Values;

/// The sessions of one user, by the name that [`Session::tag`] gave them. Made by [`Sessions::of`].
///
/// What counts, finds and ends sessions reads their heads, page by page, and not their data. A session that is created
/// while [`destroy_all`](Self::destroy_all) runs is either ended or listed afterwards.
///
/// ```
#[doc = include_str!("../given/two_devices.in")]
/// // After a password change on the phone: every other session of this user ends.
/// # let guard = sessions.visit(phone.cookie().into_iter().collect(), &Here);
/// # let session = guard.visit().session().await?;
/// assert_eq!(sessions.of("user-1").destroy_others(&session).await?, 1);
/// assert!(laptop.session().await.status().fresh() && !phone.session().await.status().fresh());
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
    /// The values of [`User::set_meta`](crate::facet::User::set_meta): the browser, an address.
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

/// Where a device stands in a list.
type Rank = (Reverse<Timestamp>, Handle);

impl Device {
    fn rank(&self) -> Rank {
        (Reverse(self.created), self.handle)
    }
}

impl Sessions {
    /// Returns the sessions of a user.
    #[must_use]
    pub fn of(&self, user: impl Into<String>) -> UserSessions {
        UserSessions { engine: self.engine.clone(), name: user.into() }
    }
}

impl UserSessions {
    /// How many sessions a list holds at most.
    pub const PAGE: usize = 100;

    /// Returns the user's live sessions, the newest first: at most [`PAGE`](Self::PAGE) of them, which is more than most
    /// users have. [`list_after`](Self::list_after) returns the others.
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
        let now = self.engine.clock.now();
        let first = self.index()?.page(&self.name, None, Self::PAGE, now).await;
        let first = first.map_err(|error| self.failed(error))?;
        if first.next.is_some() {
            return self.newest(None).await;
        }
        let mut devices: Vec<Device> =
            first.entries.iter().map(|(key, record)| self.device(key, record)).collect();
        devices.sort_by_key(Device::rank);
        devices.dedup_by_key(|device| device.handle);
        Ok(devices)
    }

    /// Returns the sessions that come after this one in [`list`](Self::list): again at most [`PAGE`](Self::PAGE), and none
    /// after the last one.
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    ///
    /// ```
    #[doc = include_str!("../given/two_devices.in")]
    /// let user = sessions.of("user-1");
    /// let mut page = user.list().await?;
    /// while let Some(last) = page.last() {
    ///     println!("{} sessions", page.len());
    ///     page = user.list_after(last).await?;
    /// }
    /// # Ok(()) }
    /// ```
    pub async fn list_after(&self, last: &Device) -> Result<Vec<Device>, UserSessionsError> {
        self.newest(Some(last.rank())).await
    }

    /// The newest sessions after this one: all heads are sorted, and the records of one page are read.
    async fn newest(&self, after: Option<Rank>) -> Result<Vec<Device>, UserSessionsError> {
        let mut heads = self.heads().await?;
        let rank = |head: &SessionHead| (Reverse(head.created), head.key.handle());
        heads.retain(|head| after.is_none_or(|after| rank(head) > after));
        heads.sort_by_key(rank);
        heads.truncate(Self::PAGE);
        let mut devices = Vec::with_capacity(heads.len());
        for head in heads {
            devices.extend(self.look(&head.key).await?);
        }
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
        match self.find(handle).await? {
            Some(head) => self.look(&head.key).await,
            None => Ok(None),
        }
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
    /// assert!(laptop.session().await.status().fresh(), "the laptop is signed out");
    /// # Ok(()) }
    /// ```
    pub async fn destroy(&self, handle: Handle) -> Result<bool, UserSessionsError> {
        let Some(head) = self.find(handle).await? else { return Ok(false) };
        let ended = room::end(&self.engine, self.store()?, &self.name, &head).await;
        ended.map_err(|error| self.failed(error))?;
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
        let mut others = self.heads().await?;
        others.retain(|head| Some(head.key) != own);
        let most_others = most.max(1) - 1;
        match excess {
            _ if others.len() <= most_others => Ok(()),
            Excess::Refuse => Err(UserSessionsError::TooMany { most }),
            Excess::EndOldest => {
                let ended =
                    room::end_oldest(&self.engine, self.store()?, &self.name, others, most_others).await;
                ended.map_err(|error| self.failed(error))
            }
        }
    }

    async fn destroy_but(&self, except: Option<&StoreKey>) -> Result<usize, UserSessionsError> {
        let now = self.engine.clock.now();
        let until = self.engine.policy.tombstone_until(now);
        let ended = self.index()?.destroy_all(&self.name, except, now, until).await;
        ended.map_err(|error| self.failed(error))
    }

    async fn heads(&self) -> Result<Vec<SessionHead>, UserSessionsError> {
        let heads = room::heads(&self.engine, self.index()?, &self.name).await;
        heads.map_err(|error| self.failed(error))
    }

    /// The head of one of the user's sessions.
    async fn find(&self, handle: Handle) -> Result<Option<SessionHead>, UserSessionsError> {
        let (index, now, mut from) = (self.index()?, self.engine.clock.now(), None);
        loop {
            let page = index.heads(&self.name, from.as_ref(), PAGE, now).await;
            let page = page.map_err(|error| self.failed(error))?;
            if let Some(head) = page.entries.into_iter().find(|head| head.key.handle() == handle) {
                return Ok(Some(head));
            }
            from = page.next;
            if from.is_none() {
                return Ok(None);
            }
        }
    }

    /// Reads one of the user's sessions, unless it has ended or has become another user's meanwhile.
    async fn look(&self, key: &StoreKey) -> Result<Option<Device>, UserSessionsError> {
        let now = self.engine.clock.now();
        match self.store()?.load(key).await {
            Ok(Loaded::Found(record))
                if record.owner.as_deref() == Some(&*self.name) && record.is_live(now) =>
            {
                Ok(Some(self.device(key, &record)))
            }
            Ok(_) => Ok(None),
            Err(error) if error.kind() == StoreErrorKind::Corrupt => Ok(None),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn device(&self, key: &StoreKey, record: &Record) -> Device {
        let (created, deadline) = (record.created, record.deadline());
        let idle = record.idle_deadline;
        // A record whose content cannot be read is still a session that can be ended.
        let content = Content::decode(&record.payload, record.owner.clone()).unwrap_or_default();
        let bound = content.system.has(content::DEVICE);
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
        self.engine.tell(&Event::of_store(&error));
        UserSessionsError::Store(error)
    }
}
