//! What came of a command, as text for a person and as JSON for a program.

use serde_json::{Value, json};
use session_core::{
    Timestamp,
    store::{Record, SessionHead, StoreKey},
};

use crate::show;

#[derive(Debug)]
pub(crate) enum Report {
    Top {
        store: &'static str,
        live: usize,
        left: Option<(&'static str, usize)>,
        newest: Vec<SessionHead>,
    },
    List(Vec<(StoreKey, Record)>),
    Session {
        key: StoreKey,
        record: Record,
        now: Timestamp,
    },
    /// So many sessions were ended; of one, its handle.
    Ended {
        sessions: usize,
        handle: Option<session_core::Handle>,
    },
    Erased {
        sessions: usize,
        expired: usize,
    },
    Moved {
        moved: u64,
        stay: usize,
        left: usize,
    },
    Left(usize),
    Export {
        owner: String,
        sessions: Vec<(StoreKey, Record)>,
    },
    Key(String),
    Keys {
        keys: usize,
        notes: Vec<String>,
    },
    Plan(Vec<String>),
}

impl Report {
    pub(crate) fn to_text(&self, show_values: bool) -> String {
        match self {
            Self::Top { store, live, left, newest } => show::top(store, *live, *left, newest),
            Self::List(found) => show::list(found),
            Self::Session { key, record, now } => show::session(key, record, *now, show_values),
            Self::Ended { handle: Some(handle), .. } => format!("ended {handle}\n"),
            Self::Ended { sessions, handle: None } => format!("ended {sessions}\n"),
            Self::Erased { sessions, expired } => format!("erased {sessions}, swept {expired} expired\n"),
            Self::Moved { moved, stay, left } => {
                let stay = match stay {
                    0 => String::new(),
                    stay => format!(", {stay} stay: they are larger than the new store allows"),
                };
                format!("moved {moved}, left {left}{stay}\n")
            }
            Self::Left(sessions) => format!("left {sessions}\n"),
            // A data request is answered with data.
            Self::Export { .. } => format!("{:#}\n", self.to_json(true)),
            Self::Key(key) => format!("{key}\n"),
            Self::Keys { notes, .. } | Self::Plan(notes) => {
                notes.iter().map(|note| format!("{note}\n")).collect()
            }
        }
    }

    pub(crate) fn to_json(&self, show_values: bool) -> Value {
        match self {
            Self::Top { store, live, left, newest } => {
                let newest: Vec<Value> = newest.iter().map(show::head_as_json).collect();
                let left = left.map(|(store, sessions)| json!({"store": store, "sessions": sessions}));
                json!({"store": store, "live": live, "left": left, "newest": newest})
            }
            Self::List(found) => found.iter().map(|(key, record)| show::as_json(key, record, None)).collect(),
            Self::Session { key, record, now } => {
                let mut session = show::as_json(key, record, Some(show_values));
                session["alive"] = record.is_live(*now).into();
                session
            }
            Self::Ended { sessions, handle } => json!({"ended": sessions, "handle": handle}),
            Self::Erased { sessions, expired } => json!({"erased": sessions, "swept": expired}),
            Self::Moved { moved, stay, left } => json!({"moved": moved, "stay": stay, "left": left}),
            Self::Left(sessions) => json!({"left": sessions}),
            Self::Export { owner, sessions } => {
                let sessions: Vec<Value> =
                    sessions.iter().map(|(key, record)| show::as_json(key, record, Some(true))).collect();
                json!({"owner": owner, "sessions": sessions})
            }
            Self::Key(key) => json!({"key": key}),
            Self::Keys { keys, notes } => json!({"keys": keys, "notes": notes}),
            Self::Plan(steps) => json!({"steps": steps}),
        }
    }
}
