//! The Lua scripts, called by hash, or with their text if the server does not know them.

use std::sync::LazyLock;

use redis::Cmd;

/// A script, and its variant for connections whose reads the server tracks.
#[derive(Debug)]
pub(crate) struct Script {
    plain: Text,
    tracked: Text,
}

/// A text with its SHA-1 hash for `EVALSHA`.
#[derive(Debug)]
struct Text {
    text: &'static str,
    hash: String,
}

impl Text {
    fn new(text: &'static str) -> Self {
        Self { text, hash: redis::Script::new(text).get_hash().to_owned() }
    }
}

impl Script {
    /// Builds a call by hash. The server answers `NOSCRIPT` if it has not received the text since it started. `tracked`:
    /// the server is to track what the script writes.
    pub(crate) fn by_hash(&self, tracked: bool, keys: &[&[u8]], arguments: &[&[u8]]) -> Cmd {
        call("EVALSHA", &self.variant(tracked).hash, keys, arguments)
    }

    /// Builds a call with the text, after which the server knows the script. A single command reaches the right node
    /// of a cluster; `SCRIPT LOAD` would have to be routed to it separately.
    pub(crate) fn by_text(&self, tracked: bool, keys: &[&[u8]], arguments: &[&[u8]]) -> Cmd {
        call("EVAL", self.variant(tracked).text, keys, arguments)
    }

    fn variant(&self, tracked: bool) -> &Text {
        if tracked { &self.tracked } else { &self.plain }
    }
}

fn call(verb: &str, script: &str, keys: &[&[u8]], arguments: &[&[u8]]) -> Cmd {
    let mut command = redis::cmd(verb);
    command.arg(script).arg(keys.len());
    for part in keys.iter().chain(arguments) {
        command.arg(*part);
    }
    command
}

/// Each script is made of these files, in order. `TRACKED` says which variant it is.
macro_rules! scripts {
    ($($name:ident = $($file:literal)+;)*) => {
        $(pub(crate) static $name: LazyLock<Script> = LazyLock::new(|| Script {
            plain: Text::new(concat!("local TRACKED = false\n", $(include_str!(concat!("lua/", $file))),+)),
            tracked: Text::new(concat!("local TRACKED = true\n", $(include_str!(concat!("lua/", $file))),+)),
        });)*
    };
}

scripts! {
    CREATE = "prelude.lua" "create.lua";
    REPLACE = "replace_fast.lua" "prelude.lua" "replace.lua";
    TOUCH = "prelude.lua" "touch.lua";
    DESTROY = "prelude.lua" "destroy.lua";
    ROTATE = "prelude.lua" "rotate.lua";
    LIST = "prelude.lua" "list.lua";
    CENSUS = "prelude.lua" "census.lua";
    DESTROY_ALL = "prelude.lua" "destroy_all.lua";
}

#[cfg(feature = "cluster")]
scripts! {
    PEND = "prelude.lua" "pend.lua";
    COMMIT = "prelude.lua" "commit.lua";
    PROMOTE = "prelude.lua" "promote.lua";
    WITHDRAW = "prelude.lua" "withdraw.lua";
    INDEX_ADD = "prelude.lua" "index_add.lua";
    DESTROY_OWNED = "prelude.lua" "destroy_owned.lua";
}
