//! Scripts: what a request of the probe does to its session, as data, run by the same function under every adapter.
//!
//! A script is JSON, and so are its results. Values pass through as the text they
//! are, so that 128-bit integers stay exact.

mod fields;
mod kind;
mod run;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use session_core::Session;

use kind::Failed;

/// A script: operations in order, and the status of the response.
///
/// ```
/// use session_core::Session;
/// use session_conformance::script::Script;
///
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let script = Script::parse(br#"{"ops": [{"op": "put", "key": "user.name", "value": "ada"}, {"op": "get", "key": "user"}]}"#)?;
/// let answer = script.run(&Session::standalone()).await;
/// assert_eq!(answer.to_json(), r#"{"results":[{"ok":null},{"ok":{"name":"ada"}}]}"#);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Deserialize)]
pub struct Script {
    ops: Vec<Box<RawValue>>,
    #[serde(default = "ok")]
    status: u16,
}

/// Returned when a text is not a script. An invalid operation in a script is not this error; its result is `BadOp`.
///
/// ```
/// use session_conformance::script::Script;
///
/// let error = Script::parse(b"get theme").unwrap_err();
/// assert!(error.to_string().starts_with("not a script"));
/// ```
#[derive(Debug, thiserror::Error)]
#[error("not a script: JSON like {{\"ops\": [{{\"op\": \"all\"}}], \"status\": 200}} is expected")]
pub struct NotAScript(#[source] serde_json::Error);

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// [`NotAScript`] if the text is not JSON of this form, or the status is not between 200 and 599.
    pub fn parse(text: &[u8]) -> Result<Self, NotAScript> {
        let script: Self = serde_json::from_slice(text).map_err(NotAScript)?;
        if (200..600).contains(&script.status) {
            Ok(script)
        } else {
            Err(NotAScript(serde::de::Error::custom("the status is not between 200 and 599")))
        }
    }

    /// Returns the status of the response.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Runs every operation. The result of a failing one is its error, and the script continues.
    ///
    /// # Panics
    /// At an operation `panic`, on purpose.
    pub async fn run(&self, session: &Session) -> Answer {
        let mut results = Vec::with_capacity(self.ops.len());
        for op in &self.ops {
            results.push(match run::run(session, op).await {
                Ok(value) => OneResult::Ok(value),
                Err(failed) => OneResult::Err(failed),
            });
        }
        Answer { results }
    }
}

/// The results of a script, one per operation, in order.
///
/// ```
/// use session_core::Session;
/// use session_conformance::script::Script;
///
/// # #[tokio::main] async fn main() {
/// let answer = Script::parse(br#"{"ops": []}"#).unwrap().run(&Session::standalone()).await;
/// assert_eq!(answer.to_json(), r#"{"results":[]}"#);
/// # }
/// ```
#[derive(Debug, Serialize)]
pub struct Answer {
    results: Vec<OneResult>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum OneResult {
    Ok(Box<RawValue>),
    Err(Failed),
}

impl Answer {
    /// Returns the results as the probe sends them.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("results are JSON already")
    }
}

impl From<Answer> for Bytes {
    fn from(answer: Answer) -> Self {
        answer.to_json().into()
    }
}

fn ok() -> u16 {
    200
}
