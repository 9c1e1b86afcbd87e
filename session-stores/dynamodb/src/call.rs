//! The calls: one request each, what servers leave out made up for, and nothing waits longer than the deadline.

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
    CancellationReason, Delete, Put, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
    Update,
};
use session_core::store::{StoreError, StoreErrorKind};

use crate::failure::{Failure, kind_of, store_error};
use crate::item::{Item, NAME};
use crate::write::{Change, Write, unless_longer};

/// The client, the table, and what was learned about the server.
#[derive(Debug)]
pub(crate) struct Calls {
    pub(crate) client: Client,
    pub(crate) table: String,
    pub(crate) deadline: Duration,
    /// The server gives back the item that refused a condition. Until one has been seen, a refusal without an item is
    /// followed by a consistent read: the item may be missing, or the server may not know the option.
    brings_items: AtomicBool,
    /// The server said that it knows no transactions.
    lacks_transactions: AtomicBool,
}

/// What came of one write.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It is done; here is what was there before, if the write asked for it.
    Done(Option<Item>),
    /// The condition did not hold for what stands there.
    Refused(Option<Item>),
}

/// What came of several writes that are one.
#[derive(Debug)]
pub(crate) enum Together {
    /// All are done.
    Done,
    /// None is done. One entry per write: what stands there where the condition did not hold.
    Refused(Vec<Option<Outcome>>),
    /// The server has no transactions; nothing was done.
    Unsupported,
}

impl Calls {
    pub(crate) fn new(client: Client, table: String, deadline: Duration) -> Self {
        let (brings_items, lacks_transactions) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { client, table, deadline, brings_items, lacks_transactions }
    }

    /// Ends with `Timeout` what takes longer than the deadline, the SDK's own retries included.
    pub(crate) async fn within<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        match tokio::time::timeout(self.deadline, call).await {
            Ok(answer) => answer,
            Err(_) => Err(StoreError::timeout(NAME)),
        }
    }

    /// Reads an item, consistently.
    pub(crate) async fn get(&self, key: &Item) -> Result<Option<Item>, StoreError> {
        let call = self.client.get_item().table_name(&self.table).set_key(Some(key.clone()));
        let answer = call.consistent_read(true).send().await;
        Ok(answer.map_err(|error| store_error("GetItem", error))?.item)
    }

    /// Makes one write.
    pub(crate) async fn write(&self, write: &Write) -> Result<Outcome, StoreError> {
        for round in 0.. {
            match self.write_once(write).await? {
                Attempt::Done(old) => return Ok(Outcome::Done(old)),
                Attempt::Refused(item) => return Ok(Outcome::Refused(self.standing(write, item).await?)),
                Attempt::Busy => pause(round).await,
            }
        }
        Err(StoreError::timeout(NAME))
    }

    /// Makes all of the writes or none.
    pub(crate) async fn write_together(&self, writes: &[&Write]) -> Result<Together, StoreError> {
        if self.lacks_transactions.load(Ordering::Relaxed) {
            return Ok(Together::Unsupported);
        }
        for round in 0.. {
            // No token of ours: the SDK draws one per call, so that its own retries of a lost answer do nothing twice.
            // One derived from the record would answer a caller's later question from memory, not from the table.
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

    /// Makes a session's write together with its owner's entry.
    ///
    /// Without transactions the entry goes first: an entry without a session is not listed, a session without an entry
    /// would be missed.
    pub(crate) async fn write_listed(&self, session: &Write, entry: &Write) -> Result<Outcome, StoreError> {
        match self.write_together(&[session, entry]).await? {
            Together::Done => Ok(Outcome::Done(None)),
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

    /// Reads why a transaction was cancelled: `None` when it was only in somebody's way and should be tried again.
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

    /// What stands where a condition did not hold: the item that came with the refusal, or one more consistent read.
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
        let old = if write.bring_old { ReturnValue::AllOld } else { ReturnValue::None };
        match &write.change {
            Change::Put(attributes) => {
                let call = self.client.put_item().table_name(&self.table);
                let call =
                    call.set_item(Some(whole(&write.key, attributes))).set_condition_expression(condition);
                let call = call.set_expression_attribute_values(values).return_values(old);
                match call.return_values_on_condition_check_failure(ALL_OLD).send().await {
                    Ok(answer) => Ok(Attempt::Done(answer.attributes)),
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
                let call = call.set_expression_attribute_values(values).return_values(old);
                match call.return_values_on_condition_check_failure(ALL_OLD).send().await {
                    Ok(answer) => Ok(Attempt::Done(answer.attributes)),
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
                match call.return_values(old).return_values_on_condition_check_failure(ALL_OLD).send().await {
                    Ok(answer) => Ok(Attempt::Done(answer.attributes)),
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

    /// The write as a part of a transaction.
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

/// One try of one write.
enum Attempt {
    Done(Option<Item>),
    Refused(Option<Item>),
    /// A transaction holds the item at this moment.
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

/// The whole item: its key and its attributes.
fn whole(key: &Item, attributes: &Item) -> Item {
    key.iter().chain(attributes).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Waits a little, longer with every round and differently for everyone: 1 to 2 ms at first, 64 to 128 in the end.
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
