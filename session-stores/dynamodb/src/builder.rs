//! The builder of a store: client, table, prefix and limits.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use session_core::store::DEFAULT_MAX_RECORD;

use crate::names::Names;
use crate::store::DynamoDbStore;

/// Builds a [`DynamoDbStore`]; created by [`DynamoDbStore::new`], [`local`](DynamoDbStore::local) and
/// [`from_url`](DynamoDbStore::from_url).
///
/// | setting | default | description |
/// |---|---|---|
/// | [`prefix`](Self::prefix) | `session` | separates applications that share a table |
/// | [`deadline`](Self::deadline) | 2 s | the maximum duration of a verb |
/// | [`max_record`](Self::max_record) | 64 KiB | the maximum size of a record; the server's limit is 400 KB |
#[derive(Debug, Clone)]
pub struct Builder {
    client: Client,
    table: String,
    prefix: String,
    deadline: Duration,
    max_record: usize,
}

impl Builder {
    pub(crate) fn new(client: Client, table: String) -> Self {
        let prefix = DEFAULT_PREFIX.into();
        Self { client, table, prefix, deadline: DEFAULT_DEADLINE, max_record: DEFAULT_MAX_RECORD }
    }

    /// Sets the prefix of every store key: 1 to 64 letters, digits, `-`, `_` and `.`. Use one prefix per application
    /// and purpose.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets the deadline of a verb, including the client's retries, after which it fails with `Timeout`.
    ///
    /// Configure a shorter attempt timeout and back-off in the client; otherwise a single slow attempt uses the whole
    /// deadline.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets the maximum size of a record, in bytes of payload and owner; at most 390 KiB, which leaves room for the
    /// rest of an item within the server's limit of 400 KB.
    ///
    /// ```
    /// # use session_store_dynamodb::DynamoDbStore;
    /// let local = DynamoDbStore::local("127.0.0.1:8000", "sessions");
    /// assert_eq!(
    ///     local.max_record(400_000).build().unwrap_err().to_string(),
    ///     "records of 400000 bytes do not fit into DynamoDB: the most is 399360",
    /// );
    /// ```
    #[must_use]
    pub fn max_record(mut self, bytes: usize) -> Self {
        self.max_record = bytes;
        self
    }

    /// Builds the store, without a request.
    ///
    /// # Errors
    /// [`BuildError`] if a setting is invalid.
    ///
    /// ```
    /// # use session_store_dynamodb::DynamoDbStore;
    /// let error = DynamoDbStore::local("127.0.0.1:8000", "sessions").prefix("a:b").build().unwrap_err();
    /// assert_eq!(error.to_string(), "the prefix is not 1 to 64 letters, digits, '-', '_' or '.'");
    /// ```
    pub fn build(self) -> Result<DynamoDbStore, BuildError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        // A colon terminates the prefix in every store key, so prefixes without colons cannot overlap.
        if !(1..=64).contains(&self.prefix.len()) || !self.prefix.bytes().all(plain) {
            return Err(BuildError::Prefix);
        }
        if self.table.is_empty() {
            return Err(BuildError::Table);
        }
        if self.deadline.is_zero() {
            return Err(BuildError::Deadline);
        }
        if self.max_record > LARGEST_RECORD {
            return Err(BuildError::MaxRecord { asked: self.max_record, most: LARGEST_RECORD });
        }
        let names = Names::new(&self.prefix);
        Ok(DynamoDbStore::assemble(self.client, self.table, names, self.deadline, self.max_record))
    }
}

/// Returned when a setting of the store is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The prefix is empty, too long, or contains an invalid character.
    #[error("the prefix is not 1 to 64 letters, digits, '-', '_' or '.'")]
    Prefix,
    /// The name of the table is empty.
    #[error("the table has no name")]
    Table,
    /// The deadline is zero.
    #[error("the deadline is zero")]
    Deadline,
    /// The maximum record size exceeds the size of an item.
    #[error("records of {asked} bytes do not fit into DynamoDB: the most is {most}")]
    MaxRecord {
        /// The requested size, in bytes.
        asked: usize,
        /// The largest possible size, in bytes.
        most: usize,
    },
    /// The URL is not of the form `dynamodb://HOST:PORT/TABLE`.
    #[error("not of the form dynamodb://HOST:PORT/TABLE")]
    Url,
}

/// Creates a client for an emulator over plain HTTP, with dummy credentials.
pub(crate) fn local_client(host_port: &str) -> Client {
    let retries =
        RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(50));
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(format!("http://{host_port}"))
        .credentials_provider(Credentials::new("local", "local", None, None, "plain HTTP"))
        .retry_config(retries)
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    Client::from_conf(config.build())
}

/// Splits `dynamodb://HOST:PORT/TABLE` into `HOST:PORT` and `TABLE`.
pub(crate) fn split_url(url: &str) -> Result<(&str, &str), BuildError> {
    let (host_port, table) =
        url.strip_prefix("dynamodb://").and_then(|rest| rest.split_once('/')).ok_or(BuildError::Url)?;
    let (host, port) = host_port.rsplit_once(':').ok_or(BuildError::Url)?;
    let named = !host.is_empty() && !host.contains('@') && port.parse::<u16>().is_ok();
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if named && !table.is_empty() && table.bytes().all(letters) {
        Ok((host_port, table))
    } else {
        Err(BuildError::Url)
    }
}

const DEFAULT_PREFIX: &str = "session";
const DEFAULT_DEADLINE: Duration = Duration::from_secs(2);

/// 400 KB minus 10 KiB for the keys, names and numbers of an item, and for the owner's name in its entry.
const LARGEST_RECORD: usize = 390 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_host_port_and_table_and_nothing_else() {
        assert_eq!(split_url("dynamodb://127.0.0.1:8000/sessions"), Ok(("127.0.0.1:8000", "sessions")));
        for bad in [
            "http://h:1/t",
            "dynamodb://h/t",
            "dynamodb://h:1",
            "dynamodb://h:1/",
            "dynamodb://:1/t",
            "dynamodb://h:99999/t",
            "dynamodb://user@h:1/t",
            "dynamodb://h:1/t/u",
            "dynamodb://h:1/t?x=1",
        ] {
            assert_eq!(split_url(bad), Err(BuildError::Url), "{bad}");
        }
    }
}
