//! The Lua scripts, called by hash, or with their text if the server does not know them.

use std::sync::LazyLock;

use redis::Cmd;

/// A script with its SHA-1 hash for `EVALSHA`.
#[derive(Debug)]
pub(crate) struct Script {
    text: &'static str,
    hash: String,
}

impl Script {
    fn new(text: &'static str) -> Self {
        Self { text, hash: redis::Script::new(text).get_hash().to_owned() }
    }

    /// Builds a call by hash. The server answers `NOSCRIPT` if it has not received the text since it started.
    pub(crate) fn by_hash(&self, keys: &[&[u8]], arguments: &[&[u8]]) -> Cmd {
        call("EVALSHA", &self.hash, keys, arguments)
    }

    /// Builds a call with the text, after which the server knows the script. A single command reaches the right node
    /// of a cluster; `SCRIPT LOAD` would have to be routed to it separately.
    pub(crate) fn by_text(&self, keys: &[&[u8]], arguments: &[&[u8]]) -> Cmd {
        call("EVAL", self.text, keys, arguments)
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

macro_rules! scripts {
    ($($name:ident = $file:literal;)*) => {
        $(pub(crate) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!(include_str!("lua/prelude.lua"), include_str!(concat!("lua/", $file))))
        });)*
    };
}

scripts! {
    CREATE = "create.lua";
    REPLACE = "replace.lua";
    TOUCH = "touch.lua";
    DESTROY = "destroy.lua";
    ROTATE = "rotate.lua";
    LIST = "list.lua";
    CENSUS = "census.lua";
    DESTROY_ALL = "destroy_all.lua";
}

#[cfg(feature = "cluster")]
scripts! {
    PEND = "pend.lua";
    COMMIT = "commit.lua";
    PROMOTE = "promote.lua";
    WITHDRAW = "withdraw.lua";
    INDEX_ADD = "index_add.lua";
    DESTROY_OWNED = "destroy_owned.lua";
}
