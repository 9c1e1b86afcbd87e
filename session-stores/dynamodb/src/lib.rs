//! Sessions in Amazon DynamoDB and servers with its API.
#![doc = include_str!("../README.md")]
#![doc(test(attr(deny(unused_must_use))))]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod call;
mod classify;
mod failure;
mod item;
mod names;
mod owners;
mod rotate;
mod store;
mod table;
mod write;

pub use aws_sdk_dynamodb;

pub use builder::{BuildError, Builder};
pub use failure::Failure;
pub use store::DynamoDbStore;
