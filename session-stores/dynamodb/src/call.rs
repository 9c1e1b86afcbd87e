//! The requests: one per call, with fallbacks for servers with fewer features, all within the deadline.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    CancellationReason, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use session_core::store::{StoreError, StoreErrorKind};
use tracing::{Dispatch, instrument::WithSubscriber};

use crate::failure::{Failure, kind_of, store_error};
use crate::item::{Item, NAME, corrupt};
use crate::write::{Change, Write, unless_longer};

/// The client, the table, and the detected features of the server.
#[derive(Debug)]
pub(crate) struct Calls {
    pub(crate) client: Client,
    pub(crate) table: String,
    pub(crate) deadline: Duration,
    /// Whether the server returns the item for which a condition failed. Until one has been received, a refusal
    /// without an item is followed by a consistent read: the item may be missing, or the server may not support the
    /// option.
    brings_items: AtomicBool,
    /// Whether the server has reported that it does not support transactions.
    lacks_transactions: AtomicBool,
}

/// The outcome of a write.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Applied.
    Done,
    /// The condition failed, with the current item.
    Refused(Option<Item>),
}

/// The outcome of a transaction.
#[derive(Debug)]
pub(crate) enum Together {
    /// All writes were applied.
    Done,
    /// No write was applied. One entry per write, with the current item where the condition failed.
    Refused(Vec<Option<Outcome>>),
    /// The server does not support transactions; nothing was applied.
    Unsupported,
}

impl Calls {
    pub(crate) fn new(client: Client, table: String, deadline: Duration) -> Self {
        let (brings_items, lacks_transactions) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { client, table, deadline, brings_items, lacks_transactions }
    }

    /// Applies the deadline, including the SDK's retries, and fails with `Timeout` after it.
    ///
    /// The SDK logs every request and every response at TRACE, records included, and has no switch for it. So nothing is
    /// logged while it works; failures are in the returned error.
    pub(crate) async fn within<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        match tokio::time::timeout(self.deadline, call).with_subscriber(Dispatch::none()).await {
            Ok(answer) => answer,
            Err(_) => Err(StoreError::timeout(NAME)),
        }
    }

    /// Reads an item with a consistent read.
    pub(crate) async fn get(&self, key: &Item) -> Result<Option<Item>, StoreError> {
        let call = self.client.get_item().table_name(&self.table).set_key(Some(key.clone()));
        let answer = call.consistent_read(true).send().await;
        let item = answer.map_err(|error| store_error("GetItem", error))?.item;
        // An answer about another key is none.
        match item {
            Some(item) if key.iter().any(|(name, value)| item.get(name) != Some(value)) => Err(corrupt()),
            item => Ok(item),
        }
    }

    /// Executes a write.
    pub(crate) async fn write(&self, write: &Write) -> Result<Outcome, StoreError> {
        for round in 0.. {
            match self.write_once(write).await? {
                Attempt::Done => return Ok(Outcome::Done),
                Attempt::Refused(item) => return Ok(Outcome::Refused(self.standing(write, item).await?)),
                Attempt::Busy => pause(round).await,
            }
        }
        Err(StoreError::timeout(NAME))
    }

    /// Executes writes in a transaction.
    pub(crate) async fn write_together(&self, writes: &[&Write]) -> Result<Together, StoreError> {
        if self.lacks_transactions.load(Ordering::Relaxed) {
            return Ok(Together::Unsupported);
        }
        for round in 0.. {
            // No explicit idempotency token: the SDK creates one per call, so its retries are idempotent. With a
            // token derived from the record, a later retry by the caller would be answered from the service's memory
            // instead of the table.
            let items = writes.iter().map(|write| self.part(write)).collect::<Result<Vec<_>, _>>()?;
            let call = self.client.transact_write_items().set_transact_items(Some(items));
            let error = match call.send().await {
                Ok(_) => return Ok(Together::Done),
                Err(error) => error,
            };
            let reasons = match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    cancelled.cancellation_reasons()
                }
                Some(TransactWriteItemsError::TransactionInProgressException(_)) => &[],
                Some(other) if other.code() == Some(UNKNOWN_OPERATION) => {
                    self.lacks_transactions.store(true, Ordering::Relaxed);
                    return Ok(Together::Unsupported);
                }
                _ => return Err(store_error(TRANSACTION, error)),
            };
            if let Some(refused) = self.refusals(writes, reasons).await? {
                return Ok(Together::Refused(refused));
            }
            pause(round).await;
        }
        Err(StoreError::timeout(NAME))
    }

    /// Writes a session together with its owner's entry.
    ///
    /// Without transactions, the entry is written first: an entry without a session is skipped, but a session without
    /// an entry would be missed.
    pub(crate) async fn write_listed(&self, session: &Write, entry: &Write) -> Result<Outcome, StoreError> {
        match self.write_together(&[session, entry]).await? {
            Together::Done => Ok(Outcome::Done),
            Together::Refused(mut parts) => match parts.swap_remove(0) {
                Some(refused) => Ok(refused),
                None => Err(StoreError::unavailable(NAME, Failure::new(TRANSACTION, CANCELLED, ""))),
            },
            Together::Unsupported => {
                self.write(&unless_longer(entry)).await?;
                self.write(session).await
            }
        }
    }

    /// Decodes why a transaction was cancelled. Returns `None` if it conflicted with another transaction and must be
    /// retried.
    async fn refusals(
        &self,
        writes: &[&Write],
        reasons: &[CancellationReason],
    ) -> Result<Option<Vec<Option<Outcome>>>, StoreError> {
        if reasons.iter().any(|reason| reason.code() == Some(BUSY)) {
            return Ok(None);
        }
        let mut refused = Vec::with_capacity(writes.len());
        for (write, reason) in writes.iter().zip(reasons) {
            refused.push(match reason.code().unwrap_or(NO_REASON) {
                NO_REASON => None,
                REFUSED => Some(Outcome::Refused(self.standing(write, reason.item().cloned()).await?)),
                code => {
                    let failure = Failure::new(TRANSACTION, code, reason.message().unwrap_or_default());
                    return Err(StoreError::new(kind_of(code), NAME).because(failure));
                }
            });
        }
        let any = refused.iter().any(Option::is_some) && refused.len() == writes.len();
        Ok(any.then_some(refused))
    }

    /// Returns the item for which a condition failed: the one returned with the refusal, or the result of a
    /// consistent read.
    async fn standing(&self, write: &Write, item: Option<Item>) -> Result<Option<Item>, StoreError> {
        match item.filter(|item| !item.is_empty()) {
            Some(item) => {
                self.brings_items.store(true, Ordering::Relaxed);
                Ok(Some(item))
            }
            None if self.brings_items.load(Ordering::Relaxed) => Ok(None),
            None => self.get(&write.key).await,
        }
    }

    async fn write_once(&self, write: &Write) -> Result<Attempt, StoreError> {
        let condition = write.condition.clone();
        let values = (!write.values.is_empty()).then(|| write.values.clone());
        match &write.change {
            Change::Put(attributes) => {
                let call = self.client.put_item().table_name(&self.table);
                let call =
                    call.set_item(Some(whole(&write.key, attributes))).set_condition_expression(condition);
                let call = call.set_expression_attribute_values(values);
                match call.return_values_on_condition_check_failure(ALL_OLD).send().await {
                    Ok(_) => Ok(Attempt::Done),
                    Err(error) => match error.as_service_error() {
                        Some(PutItemError::ConditionalCheckFailedException(refused)) => {
                            Ok(Attempt::Refused(refused.item().cloned()))
                        }
                        _ => busy_or("PutItem", error),
                    },
                }
            }
            Change::Update(expression) => {
                let call = self.client.update_item().table_name(&self.table).set_key(Some(write.key.clone()));
                let call = call.update_expression(expression).set_condition_expression(condition);
                let call = call.set_expression_attribute_values(values);
                match call.return_values_on_condition_check_failure(ALL_OLD).send().await {
                    Ok(_) => Ok(Attempt::Done),
                    Err(error) => match error.as_service_error() {
                        Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                            Ok(Attempt::Refused(refused.item().cloned()))
                        }
                        _ => busy_or("UpdateItem", error),
                    },
                }
            }
            Change::Delete => {
                let call = self.client.delete_item().table_name(&self.table).set_key(Some(write.key.clone()));
                let call = call.set_condition_expression(condition).set_expression_attribute_values(values);
                match call.return_values_on_condition_check_failure(ALL_OLD).send().await {
                    Ok(_) => Ok(Attempt::Done),
                    Err(error) => match error.as_service_error() {
                        Some(DeleteItemError::ConditionalCheckFailedException(refused)) => {
                            Ok(Attempt::Refused(refused.item().cloned()))
                        }
                        _ => busy_or("DeleteItem", error),
                    },
                }
            }
        }
    }

    /// Converts a write into an item of a transaction.
    fn part(&self, write: &Write) -> Result<TransactWriteItem, StoreError> {
        let (condition, table) = (write.condition.clone(), &self.table);
        let values = (!write.values.is_empty()).then(|| write.values.clone());
        let part = TransactWriteItem::builder();
        let part = match &write.change {
            Change::Put(attributes) => {
                let put = Put::builder().table_name(table).set_item(Some(whole(&write.key, attributes)));
                let put = put.set_condition_expression(condition).set_expression_attribute_values(values);
                put.return_values_on_condition_check_failure(ALL_OLD).build().map(|put| part.put(put))
            }
            Change::Update(expression) => {
                let update = Update::builder().table_name(table).set_key(Some(write.key.clone()));
                let update = update.update_expression(expression).set_condition_expression(condition);
                let update = update.set_expression_attribute_values(values);
                update
                    .return_values_on_condition_check_failure(ALL_OLD)
                    .build()
                    .map(|update| part.update(update))
            }
            Change::Delete => {
                let delete = Delete::builder().table_name(table).set_key(Some(write.key.clone()));
                let delete =
                    delete.set_condition_expression(condition).set_expression_attribute_values(values);
                delete
                    .return_values_on_condition_check_failure(ALL_OLD)
                    .build()
                    .map(|delete| part.delete(delete))
            }
        };
        part.map(|part| part.build())
            .map_err(|error| StoreError::new(StoreErrorKind::Refused, NAME).because(error))
    }
}

/// The outcome of one attempt of a write.
enum Attempt {
    Done,
    Refused(Option<Item>),
    /// A concurrent transaction holds the item.
    Busy,
}

fn busy_or<E, R>(operation: &'static str, error: SdkError<E, R>) -> Result<Attempt, StoreError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
    SdkError<E, R>: aws_sdk_dynamodb::operation::RequestId,
{
    match error.as_service_error().and_then(ProvideErrorMetadata::code) {
        Some("TransactionConflictException") => Ok(Attempt::Busy),
        _ => Err(store_error(operation, error)),
    }
}

/// Returns the whole item: its primary key and its attributes.
fn whole(key: &Item, attributes: &Item) -> Item {
    key.iter().chain(attributes).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Waits with exponential back-off and jitter: from 1 to 2 ms up to 64 to 128 ms.
pub(crate) async fn pause(round: u32) {
    let base = 1_u64 << round.min(6);
    let jitter = RandomState::new().hash_one(round) % base;
    tokio::time::sleep(Duration::from_millis(base + jitter)).await;
}

const ALL_OLD: ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure::AllOld;
const TRANSACTION: &str = "TransactWriteItems";
const UNKNOWN_OPERATION: &str = "UnknownOperationException";
const CANCELLED: &str = "TransactionCanceledException";
const NO_REASON: &str = "None";
const BUSY: &str = "TransactionConflict";
const REFUSED: &str = "ConditionalCheckFailed";
