//! For authors of adapters, and for async servers that use the core directly.
//!
//! A middleware begins a visit for each request ([`Middleware::begin`]), puts the [`Visit`] where handlers find it,
//! runs the handler, and adds the headers of the [`VisitReport`] to the response. [`Adapter`] says how one framework's
//! responses are read and made; everything else is the same for all of them and lives here.

pub use crate::engine::answer::{BareResponse, OwnResponse};
pub use crate::engine::finish::{BoxFuture, Closing, Finish, Spawn};
pub use crate::engine::head::RequestHead;
pub use crate::engine::middleware::{Adapter, Begun, Middleware, Settling};
pub use crate::engine::report::{Failure, HeaderChange, VisitReport};
pub use crate::engine::serve::{Refused, Served};
pub use crate::engine::sources::{Clock, Entropy, SystemClock, SystemEntropy};
pub use crate::engine::visit::{CookieHeaders, Visit, VisitGuard};
pub use crate::value::origin::Origin;
pub use crate::value::page::PageRequest;
