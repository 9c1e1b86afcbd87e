//! Signing in and out: errors beside the fields, a new id, the page that was interrupted.

use std::time::Duration;

use minijinja::context;
use session_core::Session;

use super::{LANGUAGE, THEME, visitor};
use crate::ask::Ask;
use crate::go::{Go, Problem};
use crate::people::{self, DEMO, Person};

pub(crate) fn show(session: &Session) -> Result<Go, Problem> {
    if visitor(session).is_some() {
        return Go::to("/orders");
    }
    // Whoever was just signed out from another device still brings the ended session. It takes no more writes, the
    // form's token among them, until its tombstone has gone: so this page begins a new one.
    if session.fresh() {
        session.regenerate()?;
    }
    Go::page("sign_in.html", context! { demo_email => DEMO.email, demo_password => Person::demo_password() })
}

pub(crate) fn sign_in(session: &Session, ask: &Ask) -> Result<Go, Problem> {
    let (email, password) = (ask.field("email"), ask.secret("password"));
    let mut errors = Vec::new();
    if email.is_empty() {
        errors.push(("email", "email_missing"));
    } else if !email.contains('@') {
        errors.push(("email", "email_malformed"));
    }
    if password.is_empty() {
        errors.push(("password", "password_missing"));
    }
    if !errors.is_empty() {
        return again(session, errors);
    }
    let Some(person) = people::find(email, password) else {
        // One message for both, so that the form does not tell who has an account.
        return again(session, vec![("email", "credentials")]);
    };

    // A new id before anything is worth stealing: whoever planted the old one is left with a dead session.
    session.regenerate()?;
    session.tag(person.email)?;
    session.confirm()?;
    session.set_meta("browser", ask.browser())?;
    if ask.field("remember") == "on" {
        session.remember_me(A_MONTH)?;
    }
    session.flash("status", "signed_in")?;
    session.flash("about", person.name)?;
    Go::to(session.pull_intended_url()?.unwrap_or_else(|| "/".to_owned()))
}

/// Ends the session and begins another, which keeps nothing but the visitor's taste.
pub(crate) fn sign_out(session: &Session) -> Result<Go, Problem> {
    let taste = session.only([THEME.name(), LANGUAGE.name()]);
    session.invalidate()?;
    session.put_many(taste)?;
    session.flash("status", "signed_out")?;
    Go::to("/")
}

/// Back to the form, with what was typed; the password is never among it.
fn again(session: &Session, errors: Vec<(&str, &str)>) -> Result<Go, Problem> {
    session.with_errors(errors)?;
    session.flash_all()?;
    Go::to("/sign-in")
}

const A_MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    fn try_it(email: &str, password: &str) -> (Session, Go) {
        let session = Session::standalone();
        let ask = Ask::form(&[("email", email), ("password", password)]);
        session.set_input(ask.form.as_map().clone());
        let go = sign_in(&session, &ask).unwrap();
        (session, go)
    }

    #[test]
    fn a_wrong_password_leads_back_to_the_form_and_nobody_is_signed_in() {
        for (email, password) in [("", ""), ("ada", "x"), (DEMO.email, "wrong"), ("eve@example.com", "x")] {
            let (session, go) = try_it(email, password);
            assert!(matches!(go, Go::To(path) if path == "/sign-in"), "{email}");
            assert_eq!(visitor(&session), None);
        }
    }

    #[test]
    fn the_right_password_signs_in_and_leads_where_the_visitor_wanted_to_go() {
        let session = Session::standalone();
        session.set_intended_url("/orders").unwrap();
        let ask = Ask::form(&[("email", DEMO.email), ("password", Person::demo_password())]);
        let go = sign_in(&session, &ask).unwrap();
        assert!(matches!(go, Go::To(path) if path == "/orders"));
        assert_eq!(visitor(&session), Some(&DEMO));
        assert!(session.authenticated_at().is_some());
        assert_eq!(session.intended_url(), None);
    }

    #[test]
    fn signing_out_keeps_the_theme_and_nothing_else() {
        let (session, _) = try_it(DEMO.email, Person::demo_password());
        session.put(THEME, "dark").unwrap();
        session.put("cart.assam", 1).unwrap();
        sign_out(&session).unwrap();
        assert_eq!(session.all().to_json(), r#"{"theme":"dark"}"#);
        assert_eq!(visitor(&session), None);
    }
}
