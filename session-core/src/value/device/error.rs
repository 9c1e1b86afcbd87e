//! Why a proof of the device is refused.

/// Why a proof of the device is refused, for events. The client learns only that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The proof is longer than 4,096 bytes.
    #[error("the proof is too long")]
    TooLong,
    /// Not three parts of base64url, not JSON, or a critical extension.
    #[error("the proof is malformed")]
    Malformed,
    /// The `alg` is not `ES256`, nor another that the application allows, or not that of the session's key.
    #[error("the proof has another algorithm")]
    Algorithm,
    /// The `typ` is not `dbsc+jwt`.
    #[error("the proof has another type")]
    Type,
    /// There is no public key where a binding begins, or it is a private key, or not valid for the `alg`: no point of P-256;
    /// an RSA key of other than 2,048 to 4,096 bits, or with another exponent than 65,537.
    #[error("the proof has no valid public key")]
    Key,
    /// The proof brings a key although the session's is known.
    #[error("the proof brings a key of its own")]
    OwnKey,
    /// The signature is not by the key of the device.
    #[error("the proof has a wrong signature")]
    Signature,
    /// The challenge was not issued here, or for something else.
    #[error("the challenge was not issued here for this")]
    Challenge,
    /// The challenge was issued too long ago.
    #[error("the challenge is too old")]
    Expired,
    /// A newer challenge has been answered already.
    #[error("a newer challenge was answered already")]
    Replayed,
    /// The proof belongs to another binding than the session's, or the session has none.
    #[error("the session has another binding, or none")]
    OtherBinding,
    /// The session is bound to another key already.
    #[error("the session is bound already")]
    AlreadyBound,
    /// The request has no live session.
    #[error("there is no session to bind")]
    NoSession,
    /// The request comes from another origin.
    #[error("the proof comes from another origin")]
    OtherOrigin,
}
