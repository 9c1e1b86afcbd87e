//! The claims, one function each, by subject.

#![expect(missing_docs, reason = "each name says what it claims")]

mod bodies;
mod config;
mod csrf;
mod events;
mod flash;
mod forms;
mod handlers;
mod importing;
mod life;
mod old_cookie;
mod origins;
mod owners;
mod redirects;
mod token;
mod typed;

pub use bodies::*;
pub use config::*;
pub use csrf::*;
pub use events::*;
pub use flash::*;
pub use forms::*;
pub use handlers::*;
pub use importing::*;
pub use life::*;
pub use old_cookie::*;
pub use origins::*;
pub use owners::*;
pub use redirects::*;
pub use token::*;
pub use typed::*;

pub(crate) use redirects::{ELSEWHERE, NOT_ASCII};

const MULTIPART: &str = "multipart/form-data; boundary=X";
