//! The operations of a script and the session calls that they stand for.

use std::time::Duration;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use session_core::{Device, Handle, Number, Session};

use super::fields::Fields;
use super::kind::Failed;

type Json = Box<RawValue>;

/// Runs an operation and returns its result.
pub(super) async fn run(session: &Session, op: &RawValue) -> Result<Json, Failed> {
    let fields = Fields::parse(op)?;
    match fields.op.as_str() {
        "commit" => json(&session.commit().await?),
        "sleep" => {
            tokio::time::sleep(Duration::from_millis(fields.ms()?)).await;
            json(&())
        }
        "panic" => panic!("the script says so"),
        "devices" | "count_devices" | "destroy_others" | "destroy_all_of" | "destroy_device" => {
            devices(session, &fields).await
        }
        _ => values(session, &fields),
    }
}

/// Operations on values.
fn values(session: &Session, fields: &Fields) -> Result<Json, Failed> {
    match fields.op.as_str() {
        "get" => or_default(session.get::<Json>(fields.key()?)?, fields),
        "pull" => or_default(session.pull::<Json>(fields.key()?)?, fields),
        "has" => json(&session.has(fields.keys()?)),
        "exists" => json(&session.exists(fields.keys()?)),
        "missing" => json(&session.missing(fields.keys()?)),
        "has_any" => json(&session.has_any(fields.keys()?)),
        "only" => json(&session.all().only(fields.keys()?)),
        "except" => json(&session.all().except(fields.keys()?)),
        "forget" => json(&session.forget(fields.keys()?)?),
        "all" => json(&session.all()),
        "keys" => json(&session.all().keys().collect::<Vec<_>>()),
        "len" => json(&session.all().len()),
        "is_empty" => json(&session.is_empty()),
        "clear" => json(&session.clear()?),
        "put" => json(&session.put(fields.key()?, fields.value()?)?),
        "push" => json(&session.push(fields.key()?, fields.value()?)?),
        "put_many" => json(&session.put_many(fields.values()?)?),
        "merge" => json(&session.merge(fields.values()?)?),
        "replace" => json(&session.replace(fields.values()?)?),
        "remember" => {
            let value = fields.value()?;
            json(&session.remember::<Json>(fields.key()?, || value.to_owned())?)
        }
        "increment" => json(&session.increment_by(fields.key()?, fields.by())?),
        "decrement" => json(&session.decrement_by(fields.key()?, fields.by())?),
        "update_add" => {
            let by = fields.by();
            json(&session.update(fields.key()?, move |now: Option<Number>| add(now, by))?)
        }
        _ => flash(session, fields),
    }
}

/// Operations on flash.
fn flash(session: &Session, fields: &Fields) -> Result<Json, Failed> {
    match fields.op.as_str() {
        "flash" => json(&session.flash(fields.key()?, fields.value()?)?),
        "flash_push" => json(&session.flash_push(fields.key()?, fields.value()?)?),
        "flash_many" => json(&session.flash_many(&fields.values()?)?),
        "now" => json(&session.flash_now(fields.key()?, fields.value()?)?),
        "flash_get" => or_default(session.flash_messages().get::<Json>(fields.key()?)?, fields),
        "flash_has" => json(&session.flash_messages().has(fields.key()?)),
        "flash_messages" => json(&session.flash_messages().all()),
        "flash_all" => json(&session.flash_all()?),
        "flash_only" => json(&session.flash_only(fields.keys()?)?),
        "flash_except" => json(&session.flash_except(fields.keys()?)?),
        "reflash" => json(&session.reflash()?),
        "reflash_only" => json(&session.reflash_only(fields.keys()?)?),
        "reflash_except" => json(&session.reflash_except(fields.keys()?)?),
        "keep" => json(&session.reflash_only(fields.keys()?)?),
        "with_errors" => json(&session.with_errors(fields.errors()?)?),
        "with_errors_in" => json(&session.form(fields.bag()?).with_errors(fields.errors()?)?),
        "errors_in" => json(&session.form(fields.bag()?).errors().all()),
        "old_in" => or_default(session.form(fields.bag()?).old::<Json>(fields.key()?)?, fields),
        "old" => or_default(session.old::<Json>(fields.key()?)?, fields),
        "has_old" => json(&session.has_old(fields.key()?)),
        "errors" => json(&session.errors().all()),
        "has_errors" => json(&session.errors().any()),
        "has_error_for" => json(&session.errors().has(fields.key()?)),
        "get_error_for" => json(&session.errors().first(fields.key()?)),
        _ => life(session, fields),
    }
}

/// The operations on a session's identity and lifetime.
fn life(session: &Session, fields: &Fields) -> Result<Json, Failed> {
    match fields.op.as_str() {
        "id" => json(&session.id()?),
        "fresh" => json(&session.status().fresh()),
        "ended" => json(&session.status().ended()),
        "unseen" => json(&session.status().unseen()),
        "readonly" => json(&session.status().readonly()),
        "has_regenerated" => json(&session.status().has_regenerated()),
        "initiated" => json(&true),
        "regenerate" => json(&session.regenerate()?),
        "invalidate" => json(&session.invalidate()?),
        "destroy" => json(&session.destroy()?),
        "set_age" => json(&session.lifetime().set_age(Duration::from_secs(fields.seconds()?))?),
        "csrf_token" => json(&session.csrf().token()?),
        "regenerate_csrf_token" => json(&session.csrf().regenerate()?),
        "verify_csrf" => json(&session.csrf().verify(fields.token()?)),
        "set_intended_url" => json(&session.urls().set_intended(fields.url()?)?),
        "get_intended_url" => json(&session.urls().intended()),
        "pull_intended_url" => json(&session.urls().pull_intended()?),
        "clear_intended_url" => json(&session.urls().clear_intended()?),
        "tag" => json(&session.tag(fields.owner()?)?),
        "untag" => json(&session.untag()?),
        unknown => Err(Failed::bad_op(format!("there is no operation `{unknown}`"))),
    }
}

/// Operations on the sessions of a user: this session's user unless another one is named.
async fn devices(session: &Session, fields: &Fields) -> Result<Json, Failed> {
    let named = match fields.op.as_str() {
        "destroy_all_of" | "destroy_device" => fields.owner().map(str::to_owned),
        _ => fields.owner().map(str::to_owned).or_else(|missing| session.user().name().ok_or(missing)),
    };
    let owner = session.sessions().of(named?);
    match fields.op.as_str() {
        "devices" => {
            let own = session.id()?;
            let shown = |device: Device| Shown {
                handle: device.handle,
                created: device.created.as_millis(),
                last_seen: device.last_seen.as_millis(),
                current: device.handle == own,
            };
            json(&owner.list().await?.into_iter().map(shown).collect::<Vec<_>>())
        }
        "count_devices" => json(&owner.count().await?),
        "destroy_others" => json(&owner.destroy_others(session).await?),
        "destroy_all_of" => json(&owner.destroy_all().await?),
        _ => match fields.handle()?.parse() {
            Ok(handle) => json(&owner.destroy(handle).await?),
            // An unknown handle; counting tells whether the store supports lists at all.
            Err(_) => json(&owner.count().await.map(|_| false)?),
        },
    }
}

#[derive(Serialize)]
struct Shown {
    handle: Handle,
    created: i64,
    last_seen: i64,
    current: bool,
}

fn json(value: &(impl Serialize + ?Sized)) -> Result<Json, Failed> {
    to_raw_value(value).map_err(|error| Failed::bad_op(error.to_string()))
}

fn or_default(value: Option<Json>, fields: &Fields) -> Result<Json, Failed> {
    json(&value.as_deref().or(fields.default.as_deref()))
}

/// Adds numbers; integers exactly, within their range.
fn add(now: Option<Number>, by: Number) -> Number {
    let now = now.unwrap_or_else(|| Number::from(0));
    match (i128::try_from(now), i128::try_from(by)) {
        (Ok(now), Ok(by)) => Number::from(now.saturating_add(by)),
        _ => Number::from(now.as_f64() + by.as_f64()),
    }
}
