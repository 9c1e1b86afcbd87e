//! What the browsers asked and were answered, in the order in which it happened.

use std::cell::{Cell, Ref, RefCell};
use std::fmt::{self, Write as _};

use crate::application::Shown;

/// Everything that the judge reads, and the trace of the run.
#[derive(Default)]
pub(crate) struct History {
    order: Cell<u64>,
    words: Cell<u64>,
    calls: RefCell<Vec<Call>>,
    cookies: RefCell<Vec<Cookie>>,
    trace: RefCell<String>,
}

/// One request of a browser.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) user: &'static str,
    pub(crate) action: Action,
    /// The word that identifies a write, a message, or the session that a sign-in begins.
    pub(crate) word: String,
    /// The position of the cookie that was sent.
    pub(crate) cookie: Option<usize>,
    /// When it was sent.
    pub(crate) asked: u64,
    /// `None` if the connection was lost, or the browser has stopped waiting.
    pub(crate) answer: Option<Answer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Browse,
    SignIn,
    Write,
    Update,
    Flash,
    Show,
    Regenerate,
    SignOut,
    SignOutEverywhere,
}

/// A response.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// When it was read.
    pub(crate) at: u64,
    pub(crate) status: u16,
    /// The session that it is about.
    pub(crate) name: Option<String>,
    pub(crate) shown: Option<Shown>,
}

/// A cookie that a browser was sent.
#[derive(Clone, Debug)]
pub(crate) struct Cookie {
    pub(crate) user: &'static str,
    pub(crate) value: String,
    /// The session that it was sent for.
    pub(crate) name: Option<String>,
    /// The position of the call whose response set it.
    pub(crate) set_by: usize,
}

impl Action {
    pub(crate) fn verb(self) -> &'static str {
        match self {
            Self::Browse => "browse",
            Self::SignIn => "sign-in",
            Self::Write => "write",
            Self::Update => "update",
            Self::Flash => "flash",
            Self::Show => "show",
            Self::Regenerate => "regenerate",
            Self::SignOut => "sign-out",
            Self::SignOutEverywhere => "sign-out-everywhere",
        }
    }
}

impl History {
    /// A word that no other call has.
    pub(crate) fn word(&self, first: char) -> String {
        self.words.set(self.words.get() + 1);
        format!("{first}{}", self.words.get())
    }

    /// Begins a call and returns its position.
    pub(crate) fn ask(&self, user: &'static str, action: Action, word: &str, cookie: Option<usize>) -> usize {
        let call = Call { user, action, word: word.to_owned(), cookie, asked: self.next(), answer: None };
        self.calls.borrow_mut().push(call);
        self.calls.borrow().len() - 1
    }

    pub(crate) fn answered(&self, call: usize, status: u16, name: Option<String>, shown: Option<Shown>) {
        let at = self.next();
        self.calls.borrow_mut()[call].answer = Some(Answer { at, status, name, shown });
    }

    /// Adds a cookie and returns its position.
    pub(crate) fn cookie(&self, cookie: Cookie) -> usize {
        self.cookies.borrow_mut().push(cookie);
        self.cookies.borrow().len() - 1
    }

    pub(crate) fn calls(&self) -> Ref<'_, Vec<Call>> {
        self.calls.borrow()
    }

    pub(crate) fn cookies(&self) -> Ref<'_, Vec<Cookie>> {
        self.cookies.borrow()
    }

    /// Adds a line to the trace, with the simulated time if a host is running.
    pub(crate) fn note(&self, line: fmt::Arguments<'_>) {
        let at = turmoil::sim_elapsed().map_or_else(String::new, |at| at.as_millis().to_string());
        writeln!(self.trace.borrow_mut(), "{at:>6} {line}").expect("a string takes any text");
    }

    pub(crate) fn trace(&self) -> String {
        self.trace.borrow().clone()
    }

    fn next(&self) -> u64 {
        self.order.set(self.order.get() + 1);
        self.order.get()
    }
}

impl Call {
    /// The status of the response.
    pub(crate) fn status(&self) -> Option<u16> {
        self.answer.as_ref().map(|answer| answer.status)
    }

    /// Whether the response says that it was done.
    pub(crate) fn is_done(&self) -> bool {
        self.status().is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether it may have been done or not, or is still to be done: it failed or was not answered.
    pub(crate) fn is_open(&self) -> bool {
        self.status().is_none_or(|status| status >= 500)
    }

    /// The session that the response is about.
    pub(crate) fn name(&self) -> Option<&str> {
        self.answer.as_ref()?.name.as_deref()
    }

    /// When the response was read, if it was.
    pub(crate) fn at(&self) -> Option<u64> {
        self.answer.as_ref().map(|answer| answer.at)
    }

    /// Whether the response was read before this moment.
    pub(crate) fn ended_before(&self, moment: u64) -> bool {
        self.at().is_some_and(|at| at < moment)
    }
}
