//! The route to the current master according to the sentinels.

use redis::ProtocolVersion;
use redis::sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType};

use crate::builder::BuildError;
use crate::link::Route;

/// Parses `redis-sentinel://[user:password@]host:port,host:port/service[/db]`. The credentials are those of the
/// servers, not of the sentinels.
pub(crate) fn route(url: &str) -> Result<Route, BuildError> {
    parse(url)
        .map(|client| Route::Sentinel(Box::new(tokio::sync::Mutex::new(client))))
        .ok_or(BuildError::SentinelUrl)
}

fn parse(url: &str) -> Option<SentinelClient> {
    let (scheme, rest) = match url.split_once("-sentinel://")? {
        (scheme @ ("redis" | "rediss"), rest) => (scheme, rest),
        _ => return None,
    };
    let (login, rest) = match rest.rsplit_once('@') {
        Some((login, rest)) => (format!("{login}@"), rest),
        None => (String::new(), rest),
    };
    let (hosts, path) = rest.split_once('/')?;
    let (service, db) = path.split_once('/').unwrap_or((path, "0"));
    if service.is_empty() {
        return None;
    }
    // The driver parses credentials and database from a URL. Its messages are dropped, because they may quote the
    // URL.
    let like_a_server = redis::Client::open(format!("{scheme}://{login}localhost/{db}")).ok()?;
    let settings = like_a_server.get_connection_info().redis_settings().clone();
    let settings = settings.set_protocol(ProtocolVersion::RESP3);
    let mut node = SentinelNodeConnectionInfo::default().set_redis_connection_info(settings);
    if scheme == "rediss" {
        node = node.set_tls_mode(redis::TlsMode::Secure);
    }
    let sentinels: Vec<String> = hosts.split(',').map(|host| format!("{scheme}://{host}")).collect();
    // With TLS, the driver accepts a `&str` here; without, it requires a `String`.
    let service = String::from(service);
    SentinelClient::build(sentinels, service, Some(node), SentinelServerType::Master).ok()
}
