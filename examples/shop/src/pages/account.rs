//! The delivery address: a page that asks for the password again when the last proof is old.

use std::time::Duration;

use minijinja::context;
use minijinja::value::Serde;
use serde::{Deserialize, Serialize};
use session_core::{Key, Session};

use super::{ask_to_sign_in, visitor};
use crate::ask::Ask;
use crate::go::{Go, Problem};

#[derive(Debug, Default, Serialize, Deserialize)]
struct Address {
    street: String,
    city: String,
}

pub(crate) fn show(session: &Session, ask: &Ask, within: Duration) -> Result<Go, Problem> {
    if let Some(elsewhere) = gate(session, ask, within)? {
        return Ok(elsewhere);
    }
    Go::page("account.html", context! { address => Serde(session.get(ADDRESS)?.unwrap_or_default()) })
}

pub(crate) fn save(session: &Session, ask: &Ask, within: Duration) -> Result<Go, Problem> {
    if let Some(elsewhere) = gate(session, ask, within)? {
        session.flash_all()?;
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
    if errors.is_empty() {
        session.put(ADDRESS, &address)?;
        session.flash("status", "address_saved")?;
    } else {
        session.with_errors(errors)?;
        session.flash_all()?;
    }
    Go::to("/account")
}

pub(crate) fn ask_again(session: &Session) -> Result<Go, Problem> {
    if visitor(session).is_none() {
        return ask_to_sign_in(session, "/account");
    }
    // What was typed on the page that led here is still on its way there.
    session.reflash()?;
    Go::page("confirm.html", context! {})
}

pub(crate) fn confirm(session: &Session, ask: &Ask) -> Result<Go, Problem> {
    let Some(person) = visitor(session) else { return ask_to_sign_in(session, "/account") };
    session.reflash()?;
    if !person.password_is(ask.secret("password")) {
        session.with_errors([("password", "password_wrong")])?;
        return Go::to("/confirm");
    }
    // More is allowed from here on, so the id is new as well.
    session.regenerate()?;
    session.confirm()?;
    Go::to(session.pull_intended_url()?.unwrap_or_else(|| "/account".to_owned()))
}

/// Where somebody has to go first; nobody, if they proved not long ago who they are.
fn gate(session: &Session, ask: &Ask, within: Duration) -> Result<Option<Go>, Problem> {
    if visitor(session).is_none() {
        return ask_to_sign_in(session, "/account").map(Some);
    }
    if session.authenticated_at().is_some_and(|proof| proof.until(ask.now) < within) {
        return Ok(None);
    }
    session.set_intended_url("/account")?;
    Go::to("/confirm").map(Some)
}

const ADDRESS: Key<Address> = Key::new("address");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::{DEMO, Person};

    const FIVE_MINUTES: Duration = Duration::from_secs(300);

    fn signed_in() -> (Session, Ask) {
        let session = Session::standalone();
        session.tag(DEMO.email).unwrap();
        session.confirm().unwrap();
        let mut ask = Ask::form(&[("address[street]", "Lindenallee 1"), ("address[city]", "")]);
        ask.now = session.authenticated_at().unwrap();
        session.set_input(ask.form.as_map().clone());
        (session, ask)
    }

    #[test]
    fn a_proof_counts_for_five_minutes_and_not_longer() {
        let (session, mut ask) = signed_in();
        assert!(matches!(show(&session, &ask, FIVE_MINUTES).unwrap(), Go::Page("account.html", _)));
        ask.now = ask.now.plus(FIVE_MINUTES);
        assert!(matches!(show(&session, &ask, FIVE_MINUTES).unwrap(), Go::To(path) if path == "/confirm"));
    }

    #[test]
    fn an_address_without_a_city_is_not_saved() {
        let (session, ask) = signed_in();
        save(&session, &ask, FIVE_MINUTES).unwrap();
        assert!(session.missing("address"));
    }

    #[test]
    fn the_password_of_the_account_is_a_proof_and_another_is_not() {
        let (session, _) = signed_in();
        let before = session.authenticated_at().unwrap();
        let go = confirm(&session, &Ask::form(&[("password", "guess")])).unwrap();
        assert!(matches!(go, Go::To(path) if path == "/confirm"));
        assert_eq!(session.authenticated_at(), Some(before));
        let go = confirm(&session, &Ask::form(&[("password", Person::demo_password())])).unwrap();
        assert!(matches!(go, Go::To(path) if path == "/account"));
    }
}
