//! How much of a request's form is read.

/// How much of a request's form is read: 1 MiB and 1,000 fields, unless set otherwise. Each adapter says where it is set.
///
/// A form that exceeds a limit is rejected with 413, and the log names the limit.
///
/// ```
/// use session_web::InputLimit;
///
/// let limit = InputLimit::default().bytes(4 * 1024 * 1024).fields(5_000);
/// assert_eq!((limit.bytes, limit.fields), (4_194_304, 5_000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InputLimit {
    /// The most bytes of a body, files included.
    pub bytes: usize,
    /// The most fields, files included.
    pub fields: usize,
}

impl InputLimit {
    /// Sets the most bytes of a body, files included. A CSRF layer looks for the token in as many.
    #[must_use]
    pub const fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Sets the most fields, files included.
    #[must_use]
    pub const fn fields(mut self, fields: usize) -> Self {
        self.fields = fields;
        self
    }
}

impl Default for InputLimit {
    fn default() -> Self {
        // 1,000 fields is PHP's long-standing limit: few forms that a person fills in come near it.
        Self { bytes: 1024 * 1024, fields: 1_000 }
    }
}
