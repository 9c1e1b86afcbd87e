//! The `SameSite` attribute of a cookie.

/// Whether a cookie comes along with requests that other sites cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a promise: the attribute has these three values")]
pub enum SameSite {
    /// Never.
    Strict,
    /// With top-level navigation by a safe method: links work.
    Lax,
    /// Always: for pages that live in other sites' frames. Needs `Secure`.
    None,
}

impl SameSite {
    /// The word as the attribute has it.
    ///
    /// ```
    /// assert_eq!(session_core::SameSite::Lax.as_str(), "Lax");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Lax => "Lax",
            Self::None => "None",
        }
    }
}
