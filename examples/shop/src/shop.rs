//! The shop as one function: a request and its session in, a status, a page or a redirect out.
//!
//! What an adapter adds is only how the two get in and how the answer gets out.

use std::time::Duration;

use minijinja::{Environment, Value, context};
use session_core::{Session, Sessions};
use session_web::CsrfFailure;

use crate::ask::Ask;
use crate::go::{Go, Problem};
use crate::pages::{
    THEME, account, cart, devices, home, inside, orders, preferences, security, sign_in, sign_in_first,
    visitor,
};
use crate::seen::Seen;
use crate::templates;
use crate::words::Language;

/// What is the same for every request.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) sessions: Sessions,
    templates: Environment<'static>,
    confirm_after: Duration,
    /// The events of bound devices, if sessions are bound.
    seen: Option<Seen>,
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
        Self { sessions, templates: templates::environment(), confirm_after, seen: None }
    }

    /// Sessions are bound to devices, which this observer sees.
    pub(crate) fn seeing(self, seen: Seen) -> Self {
        Self { seen: Some(seen), ..self }
    }

    /// Answers a request.
    pub(crate) async fn answer(&self, method: &str, path: &str, ask: &Ask) -> Answer {
        let went = match self.go(method, path, ask).await {
            // The one place for pages that are only for users, as `SignedIn` of the adapters: a page is asked for again after
            // the sign-in; a form, which would be lost, is refused.
            Err(Problem::SignedOut) if method == "GET" => sign_in_first(ask, path),
            Err(Problem::SignedOut) => Ok(Go::Status(401)),
            went => went,
        };
        let rendered = match went {
            Ok(go) => self.render(ask.session(), path, go),
            Err(problem) => Err(problem),
        };
        rendered.unwrap_or_else(|problem| broken(&problem))
    }

    /// What the CSRF middleware answers. A form from another site comes without the cookie. If refusing it began a session,
    /// the new cookie would push out the visitor's own: so that page makes no token, and has no forms.
    pub(crate) fn refuse(&self, refusal: &CsrfFailure) -> Answer {
        if refusal.ended() {
            // Nobody forged anything: the form was open while the visitor was signed out elsewhere.
            return Answer { status: 303, location: Some("/sign-in".to_owned()), html: String::new() };
        }
        let nobody = Session::standalone();
        let session = refusal.session().unwrap_or(&nobody);
        self.render(session, "", Go::Status(419)).unwrap_or_else(|problem| broken(&problem))
    }

    /// The map of the shop. A form is here only if it carried the session's token.
    async fn go(&self, method: &str, path: &str, ask: &Ask) -> Result<Go, Problem> {
        match (method, path) {
            ("GET" | "HEAD", "/sign-in") => sign_in::show(ask),
            ("POST", "/sign-in") => sign_in::sign_in(ask),
            // The session was ended, or got a new id in another tab, or is another browser's: the sign-in page finds out.
            _ if ask.session().status().ended() || ask.session().status().unproven() => {
                Go::to(ask.redirects.to("/sign-in"))
            }
            ("GET" | "HEAD", "/") => home::show(ask),
            ("GET" | "HEAD", "/cart") => cart::show(ask),
            ("GET" | "HEAD", "/orders") => orders::show(ask),
            ("GET" | "HEAD", "/account") => account::show(ask, self.confirm_after),
            ("GET" | "HEAD", "/confirm") => account::ask_again(ask),
            ("GET" | "HEAD", "/devices") => devices::show(ask, &self.sessions).await,
            ("GET" | "HEAD", "/security") => {
                security::show(ask, &self.seen.clone().unwrap_or_default(), self.seen.is_some())
            }
            ("GET" | "HEAD", "/session") => inside::show(ask, &self.sessions),
            ("POST", "/preferences") => preferences::change(ask),
            ("POST", "/cart/add") => cart::add(ask),
            ("POST", "/cart/set") => cart::set(ask),
            ("POST", "/cart/order") => cart::order(ask),
            ("POST", "/sign-out") => sign_in::sign_out(ask),
            ("POST", "/account") => account::save(ask, self.confirm_after),
            ("POST", "/confirm") => account::confirm(ask),
            ("POST", "/devices/end") => devices::end(ask, &self.sessions).await,
            ("POST", "/devices/end-others") => devices::end_others(ask, &self.sessions).await,
            _ => Ok(Go::Status(404)),
        }
    }

    fn render(&self, session: &Session, path: &str, go: Go) -> Result<Answer, Problem> {
        let (status, template, values) = match go {
            Go::Page(template, values) => (200, template, values),
            Go::Status(status) => (status, "status.html", context! { status }),
            Go::To(redirect) => {
                let redirect = redirect.finish()?;
                let location = Some(redirect.location().to_owned());
                return Ok(Answer { status: redirect.status(), location, html: String::new() });
            }
        };
        let view = if status == 419 { session.view()? } else { session.csrf().view()? };
        let html = self.templates.get_template(template)?.render(context! {
            ..values,
            ..frame(session, path)?,
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
fn frame(session: &Session, path: &str) -> Result<Value, Problem> {
    let language = Language::of(session);
    Ok(context! {
        t => language.words(),
        language => language.code(),
        theme => session.get(THEME)?.unwrap_or_default(),
        cart_count => cart::count(session)?,
        visitor => visitor(session).map(|person| person.name),
        path,
    })
}

fn broken(problem: &Problem) -> Answer {
    eprintln!("shop: {problem}");
    let mut source = std::error::Error::source(problem);
    while let Some(cause) = source {
        eprintln!("  because {cause}");
        source = cause.source();
    }
    Answer { status: problem.status(), location: None, html: String::new() }
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

    #[tokio::test]
    async fn every_page_renders_in_both_languages_for_a_stranger_and_for_a_user() {
        let shop = shop();
        for (language, owner) in
            [("en", None), ("de", None), ("en", Some("ada@example.com")), ("de", Some("ada@example.com"))]
        {
            for path in [
                "/",
                "/cart",
                "/orders",
                "/sign-in",
                "/account",
                "/confirm",
                "/devices",
                "/security",
                "/session",
                "/no",
            ] {
                let session = Session::standalone();
                session.put(LANGUAGE, language).unwrap();
                session.put("cart.assam", 2).unwrap();
                if let Some(owner) = owner {
                    session.tag(owner).unwrap();
                    session.user().confirm().unwrap();
                }
                let answer = shop.answer("GET", path, &Ask::form_in(session, &[]).await).await;
                assert!(answer.status < 500, "{path} {language} {owner:?}: {}", answer.status);
            }
        }
    }

    #[tokio::test]
    async fn a_stranger_is_sent_to_the_sign_in_page_and_brought_back() {
        for (path, location) in [
            ("/orders", "/sign-in"),
            ("/account", "/sign-in"),
            ("/devices", "/sign-in"),
            ("/security", "/sign-in"),
            ("/confirm", "/account"),
        ] {
            let ask = Ask::form(&[]).await;
            let answer = shop().answer("GET", path, &ask).await;
            assert_eq!((answer.status, answer.location.as_deref()), (303, Some(location)), "{path}");
            let intended = (location == "/sign-in").then_some(path);
            assert_eq!(ask.session().urls().intended().as_deref(), intended);
        }
    }

    #[tokio::test]
    async fn a_stranger_s_form_is_refused() {
        for path in ["/account", "/confirm", "/devices/end", "/devices/end-others"] {
            let ask = Ask::form(&[]).await;
            let answer = shop().answer("POST", path, &ask).await;
            assert_eq!((answer.status, answer.location.as_deref()), (401, None), "{path}");
            assert!(answer.html.contains(r#"href="/sign-in""#));
            assert!(ask.session().urls().intended().is_none());
        }
    }

    #[test]
    fn refusing_a_form_makes_no_token() {
        let session = Session::standalone();
        let answer = shop().refuse(&session.clone().into());
        assert_eq!(answer.status, 419);
        assert!(!answer.html.contains("_csrf"));
        assert!(session.is_empty() && session.view().unwrap().csrf_token().is_none());
    }
}
