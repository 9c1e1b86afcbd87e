//! The shop as one function: a request and its session in, a status, a page or a redirect out.
//!
//! What an adapter adds is only how the two get in and how the answer gets out.

use std::time::Duration;

use minijinja::{Environment, Value, context};
use session_core::{Session, Sessions};

use crate::ask::{Ask, Method};
use crate::go::{Go, Problem};
use crate::pages::{THEME, account, cart, devices, home, inside, orders, preferences, sign_in, visitor};
use crate::templates;
use crate::words::Language;

/// What is the same for every request.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) sessions: Sessions,
    templates: Environment<'static>,
    confirm_after: Duration,
}

/// A response, before any framework has seen it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) html: String,
}

impl Shop {
    pub(crate) fn new(sessions: Sessions, confirm_after: Duration) -> Self {
        Self { sessions, templates: templates::environment(), confirm_after }
    }

    /// Answers a request.
    pub(crate) async fn answer(&self, session: &Session, ask: &Ask) -> Answer {
        let done = match self.go(session, ask).await {
            Ok(go) => self.render(session, ask, go),
            Err(problem) => Err(problem),
        };
        done.unwrap_or_else(|problem| {
            report(&problem);
            Answer { status: problem.status(), location: None, html: String::new() }
        })
    }

    /// The map of the shop.
    async fn go(&self, session: &Session, ask: &Ask) -> Result<Go, Problem> {
        let (sessions, within) = (&self.sessions, self.confirm_after);
        let language = Language::of(session);
        session.set_input(ask.form.as_map().clone());
        match ask.method {
            Method::Get => match ask.path.as_str() {
                "/" => home::show(language),
                "/cart" => cart::show(session, language),
                "/orders" => orders::show(session, language),
                "/sign-in" => sign_in::show(session),
                "/account" => account::show(session, ask, within),
                "/confirm" => account::ask_again(session),
                "/devices" => devices::show(sessions, session).await,
                "/session" => inside::show(sessions, session),
                _ => Ok(Go::Status(404)),
            },
            Method::Post if forged(session, ask) => Ok(Go::Status(419)),
            Method::Post => match ask.path.as_str() {
                "/preferences" => preferences::change(session, ask),
                "/cart/add" => cart::add(session, ask, language),
                "/cart/set" => cart::set(session, ask),
                "/cart/order" => cart::order(session, ask),
                "/sign-in" => sign_in::sign_in(session, ask),
                "/sign-out" => sign_in::sign_out(session),
                "/account" => account::save(session, ask, within),
                "/confirm" => account::confirm(session, ask),
                "/devices/end" => devices::end(sessions, session, ask).await,
                "/devices/end-others" => devices::end_others(sessions, session).await,
                _ => Ok(Go::Status(404)),
            },
            Method::Other => Ok(Go::Status(405)),
        }
    }

    fn render(&self, session: &Session, ask: &Ask, go: Go) -> Result<Answer, Problem> {
        let (status, template, values) = match go {
            Go::Page(template, values) => (200, template, values),
            Go::To(path) => return Ok(Answer { status: 303, location: Some(path), html: String::new() }),
            Go::Status(status) => (status, "status.html", context! { status }),
        };
        // A form from another site comes without the cookie. If its refusal made a session, the new cookie would push
        // out the visitor's own: so that page makes no token, and has no forms.
        let view = if status == 419 { session.view()? } else { session.view_with_csrf()? };
        let html = self.templates.get_template(template)?.render(context! {
            ..values,
            ..frame(session, ask)?,
            ..view.to_minijinja(),
        })?;
        Ok(Answer { status, location: None, html })
    }
}

/// A static file by its path: what it is, and what is in it.
pub(crate) fn asset(path: &str) -> Option<(&'static str, &'static str)> {
    match path {
        "/style.css" => Some(("text/css; charset=utf-8", include_str!("../assets/style.css"))),
        "/favicon.svg" => Some(("image/svg+xml", include_str!("../assets/favicon.svg"))),
        _ => None,
    }
}

/// Headers of every page: nothing from elsewhere, no script at all, in nobody's frame.
pub(crate) const SECURITY: [(&str, &str); 3] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
];

/// What the frame of each page needs.
fn frame(session: &Session, ask: &Ask) -> Result<Value, Problem> {
    let language = Language::of(session);
    Ok(context! {
        t => language.words(),
        language => language.code(),
        theme => session.get(THEME)?.unwrap_or_default(),
        cart_count => cart::count(session)?,
        visitor => visitor(session).map(|person| person.name),
        path => ask.path.as_str(),
    })
}

/// Whether a form does not carry this session's token: then another site may have made the browser send it.
fn forged(session: &Session, ask: &Ask) -> bool {
    !session.verify_csrf(ask.secret("_csrf"))
}

fn report(problem: &Problem) {
    use std::error::Error;
    eprintln!("shop: {problem}");
    let mut source = problem.source();
    while let Some(cause) = source {
        eprintln!("  because {cause}");
        source = cause.source();
    }
}

#[cfg(test)]
mod tests {
    use session_core::SecretKey;

    use super::*;
    use crate::pages::LANGUAGE;

    fn shop() -> Shop {
        let sessions = Sessions::builder().in_cookie().key(SecretKey::generate().unwrap()).build().unwrap();
        Shop::new(sessions, Duration::from_secs(300))
    }

    fn ask(method: Method, path: &str) -> Ask {
        let mut ask = Ask::form(&[]);
        (ask.method, ask.path) = (method, path.to_owned());
        ask
    }

    #[tokio::test]
    async fn every_page_renders_in_both_languages_for_a_stranger_and_for_a_user() {
        let shop = shop();
        for (language, owner) in
            [("en", None), ("de", None), ("en", Some("ada@example.com")), ("de", Some("ada@example.com"))]
        {
            for path in
                ["/", "/cart", "/orders", "/sign-in", "/account", "/confirm", "/devices", "/session", "/no"]
            {
                let session = Session::standalone();
                session.put(LANGUAGE, language).unwrap();
                session.put("cart.assam", 2).unwrap();
                if let Some(owner) = owner {
                    session.tag(owner).unwrap();
                    session.confirm().unwrap();
                }
                let answer = shop.answer(&session, &ask(Method::Get, path)).await;
                assert!(answer.status < 500, "{path} {language} {owner:?}: {}", answer.status);
            }
        }
    }

    #[tokio::test]
    async fn refusing_a_form_from_elsewhere_begins_no_session() {
        let session = Session::standalone();
        let answer = shop().answer(&session, &ask(Method::Post, "/sign-out")).await;
        assert_eq!(answer.status, 419);
        assert!(!answer.html.contains("_csrf"));
        assert!(session.is_empty() && !session.verify_csrf(""));
    }
}
