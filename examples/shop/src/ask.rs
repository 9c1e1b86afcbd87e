//! What a page may know about a request: its session, its form, where it came from. No framework's word.

use session_core::{
    Session, Timestamp,
    adapter::{Clock, SystemClock},
};
use session_web::Form;
use session_web::Redirects;

/// One request, as the pages see it. Redirects know the session; the form is what the adapter's `Input` has read.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) redirects: Redirects,
    pub(crate) form: Form,
    pub(crate) now: Timestamp,
    pub(crate) agent: String,
}

impl Ask {
    pub(crate) fn new(redirects: Redirects, form: Form, agent: Option<&str>) -> Self {
        Self { redirects, form, now: SystemClock.now(), agent: agent.unwrap_or_default().to_owned() }
    }

    pub(crate) fn session(&self) -> &Session {
        self.redirects.session()
    }

    /// A field of the form without the blanks around it; empty when it is missing.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.secret(name).trim()
    }

    /// Returns a field without trimming, for passwords, in which blanks are significant.
    pub(crate) fn secret(&self, name: &str) -> &str {
        self.form.text(name).unwrap_or_default()
    }

    /// The browser in a few words, for a list of devices.
    pub(crate) fn browser(&self) -> String {
        let first = |known: &[(&str, &'static str)]| {
            known.iter().find(|(sign, _)| self.agent.contains(sign)).map(|(_, name)| *name)
        };
        // In this order, since most browsers also name the ones that they resemble.
        let browsers =
            [("Firefox/", "Firefox"), ("Edg/", "Edge"), ("Chrome/", "Chrome"), ("Safari/", "Safari")];
        let systems = [
            ("Android", "Android"),
            ("iPhone", "iPhone"),
            ("Windows", "Windows"),
            ("Mac OS", "Mac"),
            ("Linux", "Linux"),
        ];
        match (first(&browsers), first(&systems)) {
            (Some(browser), Some(system)) => format!("{browser}, {system}"),
            (Some(name), None) | (None, Some(name)) => name.to_owned(),
            (None, None) => self.agent.chars().take(40).collect(),
        }
    }
}

#[cfg(test)]
impl Ask {
    /// A form that was sent, for tests of the pages.
    pub(crate) async fn form(fields: &[(&str, &str)]) -> Self {
        Self::form_in(Session::standalone(), fields).await
    }

    /// The same, in this session.
    pub(crate) async fn form_in(session: Session, fields: &[(&str, &str)]) -> Self {
        // None of this needs letters escaped but the blank.
        let fields = fields.iter().map(|(name, value)| format!("{name}={}", value.replace(' ', "+")));
        let body = fields.collect::<Vec<_>>().join("&");
        let form = Form::read("application/x-www-form-urlencoded", body.into()).await.unwrap();
        session.set_input(form.as_map().clone());
        Self::new(Redirects::new(session, None, None), form, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_browser_is_named_in_few_words() {
        let mut ask = Ask::form(&[]).await;
        ask.agent = "Mozilla/5.0 (X11; Linux x86_64) Chrome/141.0 Safari/537.36".to_owned();
        assert_eq!(ask.browser(), "Chrome, Linux");
        ask.agent = "curl/8".to_owned();
        assert_eq!(ask.browser(), "curl/8");
    }

    #[tokio::test]
    async fn blanks_around_a_field_go_and_those_of_a_password_stay() {
        let ask = Ask::form(&[("email", " ada "), ("password", " secret ")]).await;
        assert_eq!((ask.field("email"), ask.secret("password")), ("ada", " secret "));
    }
}
