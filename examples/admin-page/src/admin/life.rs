//! The life of one session: what its store and the trail know of it, and times in words.

use std::time::Duration;

use session_axum::{Device, Handle, Timestamp, UserSessionsError};
use session_core::store::SessionHead;

use super::Desk;
use super::trail::Moment;

/// What is known of a session.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    pub(crate) created: Timestamp,
    pub(crate) last_seen: Timestamp,
    pub(crate) idle_deadline: Timestamp,
    pub(crate) absolute_deadline: Option<Timestamp>,
    pub(crate) now: Timestamp,
    pub(crate) moments: Vec<Moment>,
}

/// Returns a user's session with its life, or `None` if the user has no such session.
pub(crate) async fn of(
    desk: &Desk,
    user: &str,
    handle: Handle,
) -> Result<Option<(Device, Life)>, UserSessionsError> {
    let Some(device) = desk.sessions.of(user).get(handle).await? else { return Ok(None) };
    let Some(head) = head(desk, user, handle).await? else { return Ok(None) };
    let life = Life {
        created: device.created,
        last_seen: device.last_seen,
        idle_deadline: head.idle_deadline,
        absolute_deadline: head.absolute_deadline,
        now: desk.clock.now(),
        moments: desk.trail.of(handle),
    };
    Ok(Some((device, life)))
}

/// The head of a session, which has both deadlines.
async fn head(desk: &Desk, user: &str, handle: Handle) -> Result<Option<SessionHead>, UserSessionsError> {
    let Some(index) = desk.sessions.store().and_then(|store| store.owners()) else { return Ok(None) };
    let mut from = None;
    loop {
        let page = index.heads(user, from.as_ref(), 250, desk.clock.now()).await;
        let page = page.map_err(UserSessionsError::Store)?;
        if let Some(head) = page.entries.into_iter().find(|head| head.key.handle() == handle) {
            return Ok(Some(head));
        }
        from = page.next;
        if from.is_none() {
            return Ok(None);
        }
    }
}

/// `2026-12-01 14:05:09 UTC`.
pub(crate) fn moment(at: Timestamp) -> String {
    let at = at.to_offset();
    let (date, hour, minute, second) = (at.date(), at.hour(), at.minute(), at.second());
    format!("{date} {hour:02}:{minute:02}:{second:02} UTC")
}

/// `in 2 h 5 min`, `3 min ago`, `now`.
pub(crate) fn relative(at: Timestamp, now: Timestamp) -> String {
    match (now.until(at), at.until(now)) {
        (ahead, _) if ahead >= Duration::from_secs(1) => format!("in {}", rounded(ahead)),
        (_, ago) if ago >= Duration::from_secs(1) => format!("{} ago", rounded(ago)),
        _ => "now".to_owned(),
    }
}

/// The two largest units.
fn rounded(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let two = |large: u64, unit: &str, small: u64, smaller: &str| match small {
        0 => format!("{large} {unit}"),
        _ => format!("{large} {unit} {small} {smaller}"),
    };
    match (days, hours, minutes) {
        (1.., ..) => two(days, "d", hours % 24, "h"),
        (_, 1.., _) => two(hours, "h", minutes % 60, "min"),
        (_, _, 1..) => two(minutes, "min", seconds % 60, "s"),
        _ => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_two_units_at_most() {
        let at = |seconds: i64| Timestamp::from_millis(1_000_000_000 + seconds * 1_000);
        for (seconds, words) in [
            (0, "now"),
            (59, "in 59 s"),
            (-61, "1 min 1 s ago"),
            (7_200, "in 2 h"),
            (-7_500, "2 h 5 min ago"),
            (86_400 + 3_600, "in 1 d 1 h"),
        ] {
            assert_eq!(relative(at(seconds), at(0)), words);
        }
        assert_eq!(moment(Timestamp::from_millis(0)), "1970-01-01 00:00:00 UTC");
    }
}
