//! What builders of stores have in common: the limits of a verb with their setters, and the prefix of every key.

use std::time::Duration;

use session_core::store::DEFAULT_MAX_RECORD;

/// How long a verb may take, and how large a record may be.
///
/// A builder has one, with the setters of [`limit_setters!`](crate::limit_setters), and passes it to
/// [`CasStore::limits`](crate::CasStore::limits) or [`TxStore::limits`](crate::TxStore::limits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a verb may take, all its calls of the engine together. The default is 2 seconds, the most a year.
    pub timeout: Duration,
    /// The largest record kept, in bytes of payload and owner. The default is 64 KiB.
    pub max_record: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(2), max_record: DEFAULT_MAX_RECORD }
    }
}

/// Implements the setters of a builder for the [`Limits`] in one of its fields.
///
/// ```
/// use session_store_kv::Limits;
/// use std::time::Duration;
///
/// #[derive(Default)]
/// #[must_use]
/// pub struct MyStoreBuilder {
///     limits: Limits,
/// }
///
/// session_store_kv::limit_setters!(MyStoreBuilder, limits);
///
/// let builder = MyStoreBuilder::default().timeout(Duration::from_millis(500)).max_record(4_096);
/// assert_eq!(builder.limits.max_record, 4_096);
/// ```
#[macro_export]
macro_rules! limit_setters {
    ($builder:ty, $field:ident) => {
        impl $builder {
            /// Sets how long a verb may take, everything included that it waits for. The default is 2 seconds, the most
            /// a year.
            pub fn timeout(mut self, timeout: ::std::time::Duration) -> Self {
                self.$field.timeout = timeout;
                self
            }

            /// Sets the largest record kept, in bytes of payload and owner. The default is 64 KiB.
            pub fn max_record(mut self, bytes: usize) -> Self {
                self.$field.max_record = bytes;
                self
            }
        }
    };
}

/// What every key of one application begins with, in a database that applications share: 1 to 100 printable ASCII
/// characters.
///
/// ```
/// use session_store_kv::Prefix;
///
/// let prefix = Prefix::new("shop:").expect("it is printable");
/// assert_eq!(prefix.key("ab12"), "shop:ab12");
/// assert!(Prefix::new("").is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// Creates a prefix; `None` if the text is empty, too long or not printable.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        let is_printable = text.bytes().all(|byte| byte.is_ascii_graphic());
        ((1..=MOST_BYTES).contains(&text.len()) && is_printable).then_some(Self(text))
    }

    /// Puts the prefix before a key of the engine.
    #[must_use]
    pub fn key(&self, key: &str) -> String {
        format!("{}{key}", self.0)
    }
}

const MOST_BYTES: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_one_to_a_hundred_printable_characters() {
        for good in ["s", "shop/", &"x".repeat(100)] {
            assert!(Prefix::new(good).is_some(), "{good}");
        }
        for bad in ["", "my shop", "shop\n", "größe", &"x".repeat(101)] {
            assert!(Prefix::new(bad).is_none(), "{bad}");
        }
    }
}
