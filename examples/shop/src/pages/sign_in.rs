//! Signing in and out: errors beside the fields, a new id, the page that was interrupted.

use std::time::Duration;

use minijinja::context;

use super::{LANGUAGE, THEME, visitor};
use crate::ask::Ask;
use crate::go::{Go, Problem};
use crate::people::{self, DEMO, Person};

pub(crate) fn show(ask: &Ask) -> Result<Go, Problem> {
    let session = ask.session();
    if visitor(session).is_some() {
        return Go::to(ask.redirects.to("/"));
    }
    // A browser may still bring the cookie of an ended session, or of one whose key it does not have. Neither takes writes,
    // not even the form's token. Here, and only here, a new one begins.
    let why = match (session.status().ended(), session.status().unproven()) {
        (true, _) => Some("session_ended"),
        (_, true) => Some("session_unproven"),
        _ => None,
    };
    if let Some(why) = why {
        session.regenerate()?;
        session.flash_now("status", why)?;
    }
    let (demo_email, demo_password) = (DEMO.email, Person::demo_password());
    Go::page("sign_in.html", context! { demo_email, demo_password })
}

pub(crate) fn sign_in(ask: &Ask) -> Result<Go, Problem> {
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
    let person = people::find(email, password);
    if errors.is_empty() && person.is_none() {
        // One message for both, so that the form does not tell who has an account.
        errors.push(("email", "credentials"));
    }
    let Some(person) = person.filter(|_| errors.is_empty()) else {
        // Back to the form, with what was typed; the password is never among it.
        return Go::to(ask.redirects.to("/sign-in").with_errors(errors).with_input());
    };

    let session = ask.session();
    // Also gives the session a new id: an id that was planted before is worthless from here on. A second click on "Sign in"
    // joins the session of the first one.
    session.tag(person.email)?;
    session.user().confirm()?;
    session.user().set_meta("browser", ask.browser())?;
    if ask.field("remember") == "on" {
        session.lifetime().remember_me(A_MONTH)?;
    }
    Go::to(ask.redirects.intended("/").with("status", "signed_in").with("about", person.name))
}

/// Ends the session and begins another, which keeps nothing but the visitor's taste.
pub(crate) fn sign_out(ask: &Ask) -> Result<Go, Problem> {
    let session = ask.session();
    let taste = session.all().only([THEME.name(), LANGUAGE.name()]);
    session.invalidate()?;
    session.put_many(taste)?;
    Go::to(ask.redirects.to("/").with("status", "signed_out"))
}

const A_MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wrong_password_leads_back_to_the_form_and_nobody_is_signed_in() {
        for (email, password) in [("", ""), ("ada", "x"), (DEMO.email, "wrong"), ("eve@example.com", "x")] {
            let ask = Ask::form(&[("email", email), ("password", password)]).await;
            assert_eq!(sign_in(&ask).unwrap().location(), "/sign-in", "{email}");
            assert_eq!(visitor(ask.session()), None);
        }
    }

    #[tokio::test]
    async fn the_right_password_signs_in_and_leads_where_the_visitor_wanted_to_go() {
        let ask = Ask::form(&[("email", DEMO.email), ("password", Person::demo_password())]).await;
        let session = ask.session();
        session.urls().set_intended("/orders").unwrap();
        assert_eq!(sign_in(&ask).unwrap().location(), "/orders");
        assert_eq!(visitor(session), Some(&DEMO));
        assert!(session.user().authenticated_at().is_some());
        assert_eq!(session.urls().intended(), None);
    }

    #[tokio::test]
    async fn signing_out_keeps_the_theme_and_nothing_else() {
        let ask = Ask::form(&[("email", DEMO.email), ("password", Person::demo_password())]).await;
        sign_in(&ask).unwrap();
        let session = ask.session();
        session.put(THEME, "dark").unwrap();
        session.put("cart.assam", 1).unwrap();
        sign_out(&ask).unwrap();
        assert_eq!(session.all().to_json(), r#"{"theme":"dark"}"#);
        assert_eq!(visitor(session), None);
    }
}
