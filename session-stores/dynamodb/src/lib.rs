//! Sessions in Amazon DynamoDB and servers that speak its API.
//!
//! One item per session, changed by conditional writes only; an index of sessions by owner that is read consistently;
//! one table for both, with a time-to-live attribute in seconds. [`DynamoDbStore`] takes the application's own
//! `aws_sdk_dynamodb::Client`, re-exported here as [`aws_sdk_dynamodb`].
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use session_store_dynamodb::DynamoDbStore;
//!
//! let store = DynamoDbStore::local("127.0.0.1:8000", "sessions").prefix("shop").build()?;
//! store.create_table().await?;
//! # Ok(())
//! # }
//! ```

#![doc(test(attr(deny(unused_must_use))))]

mod builder;
mod call;
mod classify;
mod failure;
mod item;
mod owners;
mod rotate;
mod store;
mod table;
mod write;

pub use aws_sdk_dynamodb;

pub use builder::{BuildError, Builder};
pub use failure::Failure;
pub use store::DynamoDbStore;
