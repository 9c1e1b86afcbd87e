//! The writes this store makes, as data: what changes, under which condition, and what a refusal brings back.

use aws_sdk_dynamodb::types::AttributeValue;
use session_core::{
    Timestamp,
    store::{Etag, Record, StoreKey},
};

use crate::item::{self, Item, THIS_FORMAT};
use crate::names::{
    ABSOLUTE_UNTIL, ETAG, EXPIRES_AT, FORMAT_VERSION, GONE_UNTIL, IDLE_UNTIL, LISTED_UNTIL, Names, OWNER_ID,
    PAYLOAD, PK, SUCCESSOR,
};

/// One write to one item.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    /// The primary key.
    pub(crate) key: Item,
    pub(crate) change: Change,
    /// The condition expression; without one the write always applies.
    pub(crate) condition: Option<String>,
    /// The values that the two expressions name.
    pub(crate) values: Item,
    /// Whether the answer shall bring the item that was there before.
    pub(crate) bring_old: bool,
}

/// What a write does to its item.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// Puts these attributes in place of whatever was there.
    Put(Item),
    /// Changes some attributes by an update expression.
    Update(String),
    /// Removes it.
    Delete,
}

impl Write {
    fn new(key: Item, change: Change) -> Self {
        Self { key, change, condition: None, values: Item::new(), bring_old: false }
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

/// A new session, unless something is there. With an owner it says until when the entry beside it stands.
pub(crate) fn creation(names: &Names, key: &StoreKey, record: &Record) -> Write {
    let mut attributes = item::of_record(record);
    if record.owner.is_some() {
        let until = item::listing_made(record.absolute_deadline, record.idle_deadline);
        attributes.insert(LISTED_UNTIL.into(), item::number(until));
    }
    Write::new(names.session(key), Change::Put(attributes)).only_if(format!("attribute_not_exists({PK})"))
}

/// A record over the live one with the expected etag, whose owner is listed already (or which has none).
///
/// An update and not a put, so that `listed_until` stays what it is.
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

/// The same for a record whose owner's entry is written beside it.
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

/// Sets every attribute of the record and removes those that it does not have.
fn setting(names: &Names, key: &StoreKey, record: &Record) -> Write {
    let attributes = item::of_record(record);
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

/// A later idle deadline for a live record, unless it is that late already or its entry would lapse too early.
pub(crate) fn touching(names: &Names, key: &StoreKey, idle_deadline: Timestamp, now: Timestamp) -> Write {
    let expression = format!("SET {IDLE_UNTIL} = :idle_until, {EXPIRES_AT} = :expires_at");
    let listed = format!(
        "(attribute_not_exists({OWNER_ID}) OR attribute_exists({ABSOLUTE_UNTIL}) OR {LISTED_UNTIL} >= :expires_at)"
    );
    touch(names, key, expression, idle_deadline, now).and_if(&listed)
}

/// The same for a record whose owner's entry is moved beside it.
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

/// A tombstone where something stands that is neither a tombstone nor of a newer format.
pub(crate) fn burial(names: &Names, key: &StoreKey, until: Timestamp) -> Write {
    let understood = format!("(attribute_not_exists({FORMAT_VERSION}) OR {FORMAT_VERSION} <= :format)");
    Write::new(names.session(key), Change::Put(item::of_tombstone(until)))
        .only_if(format!("attribute_exists({PK}) AND attribute_not_exists({GONE_UNTIL})"))
        .and_if(&understood)
        .with(":format", item::number(THIS_FORMAT))
}

/// The same, of a session of this owner only; the answer brings what was buried.
pub(crate) fn burial_of_owned(names: &Names, key: &StoreKey, owner: &str, until: Timestamp) -> Write {
    let mut write = burial(names, key, until)
        .and_if(&format!("{OWNER_ID} = :owner"))
        .with(":owner", AttributeValue::S(owner.into()));
    write.bring_old = true;
    write
}

/// The old half of a rotation: a tombstone over the live record with the expected etag, which says whose it is.
pub(crate) fn retirement(
    names: &Names,
    key: &StoreKey,
    expected: Etag,
    successor: Etag,
    now: Timestamp,
    until: Timestamp,
) -> Write {
    let mut tombstone = item::of_tombstone(until);
    tombstone.insert(SUCCESSOR.into(), item::etag(successor));
    Write::new(names.session(key), Change::Put(tombstone))
        .only_if(LIVE)
        .and_if(EXPECTED)
        .with(":expected", item::etag(expected))
        .with(":format_version", item::number(THIS_FORMAT))
        .with(":now", item::millis(now))
}

/// Takes back a creation, if it is still the one with this etag.
pub(crate) fn withdrawal(names: &Names, key: &StoreKey, etag: Etag) -> Write {
    Write::new(names.session(key), Change::Delete)
        .only_if(format!("{ETAG} = :etag"))
        .with(":etag", item::etag(etag))
}

/// "This owner has that session", never for a shorter time than is written there already.
pub(crate) fn entry(names: &Names, owner: &str, key: &StoreKey, until: i64) -> Write {
    let attributes = Item::from([
        (FORMAT_VERSION.into(), item::number(THIS_FORMAT)),
        (EXPIRES_AT.into(), item::number(until)),
    ]);
    Write::new(names.entry(owner, key), Change::Put(attributes))
}

/// An entry by itself, where it cannot be written together with its session: it must not end earlier than another
/// writer has made it.
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

/// What makes an item a live record at `:now`. A tombstone has no idle deadline, so it never is.
const LIVE: &str = "idle_until > :now AND (attribute_not_exists(absolute_until) OR absolute_until > :now)";

/// What makes it the version that the caller has seen, in the format that this version writes.
const EXPECTED: &str = "etag = :expected AND format_version = :format_version";
