//! What a page answers: a template, another page to go to, or a refusal.

use minijinja::Value;
use session_core::{SessionError, UserSessionsError};
use session_web::Redirect;

/// A page's answer, before anything is rendered.
#[derive(Debug)]
pub(crate) enum Go {
    /// This template with these values, and the session's.
    Page(&'static str, Value),
    /// See other: the next page, after a form.
    To(Redirect),
    /// A plain page for this status.
    Status(u16),
}

impl Go {
    pub(crate) fn to(redirect: Redirect) -> Result<Self, Problem> {
        Ok(Self::To(redirect))
    }

    pub(crate) fn page(template: &'static str, values: Value) -> Result<Self, Problem> {
        Ok(Self::Page(template, values))
    }
}

/// A page that was not shown: nobody is signed in, or the shop could not do its work, whose cause is in the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// The shop sends the visitor to the sign-in page.
    #[error("nobody is signed in")]
    SignedOut,
    #[error("the session could not be used")]
    Session(#[from] SessionError),
    #[error("the user's devices could not be looked up")]
    Devices(#[from] UserSessionsError),
    #[error("the page could not be rendered")]
    Template(#[from] minijinja::Error),
}

impl Problem {
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::SignedOut => 401,
            Self::Devices(_) => 503,
            Self::Session(_) | Self::Template(_) => 500,
        }
    }
}

#[cfg(test)]
impl Go {
    /// Where it leads; empty if nowhere.
    pub(crate) fn location(self) -> String {
        match self {
            Self::To(redirect) => redirect.finish().unwrap().location().to_owned(),
            Self::Page(..) | Self::Status(_) => String::new(),
        }
    }
}
