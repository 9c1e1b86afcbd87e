//! Captures the log of this process: `tracing` spans and events at TRACE, and records of `log`.

use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// One line of a log.
///
/// ```
/// let heard = session_conformance::overheard::Overheard::everything();
/// tracing::trace!(target: "shop", items = 2, "sold");
/// log::trace!(target: "framework", "a request");
/// let lines = heard.lines();
/// assert!(lines.iter().any(|line| line.target == "shop" && line.text.contains("items=2")));
/// assert!(lines.iter().any(|line| line.text == "a request"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Line {
    /// The target, such as a module's path.
    pub target: String,
    /// The message and the fields with their names.
    pub text: String,
}

/// The captured lines. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Overheard(Arc<Mutex<Vec<Line>>>);

impl Overheard {
    /// Starts capturing, for every thread of this process.
    ///
    /// # Panics
    /// If a subscriber or logger is already installed. Call it once per process.
    #[must_use]
    pub fn everything() -> Self {
        let heard = Self::default();
        let subscriber = Ear { heard: heard.clone(), spans: AtomicU64::new(1) };
        tracing::subscriber::set_global_default(subscriber).expect("nobody else listens to tracing");
        let logger = Box::leak(Box::new(heard.clone()));
        log::set_logger(logger).expect("nobody else listens to log");
        log::set_max_level(log::LevelFilter::Trace);
        heard
    }

    /// Captures what this thread logs through `tracing`, until the guard is dropped.
    #[must_use = "it listens until the guard is dropped"]
    pub fn on_this_thread() -> (Self, tracing::subscriber::DefaultGuard) {
        let heard = Self::default();
        let guard = tracing::subscriber::set_default(Ear { heard: heard.clone(), spans: AtomicU64::new(1) });
        (heard, guard)
    }

    /// Returns all lines so far.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, target: &str, text: String) {
        let line = Line { target: target.to_owned(), text };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

impl log::Log for Overheard {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.note(record.target(), record.args().to_string());
    }

    fn flush(&self) {}
}

#[derive(Debug)]
struct Ear {
    heard: Overheard,
    spans: AtomicU64,
}

impl Ear {
    fn note(&self, metadata: &Metadata<'_>, record: impl FnOnce(&mut Fields)) {
        let mut fields = Fields(metadata.name().to_owned());
        record(&mut fields);
        self.heard.note(metadata.target(), fields.0);
    }
}

impl Subscriber for Ear {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.note(span.metadata(), |fields| span.record(fields));
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut fields = Fields(String::new());
        values.record(&mut fields);
        self.heard.note("", fields.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.note(event.metadata(), |fields| event.record(fields));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Fields as text. Types without a method of their own arrive here as `Debug`.
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).expect("a string takes all");
    }
}
