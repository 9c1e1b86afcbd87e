//! Maps errors of the SDK to store errors, without stored data.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::RequestId;
use session_core::store::{StoreError, StoreErrorKind};

use crate::item::NAME;

/// An error returned by the server: the `source()` of a [`StoreError`] of this store.
///
/// Contains the service's code, message and request id, but never an item, which the SDK's errors may contain.
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

    /// Returns the service's code: `AccessDeniedException`, `ResourceNotFoundException`, …
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Returns the request id, for the service's logs and support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

/// Converts an SDK error into a store error.
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

/// Classifies a code of the service. Transient errors (throttling, internal errors) are `Unavailable`.
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

/// The code of a response without one, for example from a proxy.
pub(crate) const UNNAMED: &str = "an unnamed error";
