//! What went wrong in a call, as the library's four words, without anything that was stored.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::RequestId;
use session_core::store::{StoreError, StoreErrorKind};

use crate::item::NAME;

/// The server answered with an error: the `source()` of a [`StoreError`] of this store.
///
/// It holds the service's own code, sentence and request id, and never an item: the SDK's errors may carry one.
///
/// ```
/// fn ask_support(error: &session_core::store::StoreError) -> Option<String> {
///     let cause = std::error::Error::source(error)?.downcast_ref::<session_store_dynamodb::Failure>()?;
///     cause.request_id().map(|id| format!("request {id} was answered with {}", cause.code()))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation} was answered with {code}{}{message}", if message.is_empty() { "" } else { ": " })]
pub struct Failure {
    operation: &'static str,
    code: String,
    message: String,
    request_id: Option<String>,
}

impl Failure {
    pub(crate) fn new(operation: &'static str, code: &str, message: &str) -> Self {
        Self { operation, code: code.into(), message: message.into(), request_id: None }
    }

    /// The service's code: `AccessDeniedException`, `ResourceNotFoundException`, …
    ///
    /// ```
    /// use session_store_dynamodb::Failure;
    ///
    /// /// Whether a call failed because nobody may make it, which an operator must hear of at once.
    /// fn is_forbidden(error: &session_core::store::StoreError) -> bool {
    ///     let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<Failure>());
    ///     cause.is_some_and(|failure| failure.code() == "AccessDeniedException")
    /// }
    /// assert!(!is_forbidden(&session_core::store::StoreError::timeout("dynamodb")));
    /// ```
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The request's id, for the server's logs and its people.
    ///
    /// ```
    /// use session_store_dynamodb::Failure;
    ///
    /// /// What the service's people ask for.
    /// fn request_id(error: &session_core::store::StoreError) -> Option<&str> {
    ///     std::error::Error::source(error)?.downcast_ref::<Failure>()?.request_id()
    /// }
    /// assert_eq!(request_id(&session_core::store::StoreError::timeout("dynamodb")), None);
    /// ```
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

/// Reads an SDK error as a store error.
pub(crate) fn store_error<E, R>(operation: &'static str, error: SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
    SdkError<E, R>: RequestId,
{
    let kind = match &error {
        SdkError::TimeoutError(_) => StoreErrorKind::Timeout,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => StoreErrorKind::Timeout,
        SdkError::DispatchFailure(failure) if failure.is_user() => StoreErrorKind::Refused,
        SdkError::ConstructionFailure(_) => StoreErrorKind::Refused, // no credentials, no region, no endpoint
        SdkError::ServiceError(answer) => {
            let code = answer.err().code().unwrap_or(UNNAMED);
            let failure = Failure {
                operation,
                code: code.into(),
                message: answer.err().message().unwrap_or_default().into(),
                request_id: error.request_id().map(Into::into),
            };
            return StoreError::new(kind_of(code), NAME).because(failure);
        }
        _ => StoreErrorKind::Unavailable,
    };
    let refusal = StoreError::new(kind, NAME);
    match error.into_source() {
        Ok(cause) => refusal.because(cause),
        Err(_) => refusal,
    }
}

/// What the service's code means for a session. What passes by itself is `Unavailable`: throttling, its own faults.
pub(crate) fn kind_of(code: &str) -> StoreErrorKind {
    match code {
        "ProvisionedThroughputExceededException"
        | "ThrottlingException"
        | "ThrottlingError"
        | "ProvisionedThroughputExceeded"
        | "RequestLimitExceeded"
        | "LimitExceededException"
        | "InternalServerError"
        | "InternalServerException"
        | "ServiceUnavailable"
        | "TransactionConflictException"
        | "TransactionInProgressException"
        | "ReplicatedWriteConflictException"
        | UNNAMED => StoreErrorKind::Unavailable,
        _ => StoreErrorKind::Refused,
    }
}

/// The code of an answer that names none, as a proxy in between may give.
pub(crate) const UNNAMED: &str = "an unnamed error";
