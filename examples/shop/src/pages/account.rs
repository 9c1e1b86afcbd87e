//! The delivery address: a page that asks for the password again when the last proof is old.

use std::time::Duration;

use minijinja::context;
use minijinja::value::Serde;
use serde::{Deserialize, Serialize};
use session_core::Key;

use super::{user, visitor};
use crate::ask::Ask;
use crate::go::{Go, Problem};

#[derive(Debug, Default, Serialize, Deserialize)]
struct Address {
    street: String,
    city: String,
}

pub(crate) fn show(ask: &Ask, within: Duration) -> Result<Go, Problem> {
    if let Some(elsewhere) = gate(ask, within)? {
        return Ok(elsewhere);
    }
    Go::page("account.html", context! { address => Serde(ask.session().get(ADDRESS)?.unwrap_or_default()) })
}

pub(crate) fn save(ask: &Ask, within: Duration) -> Result<Go, Problem> {
    if let Some(elsewhere) = gate(ask, within)? {
        // What was typed waits until the password is given.
        ask.session().flash_all()?;
        return Ok(elsewhere);
    }
    let address = Address {
        street: ask.field("address[street]").to_owned(),
        city: ask.field("address[city]").to_owned(),
    };
    let fields = [("address.street", &address.street), ("address.city", &address.city)];
    let errors: Vec<_> = fields
        .into_iter()
        .filter_map(|(field, value)| match value.chars().count() {
            0 => Some((field, "address_missing")),
            1..=80 => None,
            _ => Some((field, "address_long")),
        })
        .collect();
    let again = ask.redirects.to("/account");
    if !errors.is_empty() {
        return Go::to(again.with_errors(errors).with_input());
    }
    ask.session().put(ADDRESS, &address)?;
    Go::to(again.with("status", "address_saved"))
}

pub(crate) fn ask_again(ask: &Ask) -> Result<Go, Problem> {
    let session = ask.session();
    if visitor(session).is_none() {
        // A password was given at the sign-in, so it is not asked for again right after it.
        return Go::to(ask.redirects.to("/account"));
    }
    // What was typed on the page that led here is still on its way there.
    session.reflash()?;
    Go::page("confirm.html", context! {})
}

pub(crate) fn confirm(ask: &Ask) -> Result<Go, Problem> {
    let (person, session) = (user(ask)?, ask.session());
    session.reflash()?;
    if !person.password_is(ask.secret("password")) {
        return Go::to(ask.redirects.to("/confirm").with_errors([("password", "password_wrong")]));
    }
    // More is allowed from here on, so the id is new as well.
    session.regenerate()?;
    session.user().confirm()?;
    Go::to(ask.redirects.intended("/account"))
}

/// Where somebody has to go first; nobody, if they proved not long ago who they are.
fn gate(ask: &Ask, within: Duration) -> Result<Option<Go>, Problem> {
    user(ask)?;
    let session = ask.session();
    if session.user().authenticated_at().is_some_and(|proof| proof.until(ask.now) < within) {
        return Ok(None);
    }
    session.urls().set_intended("/account")?;
    Go::to(ask.redirects.to("/confirm")).map(Some)
}

const ADDRESS: Key<Address> = Key::new("address");

#[cfg(test)]
mod tests {
    use session_core::Session;

    use super::*;
    use crate::people::{DEMO, Person};

    const FIVE_MINUTES: Duration = Duration::from_secs(300);

    async fn signed_in(fields: &[(&str, &str)]) -> Ask {
        let session = Session::standalone();
        session.tag(DEMO.email).unwrap();
        session.user().confirm().unwrap();
        let mut ask = Ask::form_in(session, fields).await;
        ask.now = ask.session().user().authenticated_at().unwrap();
        ask
    }

    #[tokio::test]
    async fn a_proof_counts_for_five_minutes_and_not_longer() {
        let mut ask = signed_in(&[]).await;
        assert!(matches!(show(&ask, FIVE_MINUTES).unwrap(), Go::Page("account.html", _)));
        ask.now = ask.now.plus(FIVE_MINUTES);
        assert_eq!(show(&ask, FIVE_MINUTES).unwrap().location(), "/confirm");
    }

    #[tokio::test]
    async fn an_address_without_a_city_is_not_saved() {
        let ask = signed_in(&[("address[street]", "Lindenallee 1"), ("address[city]", "")]).await;
        save(&ask, FIVE_MINUTES).unwrap();
        assert!(ask.session().missing("address"));
    }

    #[tokio::test]
    async fn the_password_of_the_account_is_a_proof_and_another_is_not() {
        let ask = signed_in(&[("password", "guess")]).await;
        let before = ask.session().user().authenticated_at().unwrap();
        assert_eq!(confirm(&ask).unwrap().location(), "/confirm");
        assert_eq!(ask.session().user().authenticated_at(), Some(before));
        let ask = signed_in(&[("password", Person::demo_password())]).await;
        assert_eq!(confirm(&ask).unwrap().location(), "/account");
    }
}
