//! The writes of this store as data: the change, its condition, and what is returned.

use aws_sdk_dynamodb::types::AttributeValue;
use session_core::{
    Timestamp,
    store::{Etag, Record, StoreKey},
};

use crate::item::{self, Item, THIS_FORMAT};
use crate::names::{
    ABSOLUTE_UNTIL, ETAG, EXPIRES_AT, FORMAT_VERSION, GONE_UNTIL, IDLE_UNTIL, LISTED_UNTIL, Names, OWNER_ID,
    PAYLOAD, PK,
};

/// A write to an item.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    /// The primary key.
    pub(crate) key: Item,
    pub(crate) change: Change,
    /// The condition expression; `None` for an unconditional write.
    pub(crate) condition: Option<String>,
    /// The values in the two expressions.
    pub(crate) values: Item,
}

/// The change of an item.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// Replaces the item by these attributes.
    Put(Item),
    /// Changes attributes with an update expression.
    Update(String),
    /// Removes the item.
    Delete,
}

impl Write {
    fn new(key: Item, change: Change) -> Self {
        Self { key, change, condition: None, values: Item::new() }
    }

    fn only_if(mut self, condition: impl Into<String>) -> Self {
        self.condition = Some(condition.into());
        self
    }

    fn and_if(mut self, more: &str) -> Self {
        self.condition = Some(match self.condition {
            Some(condition) => format!("{condition} AND {more}"),
            None => more.into(),
        });
        self
    }

    fn with(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(name.into(), value);
        self
    }
}

/// Creates a session, unless the store key is taken. With an owner, includes the time-to-live of its entry.
pub(crate) fn creation(names: &Names, key: &StoreKey, record: &Record) -> Write {
    let mut attributes = item::of_record(key, record);
    if record.owner.is_some() {
        let until = item::listing_made(record.absolute_deadline, record.idle_deadline);
        attributes.insert(LISTED_UNTIL.into(), item::number(until));
    }
    Write::new(names.session(key), Change::Put(attributes)).only_if(format!("attribute_not_exists({PK})"))
}

/// Replaces the live record with the expected etag, whose owner has an entry already (or which has no owner).
///
/// An update instead of a put, so that `listed_until` is kept.
pub(crate) fn replacement(
    names: &Names,
    key: &StoreKey,
    expected: Etag,
    record: &Record,
    now: Timestamp,
) -> Write {
    let mut write = setting(names, key, record).only_if(LIVE).and_if(EXPECTED);
    if record.owner.is_some() {
        write = write
            .and_if(&format!("{OWNER_ID} = :{OWNER_ID} AND {LISTED_UNTIL} >= :listing_needed"))
            .with(":listing_needed", item::number(item::listing_needed(record)));
    }
    write.with(":expected", item::etag(expected)).with(":now", item::millis(now))
}

/// Replaces a record whose owner's entry is written in the same transaction.
pub(crate) fn listed_replacement(
    names: &Names,
    key: &StoreKey,
    expected: Etag,
    record: &Record,
    now: Timestamp,
) -> Write {
    let until = item::listing_made(record.absolute_deadline, record.idle_deadline);
    let mut write = setting(names, key, record).only_if(LIVE).and_if(EXPECTED);
    if let Change::Update(expression) = &mut write.change {
        *expression = expression.replacen("SET ", &format!("SET {LISTED_UNTIL} = :listed_until, "), 1);
    }
    write
        .with(":listed_until", item::number(until))
        .with(":expected", item::etag(expected))
        .with(":now", item::millis(now))
}

/// Sets the attributes of the record and removes those that it does not have.
fn setting(names: &Names, key: &StoreKey, record: &Record) -> Write {
    let attributes = item::of_record(key, record);
    let mut set: Vec<&String> = attributes.keys().collect();
    set.sort();
    let set: Vec<_> = set.iter().map(|name| format!("{name} = :{name}")).collect();
    let absent: Vec<_> = [ABSOLUTE_UNTIL, OWNER_ID, PAYLOAD]
        .into_iter()
        .filter(|name| !attributes.contains_key(*name))
        .collect();
    let mut expression = format!("SET {}", set.join(", "));
    if !absent.is_empty() {
        expression.push_str(" REMOVE ");
        expression.push_str(&absent.join(", "));
    }
    let mut write = Write::new(names.session(key), Change::Update(expression));
    write.values = attributes.into_iter().map(|(name, value)| (format!(":{name}"), value)).collect();
    write
}

/// Extends the idle deadline of a live record. Refused if it would not become later, or if the entry would expire too
/// early.
pub(crate) fn touching(names: &Names, key: &StoreKey, idle_deadline: Timestamp, now: Timestamp) -> Write {
    let expression = format!("SET {IDLE_UNTIL} = :idle_until, {EXPIRES_AT} = :expires_at");
    let listed = format!(
        "(attribute_not_exists({OWNER_ID}) OR attribute_exists({ABSOLUTE_UNTIL}) OR {LISTED_UNTIL} >= :expires_at)"
    );
    touch(names, key, expression, idle_deadline, now).and_if(&listed)
}

/// Extends the idle deadline of a record whose owner's entry is extended in the same transaction.
pub(crate) fn listed_touching(
    names: &Names,
    key: &StoreKey,
    owner: &str,
    idle_deadline: Timestamp,
    now: Timestamp,
) -> Write {
    let expression =
        format!("SET {IDLE_UNTIL} = :idle_until, {EXPIRES_AT} = :expires_at, {LISTED_UNTIL} = :listed_until");
    touch(names, key, expression, idle_deadline, now)
        .and_if(&format!("{OWNER_ID} = :owner"))
        .with(":owner", AttributeValue::S(owner.into()))
        .with(":listed_until", item::number(item::listing_made(None, idle_deadline)))
}

fn touch(names: &Names, key: &StoreKey, expression: String, idle: Timestamp, now: Timestamp) -> Write {
    Write::new(names.session(key), Change::Update(expression))
        .only_if(LIVE)
        .and_if(&format!("{IDLE_UNTIL} < :idle_until AND {FORMAT_VERSION} = :format_version"))
        .with(":idle_until", item::millis(idle))
        .with(":expires_at", item::number(item::ttl(idle)))
        .with(":format_version", item::number(THIS_FORMAT))
        .with(":now", item::millis(now))
}

/// Replaces a session by a tombstone, unless it is a tombstone already or has a newer format.
pub(crate) fn burial(names: &Names, key: &StoreKey, until: Timestamp) -> Write {
    let understood = format!("(attribute_not_exists({FORMAT_VERSION}) OR {FORMAT_VERSION} <= :format)");
    Write::new(names.session(key), Change::Put(item::of_tombstone(until)))
        .only_if(format!("attribute_exists({PK}) AND attribute_not_exists({GONE_UNTIL})"))
        .and_if(&understood)
        .with(":format", item::number(THIS_FORMAT))
}

/// Replaces a session by a tombstone only if it belongs to this owner.
pub(crate) fn burial_of_owned(names: &Names, key: &StoreKey, owner: &str, until: Timestamp) -> Write {
    burial(names, key, until)
        .and_if(&format!("{OWNER_ID} = :owner"))
        .with(":owner", AttributeValue::S(owner.into()))
}

/// The old half of a rotation: replaces the live record with the expected etag by a tombstone with the store key and
/// the etag of its successor.
pub(crate) fn retirement(
    names: &Names,
    key: &StoreKey,
    expected: Etag,
    (new, successor): (&StoreKey, Etag),
    now: Timestamp,
    until: Timestamp,
) -> Write {
    let tombstone = item::of_rotated(until, new, successor);
    Write::new(names.session(key), Change::Put(tombstone))
        .only_if(LIVE)
        .and_if(EXPECTED)
        .with(":expected", item::etag(expected))
        .with(":format_version", item::number(THIS_FORMAT))
        .with(":now", item::millis(now))
}

/// Removes a created record if it still has this etag.
pub(crate) fn withdrawal(names: &Names, key: &StoreKey, etag: Etag) -> Write {
    Write::new(names.session(key), Change::Delete)
        .only_if(format!("{ETAG} = :etag"))
        .with(":etag", item::etag(etag))
}

/// Writes an owner's entry for a session. `until` must not be earlier than that of an existing entry.
pub(crate) fn entry(names: &Names, owner: &str, key: &StoreKey, until: i64) -> Write {
    let attributes = Item::from([
        (FORMAT_VERSION.into(), item::number(THIS_FORMAT)),
        (EXPIRES_AT.into(), item::number(until)),
    ]);
    Write::new(names.entry(owner, key), Change::Put(attributes))
}

/// Writes an entry separately from its session, on servers without transactions, unless an existing one lasts longer.
pub(crate) fn unless_longer(entry: &Write) -> Write {
    let until = match &entry.change {
        Change::Put(attributes) => attributes.get(EXPIRES_AT).cloned(),
        Change::Update(_) | Change::Delete => None,
    };
    let mut alone = entry.clone();
    if let Some(until) = until {
        alone = alone
            .only_if(format!("attribute_not_exists({PK}) OR {EXPIRES_AT} < :until"))
            .with(":until", until);
    }
    alone
}

/// The condition for a live record at `:now`. A tombstone has no idle deadline and never matches.
const LIVE: &str = "idle_until > :now AND (attribute_not_exists(absolute_until) OR absolute_until > :now)";

/// The condition for the expected etag and the format that this version writes.
const EXPECTED: &str = "etag = :expected AND format_version = :format_version";
