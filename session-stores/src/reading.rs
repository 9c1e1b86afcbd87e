//! Parsing of single values (names, paths, tables, lists), and the descriptions of what each accepts.

use session_core::{SameSite, adapter::Origin};

use crate::error::Problem;
use crate::store_config::{Durability, is_table};
use crate::value::Value;

pub(crate) fn put<T>(place: &mut T, read: Result<T, Problem>) -> Result<(), Problem> {
    *place = read?;
    Ok(())
}

fn checked(value: &Value, fits: impl Fn(&str) -> bool) -> Result<String, Problem> {
    value.text().and_then(|text| if fits(text) { Ok(text.to_owned()) } else { Err(Problem::Refused) })
}

pub(crate) fn name(value: &Value) -> Result<String, Problem> {
    checked(value, |text| {
        text.len() <= 64
            && !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    })
}

pub(crate) fn token(value: &Value) -> Result<String, Problem> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    checked(value, |text| !text.is_empty() && text.bytes().all(fits))
}

pub(crate) fn path(value: &Value) -> Result<String, Problem> {
    checked(value, |text| {
        text.starts_with('/') && text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b';')
    })
}

pub(crate) fn domain(value: &Value) -> Result<String, Problem> {
    checked(value, |text| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte)))
}

pub(crate) fn hosts(value: &Value) -> Result<Vec<String>, Problem> {
    let hosts = value.list()?;
    if hosts.iter().all(|host| Origin::is_host(host)) { Ok(hosts) } else { Err(Problem::Refused) }
}

pub(crate) fn prefix(value: &Value) -> Result<String, Problem> {
    let prefix = value.text()?;
    name(&Value::Text(prefix.strip_suffix(':').unwrap_or(prefix).to_owned()))
}

pub(crate) fn table(value: &Value) -> Result<String, Problem> {
    checked(value, is_table)
}

pub(crate) fn endpoint(value: &Value) -> Result<String, Problem> {
    checked(value, |text| {
        let place = text.strip_prefix("http://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
        let parts = place.and_then(|place| place.rsplit_once(':'));
        parts.is_some_and(|(host, port)| {
            !host.is_empty() && !host.contains(['@', '/', '?', '#']) && port.parse::<u16>().is_ok()
        })
    })
    .map(|text| text.trim_end_matches('/').to_owned())
}

/// Parses a number of connections.
pub(crate) fn connections(value: &Value) -> Result<u32, Problem> {
    value.count_of(10_000).and_then(|most| u32::try_from(most).map_err(|_| Problem::Refused))
}

pub(crate) fn durability(value: &Value) -> Result<Durability, Problem> {
    match value.text()? {
        "power-cut" => Ok(Durability::PowerCut),
        "process-crash" => Ok(Durability::ProcessCrash),
        _ => Err(Problem::Refused),
    }
}

pub(crate) fn same_site(value: &Value) -> Result<SameSite, Problem> {
    match value.text()?.to_ascii_lowercase().as_str() {
        "strict" => Ok(SameSite::Strict),
        "lax" => Ok(SameSite::Lax),
        "none" => Ok(SameSite::None),
        _ => Err(Problem::Refused),
    }
}

pub(crate) const FLAG: &str = "true or false";
pub(crate) const AGE: &str = "whole seconds, 1 or more, such as 2h, 30 min, 7d, or a bare number of seconds";
pub(crate) const AGE_OR_NEVER: &str =
    "whole seconds, 1 or more, such as 24h, 30 days, or a bare number of seconds; or never";
pub(crate) const CONNECTIONS: &str = "1 to 10000";
pub(crate) const PATIENCE: &str = "1ms to 5min, such as 500ms, 2s, or a bare number of seconds";
pub(crate) const SIZE: &str = "256 to 16777216 bytes, such as 65536, 64 KiB, 1 MiB";
pub(crate) const NAME: &str = "1 to 64 letters, digits, -, _ and .";
pub(crate) const LIST: &str = "a list of names, separated by commas in the environment";
pub(crate) const HOSTS: &str = "a list of hosts with or without a port, such as accounts.example.com or localhost:8080 \
                    (no scheme, path or wildcard), separated by commas in the environment";
pub(crate) const KEYS: &str = "1 to 8 keys of 32 random bytes or more each, as hexadecimal or base64 \
                    (with or without the prefix base64:), separated by commas in the environment";
