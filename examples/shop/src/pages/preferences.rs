//! Theme and language: two values of the session, changed from any page, back to that page.

use session_core::Session;

use super::{LANGUAGE, THEME};
use crate::ask::Ask;
use crate::go::{Go, Problem};
use crate::words::Language;

pub(crate) fn change(session: &Session, ask: &Ask) -> Result<Go, Problem> {
    let theme = ask.field("theme");
    if ["light", "dark"].contains(&theme) {
        session.put(THEME, theme)?;
    }
    if let Some(language) = Language::named(ask.field("language")) {
        session.put(LANGUAGE, language.code())?;
    }
    // Never further than this very host, whatever the Referer says.
    Go::to(session.back_url(ask.referer.as_deref(), ask.host.as_deref(), "/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theme_that_does_not_exist_changes_nothing() {
        let session = Session::standalone();
        change(&session, &Ask::form(&[("theme", "plaid"), ("language", "tlh")])).unwrap();
        assert!(session.is_empty());
    }

    #[test]
    fn the_switch_leads_back_to_the_page_and_never_to_another_site() {
        let session = Session::standalone();
        let mut ask = Ask::form(&[("theme", "dark")]);
        ask.host = Some("shop.example".to_owned());
        for (referer, target) in [("http://shop.example/cart", "/cart"), ("http://evil.example/cart", "/")] {
            ask.referer = Some(referer.to_owned());
            let Go::To(path) = change(&session, &ask).unwrap() else { panic!("not a redirect") };
            assert_eq!(path, target);
        }
        assert_eq!(session.get(THEME).unwrap().as_deref(), Some("dark"));
    }
}
