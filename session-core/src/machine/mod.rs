//! For servers without async, for tools and for proofs: the session as a state machine, and the cookie codec.
//!
//! [`BlockingSessions`] is all that a server without async needs: it opens a session for a request and closes it before
//! the response, over a [`BlockingStore`].
//!
//! Below it, nothing awaits, locks, reads a clock or makes randomness. Open a [`SessionState`] from what a [`CookieCodec`]
//! reads and what the store holds, change it, and [`Commit`] it: the commit gives one [`StoreOp`] after the other to
//! perform, and at the end the [`CookieOrder`] for the response.
//!
//! Two modules hold the parts: [`table`] the decision behind a commit, [`cookie`] the steps of the codec.

pub mod cookie;
pub mod table;

pub use crate::decision::codec::{CookieCodec, Decoded, SetCookies};
pub use crate::decision::commit::{Commit, CookieOrder, Fresh, NotBegun, Outcome, StoreOp};
pub use crate::decision::policy::refresh_interval;
pub use crate::decision::state::{
    Access, Arrival, Claim, Demand, DeviceCheck, LoadError, NewerFormat, Notice, SessionState,
};
pub use crate::engine::blocking::{BlockingSessions, BlockingStore};
pub use crate::value::bag::Bag;
pub use crate::value::device::{BindingId, Shown, Unproven};
pub use crate::value::flash::FlashBag;
pub use crate::value::id::SessionId;
pub use crate::value::journal::Journal;
pub use crate::value::values::Values;
