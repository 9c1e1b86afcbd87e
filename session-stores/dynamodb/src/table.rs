//! The table: its definition, and making it.

use std::time::Duration;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableDescription,
    TableStatus, TimeToLiveSpecification, TimeToLiveStatus,
};
use session_core::store::{StoreError, StoreErrorKind};

use crate::failure::{Failure, store_error};
use crate::item::NAME;
use crate::names::{EXPIRES_AT, PK, SK};
use crate::store::DynamoDbStore;

impl DynamoDbStore {
    /// Makes the table if it is not there: two string keys, billed on demand, `expires_at` as time-to-live. Returns when
    /// it can be used, which takes AWS some seconds; asked again, it changes nothing.
    ///
    /// Meant for development and tests. In production let your infrastructure tool make the table (the README has its
    /// definition) and give the application no right to do so.
    ///
    /// # Errors
    /// `Refused` when a table of that name has other keys, or when permissions are missing; `Timeout` when the table is
    /// not ready after a minute.
    ///
    /// ```no_run
    /// # async fn example(store: session_store_dynamodb::DynamoDbStore) -> Result<(), session_core::store::StoreError> {
    /// store.create_table().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_table(&self) -> Result<(), StoreError> {
        let calls = &self.inner().calls;
        let mut create =
            calls.client.create_table().table_name(&calls.table).billing_mode(BillingMode::PayPerRequest);
        for (name, kind) in [(PK, KeyType::Hash), (SK, KeyType::Range)] {
            let attribute = AttributeDefinition::builder().attribute_name(name);
            let attribute = attribute.attribute_type(ScalarAttributeType::S).build().map_err(incomplete)?;
            let key = KeySchemaElement::builder()
                .attribute_name(name)
                .key_type(kind)
                .build()
                .map_err(incomplete)?;
            create = create.attribute_definitions(attribute).key_schema(key);
        }
        match create.send().await {
            Ok(_) => {}
            Err(error)
                if error.as_service_error().is_some_and(|error| error.is_resource_in_use_exception()) => {}
            Err(error) => return Err(store_error("CreateTable", error)),
        }
        match tokio::time::timeout(MOST_WAIT, self.ready()).await {
            Ok(ready) => ready?,
            Err(_) => return Err(StoreError::timeout(NAME)),
        }
        self.expire().await
    }

    /// Waits until the table is active.
    async fn ready(&self) -> Result<(), StoreError> {
        let calls = &self.inner().calls;
        let mut wait = Duration::from_millis(10);
        loop {
            let answer = calls.client.describe_table().table_name(&calls.table).send().await;
            let table = answer.map_err(|error| store_error("DescribeTable", error))?.table;
            if let Some(table) = table.filter(|table| table.table_status == Some(TableStatus::Active)) {
                return check_keys(&table);
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(1));
        }
    }

    /// Turns the time-to-live on, where the server has such a thing.
    async fn expire(&self) -> Result<(), StoreError> {
        let calls = &self.inner().calls;
        match calls.client.describe_time_to_live().table_name(&calls.table).send().await {
            Ok(answer) => {
                let now = answer.time_to_live_description;
                let on = now.and_then(|now| now.time_to_live_status);
                if matches!(on, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)) {
                    return Ok(());
                }
            }
            Err(error) if is_unknown(error.as_service_error()) => return Ok(()),
            Err(error) => return Err(store_error("DescribeTimeToLive", error)),
        }
        let ttl = TimeToLiveSpecification::builder().attribute_name(EXPIRES_AT).enabled(true).build();
        let update = calls.client.update_time_to_live().table_name(&calls.table);
        match update.time_to_live_specification(ttl.map_err(incomplete)?).send().await {
            Ok(_) => Ok(()),
            Err(error) if is_unknown(error.as_service_error()) => Ok(()),
            // Somebody else turned it on meanwhile.
            Err(error) if says_already(error.as_service_error()) => Ok(()),
            Err(error) => Err(store_error("UpdateTimeToLive", error)),
        }
    }
}

fn check_keys(table: &TableDescription) -> Result<(), StoreError> {
    let is = |name: &str, kind: &KeyType| {
        table.key_schema().iter().any(|key| key.attribute_name == name && key.key_type == *kind)
    };
    let text = table.attribute_definitions().iter().filter(|attribute| {
        [PK, SK].contains(&attribute.attribute_name()) && attribute.attribute_type == ScalarAttributeType::S
    });
    if is(PK, &KeyType::Hash) && is(SK, &KeyType::Range) && text.count() == 2 {
        return Ok(());
    }
    let failure = Failure::new("DescribeTable", "another key schema", "sessions need string keys pk and sk");
    Err(StoreError::new(StoreErrorKind::Refused, NAME).because(failure))
}

fn is_unknown(error: Option<&impl ProvideErrorMetadata>) -> bool {
    error.and_then(ProvideErrorMetadata::code) == Some("UnknownOperationException")
}

fn says_already(error: Option<&impl ProvideErrorMetadata>) -> bool {
    error.and_then(ProvideErrorMetadata::message).is_some_and(|message| message.contains("already enabled"))
}

fn incomplete(error: aws_sdk_dynamodb::error::BuildError) -> StoreError {
    StoreError::new(StoreErrorKind::Refused, NAME).because(error)
}

/// How long a new table may take.
const MOST_WAIT: Duration = Duration::from_secs(60);
