//! The values of a request's `Cookie` headers, kept until somebody asks for the session.

use std::fmt;

/// The values of the `Cookie` headers of one request, as bytes.
///
/// ```
/// use session_core::adapter::CookieHeaders;
///
/// let cookies: CookieHeaders = ["theme=dark", "__Host-sid=secret"].into_iter().collect();
/// // `Debug` tells how many headers, never what is in them.
/// assert_eq!(format!("{cookies:?}"), "CookieHeaders(2)");
/// ```
#[derive(Clone, Default)]
pub struct CookieHeaders(Headers);

#[derive(Clone, Default)]
enum Headers {
    #[default]
    None,
    One(Box<[u8]>),
    Many(Vec<Box<[u8]>>),
}

impl<B: AsRef<[u8]>> FromIterator<B> for CookieHeaders {
    fn from_iter<I: IntoIterator<Item = B>>(values: I) -> Self {
        let mut values = values.into_iter();
        let Some(first) = values.next() else { return Self(Headers::None) };
        let first = Box::from(first.as_ref());
        let Some(second) = values.next() else { return Self(Headers::One(first)) };
        let rest = values.map(|value| Box::from(value.as_ref()));
        Self(Headers::Many([first, Box::from(second.as_ref())].into_iter().chain(rest).collect()))
    }
}

impl CookieHeaders {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let slice = match &self.0 {
            Headers::None => [].as_slice(),
            Headers::One(one) => std::slice::from_ref(one),
            Headers::Many(many) => many,
        };
        slice.iter().map(AsRef::as_ref)
    }
}

/// Not their content: cookies are secrets.
impl fmt::Debug for CookieHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CookieHeaders({})", self.iter().count())
    }
}
