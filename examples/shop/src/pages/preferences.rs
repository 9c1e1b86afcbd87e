//! Theme and language: two values of the session, changed from any page, back to that page.

use super::{LANGUAGE, THEME};
use crate::ask::Ask;
use crate::go::{Go, Problem};
use crate::words::Language;

pub(crate) fn change(ask: &Ask) -> Result<Go, Problem> {
    let (session, theme) = (ask.session(), ask.field("theme"));
    if ["light", "dark"].contains(&theme) {
        session.put(THEME, theme)?;
    }
    if let Some(language) = Language::named(ask.field("language")) {
        session.put(LANGUAGE, language.code())?;
    }
    // Never further than this very host, whatever the Referer says.
    Go::to(ask.redirects.back("/"))
}

#[cfg(test)]
mod tests {
    use session_core::Session;
    use session_web::Redirects;

    use super::*;

    #[tokio::test]
    async fn a_theme_that_does_not_exist_changes_nothing() {
        let ask = Ask::form(&[("theme", "plaid"), ("language", "tlh")]).await;
        change(&ask).unwrap();
        assert!(ask.session().is_empty());
    }

    #[tokio::test]
    async fn the_switch_leads_back_to_the_page_and_never_to_another_site() {
        let session = Session::standalone();
        for (referer, target) in [("http://shop.example/cart", "/cart"), ("http://evil.example/cart", "/")] {
            let mut ask = Ask::form(&[("theme", "dark")]).await;
            ask.redirects =
                Redirects::new(session.clone(), Some(referer.as_bytes()), Some("shop.example".as_bytes()));
            assert_eq!(change(&ask).unwrap().location(), target);
        }
        assert_eq!(session.get(THEME).unwrap().as_deref(), Some("dark"));
    }
}
