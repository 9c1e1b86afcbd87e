//! A statement: SQL with named placeholders, and the binding of their values.
//!
//! Values are bound only by name (`{key}`, `{now}`). A verb therefore cannot bind values in the wrong order, and the
//! same text works for databases with numbered and with positional parameters.

use std::sync::Arc;

use session_core::{
    Timestamp,
    store::{Etag, Record, StoreKey},
};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Database, Encode, IntoArguments, Type};

use crate::dialect::Dialect;
use crate::row::{FORMAT_WRITTEN, checksum, hour};
use crate::table::TableName;

/// A statement of a store, in the dialect of its database.
pub struct Statement {
    text: Arc<str>,
    binds: Box<[Bind]>,
    owner: OwnerAs,
}

/// The style of parameters.
#[derive(Clone, Copy)]
pub enum Places {
    /// Numbered: `$1`, `?1`; a value that is used several times has one number.
    Numbered(char),
    /// Positional: `?`; a value is bound again for each use.
    InOrder,
}

/// The column type of the owner.
#[derive(Clone, Copy)]
pub enum OwnerAs {
    Bytes,
    Text,
}

/// The arguments of a verb, which its statements can refer to.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub(crate) key: &'a StoreKey,
    pub(crate) new: &'a StoreKey,
    pub(crate) expected: Etag,
    pub(crate) record: Option<&'a Record>,
    pub(crate) now: Timestamp,
    /// The new idle deadline of a touched record, or the end of a tombstone.
    pub(crate) until: Timestamp,
    pub(crate) owner: &'a str,
    pub(crate) except: Option<&'a StoreKey>,
    /// The last store key of the page before.
    pub(crate) after: Option<&'a StoreKey>,
    pub(crate) most: usize,
}

/// No arguments.
impl Default for Asked<'_> {
    fn default() -> Self {
        Self {
            key: &NO_KEY,
            new: &NO_KEY,
            expected: Etag::new(0),
            record: None,
            now: Timestamp::from_millis(0),
            until: Timestamp::from_millis(0),
            owner: "",
            except: None,
            after: None,
            most: 0,
        }
    }
}

const NO_KEY: StoreKey = StoreKey::from_bytes([0; 32]);

/// The placeholders for values.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bind {
    Key,
    New,
    Expected,
    Now,
    NowHour,
    Until,
    UntilHour,
    Owner,
    Except,
    After,
    Most,
    Etag,
    Created,
    Idle,
    Absolute,
    Hour,
    RecordOwner,
    Payload,
    /// The checksum of the record under the given store key, or under the new one.
    Checksum,
    NewChecksum,
}

impl Bind {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "key" => Self::Key,
            "new" => Self::New,
            "expected" => Self::Expected,
            "now" => Self::Now,
            "now_hour" => Self::NowHour,
            "until" => Self::Until,
            "until_hour" => Self::UntilHour,
            "owner" => Self::Owner,
            "except" => Self::Except,
            "after" => Self::After,
            "most" => Self::Most,
            "etag" => Self::Etag,
            "created" => Self::Created,
            "idle" => Self::Idle,
            "absolute" => Self::Absolute,
            "hour" => Self::Hour,
            "record_owner" => Self::RecordOwner,
            "payload" => Self::Payload,
            "checksum" => Self::Checksum,
            "new_checksum" => Self::NewChecksum,
            _ => return None,
        })
    }

    fn value<'a>(self, asked: &Asked<'a>) -> Value<'a> {
        let record = asked.record;
        match self {
            Self::Key => Value::Bytes(Some(asked.key.as_bytes())),
            Self::New => Value::Bytes(Some(asked.new.as_bytes())),
            Self::Expected => Value::Int(Some(asked.expected.get().cast_signed())),
            Self::Now => Value::Int(Some(asked.now.as_millis())),
            Self::NowHour => Value::Int(Some(hour(asked.now))),
            Self::Until => Value::Int(Some(asked.until.as_millis())),
            Self::UntilHour => Value::Int(Some(hour(asked.until))),
            Self::Owner => Value::Owner(Some(asked.owner)),
            Self::Except => Value::Bytes(asked.except.map(|key| key.as_bytes().as_slice())),
            // No bytes at all come before every store key.
            Self::After => Value::Bytes(Some(asked.after.map_or(&[][..], |key| key.as_bytes()))),
            Self::Most => Value::Int(Some(i64::try_from(asked.most).unwrap_or(i64::MAX))),
            Self::Etag => Value::Int(record.map(|record| record.etag.get().cast_signed())),
            Self::Created => Value::Int(record.map(|record| record.created.as_millis())),
            Self::Idle => Value::Int(record.map(|record| record.idle_deadline.as_millis())),
            Self::Absolute => {
                Value::Int(record.and_then(|record| record.absolute_deadline).map(Timestamp::as_millis))
            }
            Self::Hour => Value::Int(record.map(|record| hour(record.deadline()))),
            Self::RecordOwner => Value::Owner(record.and_then(|record| record.owner.as_deref())),
            Self::Payload => Value::Bytes(record.map(|record| &*record.payload)),
            Self::Checksum => Value::Int(record.map(|record| checksum(asked.key, record))),
            Self::NewChecksum => Value::Int(record.map(|record| checksum(asked.new, record))),
        }
    }
}

enum Value<'a> {
    Int(Option<i64>),
    Bytes(Option<&'a [u8]>),
    Owner(Option<&'a str>),
}

impl Statement {
    /// Replaces the placeholders in the text (a constant of this crate) by SQL fragments, parameters and the name of
    /// the table.
    pub(crate) fn new<DB: Dialect>(text: &str, table: &TableName) -> Self {
        let mut statement = Draft { text: String::with_capacity(2 * text.len()), binds: Vec::new() };
        statement.write::<DB>(text, table);
        Self { text: statement.text.into(), binds: statement.binds.into(), owner: DB::OWNER }
    }

    /// Builds the query with its values. The text is safe: it consists of constants of this crate and a checked
    /// [`TableName`].
    pub(crate) fn query<DB>(&self, asked: &Asked<'_>) -> Query<'static, DB, DB::Arguments>
    where
        DB: Database,
        DB::Arguments: IntoArguments<DB>,
        Option<i64>: for<'q> Encode<'q, DB> + Type<DB>,
        for<'q> Option<&'q [u8]>: Encode<'q, DB> + Type<DB>,
        for<'q> Option<&'q str>: Encode<'q, DB> + Type<DB>,
    {
        let query = sqlx::query(AssertSqlSafe(Arc::clone(&self.text)));
        self.binds.iter().fold(query, |query, bind| match (bind.value(asked), self.owner) {
            (Value::Int(value), _) => query.bind(value),
            (Value::Bytes(value), _) => query.bind(value),
            (Value::Owner(name), OwnerAs::Text) => query.bind(name),
            (Value::Owner(name), OwnerAs::Bytes) => query.bind(name.map(str::as_bytes)),
        })
    }
}

/// A statement under construction.
struct Draft {
    text: String,
    binds: Vec<Bind>,
}

impl Draft {
    fn write<DB: Dialect>(&mut self, text: &str, table: &TableName) {
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').expect("the statements' braces are in pairs");
            self.text.push_str(before);
            rest = after;
            match name {
                "table" => self.text.push_str(&table.quoted(DB::QUOTE, "")),
                "schema_table" => self.text.push_str(&table.quoted(DB::QUOTE, "_schema")),
                name => match (Bind::named(name), DB::word(name).or_else(|| word(name))) {
                    (Some(bind), _) => self.place(DB::PLACES, bind),
                    (None, Some(words)) => self.write::<DB>(words, table),
                    (None, None) => panic!("no value and no word is called {name}"),
                },
            }
        }
        self.text.push_str(rest);
    }

    fn place(&mut self, places: Places, bind: Bind) {
        match places {
            Places::InOrder => {
                self.binds.push(bind);
                self.text.push('?');
            }
            Places::Numbered(mark) => {
                let known = self.binds.iter().position(|known| *known == bind);
                let number = known.unwrap_or_else(|| {
                    self.binds.push(bind);
                    self.binds.len() - 1
                });
                self.text.push(mark);
                self.text.push_str(&(number + 1).to_string());
            }
        }
    }
}

/// Returns an SQL fragment common to all databases.
fn word(name: &str) -> Option<&'static str> {
    Some(match name {
        "columns" => {
            "session_key, format, etag, created, idle_deadline, absolute_deadline, owner, payload, checksum"
        }
        "written" => {
            "session_key, format, etag, created, idle_deadline, absolute_deadline, expires_hour, owner, payload, checksum"
        }
        "record" => "{format}, {etag}, {created}, {idle}, {absolute}, {hour}, {record_owner}, {payload}",
        "format" => FORMAT_WRITTEN,
        "known" => "format <= {format}",
        "in_time" => "idle_deadline > {now} AND (absolute_deadline IS NULL OR absolute_deadline > {now})",
        "live" => "payload IS NOT NULL AND {in_time}",
        "dead" => "(idle_deadline <= {now} OR absolute_deadline <= {now})",
        "of_owner" => "owner = {owner} AND payload IS NOT NULL AND {spared}",
        "some_live" => {
            "session_key IN (SELECT session_key FROM {table} WHERE {of_owner} AND {in_time} LIMIT {most})"
        }
        "some_expired" => {
            "session_key IN (SELECT session_key FROM {table} WHERE {of_owner} AND NOT ({in_time}) LIMIT {most})"
        }
        "page" => "owner = {owner} AND {live} AND session_key > {after} ORDER BY session_key LIMIT {most}",
        "every" => "{live} AND session_key > {after} ORDER BY session_key LIMIT {most}",
        "tombstone" => {
            "payload = NULL, owner = NULL, checksum = NULL, absolute_deadline = NULL, \
             idle_deadline = {until}, expires_hour = {until_hour}"
        }
        // The tombstone of a rotation.
        "retired" => "{tombstone}, successor = {new}",
        _ => return None,
    })
}
