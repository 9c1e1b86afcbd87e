//! Renders the page with each engine from the same `SessionView`.

use std::error::Error;

use askama::Template;
use session_axum::SessionView;

type Rendered = Result<String, Box<dyn Error>>;

/// Renders the page.
pub(crate) type Engine = fn(&SessionView) -> Rendered;

/// Uses the functions provided by the feature `minijinja`.
pub(crate) fn minijinja(view: &SessionView) -> Rendered {
    let mut templates = minijinja::Environment::new();
    templates.add_template("page.html", include_str!("../templates/page.minijinja.html"))?;
    Ok(templates.get_template("page.html")?.render(view.to_minijinja())?)
}

#[derive(Template)]
#[template(path = "page.askama.html")]
struct Page<'v> {
    view: &'v SessionView,
    visits: i64,
}

/// Calls the methods of the view, which the compiler checks.
pub(crate) fn askama(view: &SessionView) -> Rendered {
    let visits = view.session().get("visits")?.unwrap_or_default();
    Ok(Page { view, visits }.render()?)
}

/// Uses the serialised view.
pub(crate) fn tera(view: &SessionView) -> Rendered {
    let mut templates = tera::Tera::default();
    templates.add_raw_template("page.html", include_str!("../templates/page.tera.html"))?;
    Ok(templates.render("page.html", &tera::Context::from_serialize(view)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use session_axum::{SecretKey, Sessions};
    use session_core::{
        Session,
        adapter::{BoxFuture, Closing, CookieHeaders, Spawn},
    };

    /// Decodes escaped characters, which each engine writes differently.
    fn decoded(html: &str) -> String {
        let mut html = html.to_owned();
        for (written, letter) in [
            ("&lt;", "<"),
            ("&#60;", "<"),
            ("&gt;", ">"),
            ("&#62;", ">"),
            ("&quot;", "\""),
            ("&#34;", "\""),
            ("&#x27;", "'"),
            ("&#39;", "'"),
            ("&#x2f;", "/"),
            ("&#x2F;", "/"),
            ("&amp;", "&"),
            ("&#38;", "&"),
        ] {
            html = html.replace(written, letter);
        }
        html
    }

    fn agree(view: &SessionView) -> String {
        let engines: [Engine; 3] = [minijinja, askama, tera];
        // Some engines omit the last line break.
        let [minijinja, askama, tera] = engines.map(|engine| engine(view).unwrap().trim_end().to_owned());
        for html in [&minijinja, &askama, &tera] {
            assert!(!html.contains("<script>"), "{html}");
        }
        assert_eq!(decoded(&minijinja), decoded(&askama));
        assert_eq!(decoded(&minijinja), decoded(&tera));
        decoded(&minijinja)
    }

    #[test]
    fn features_4_three_engines_make_one_page_of_a_first_visit() {
        let session = Session::standalone();
        session.put("visits", 1).unwrap();
        let html = agree(&session.csrf().view().unwrap());
        assert!(html.contains("Visit 1") && !html.contains("role="));
    }

    #[tokio::test]
    async fn features_4_three_engines_show_the_same_messages_errors_and_old_input() {
        let view = next_visit(|session| {
            session.put("visits", 2).unwrap();
            session.flash("status", "<script>'saved' & \"kept\"</script>").unwrap();
            let errors =
                [("email", "is <script> no address"), ("email", "is taken"), ("address.city", "is missing")];
            session.with_errors(errors).unwrap();
            let form = r#"{"email": "\"><script>", "address": {"city": "Ur"}, "password": "hunter2"}"#;
            session.set_input(serde_json::from_str(form).unwrap());
            session.flash_all().unwrap();
        });
        let html = agree(&view.await);
        assert!(
            html.contains("is <script> no address") && !html.contains("is taken"),
            "the first message only"
        );
        assert!(html.contains("<small>is missing</small>") && html.contains("aria-invalid"), "{html}");
        assert!(html.contains("value=\"Ur\"") && !html.contains("hunter2"), "{html}");
        assert!(html.contains("<p role=\"status\"><script>'saved' & \"kept\"</script></p>"), "{html}");
    }

    /// Returns the view of the next visit after `leave` ran in this one.
    async fn next_visit(leave: impl FnOnce(&Session)) -> SessionView {
        let key = SecretKey::generate().unwrap();
        let sessions = Sessions::builder().in_cookie().key(key).build().unwrap();
        let first = sessions.visit(CookieHeaders::default(), &Nowhere);
        leave(&first.visit().session().await.unwrap());
        let report = match first.close(200) {
            Closing::Ready(report) => report,
            Closing::Pending(writing) => writing.await,
        };
        let set_cookie = report.set_cookie.unwrap();
        let cookie = set_cookie.split(';').next().unwrap();
        let second = sessions.visit([cookie].into_iter().collect(), &Nowhere);
        second.visit().session().await.unwrap().csrf().view().unwrap()
    }

    /// No request is dropped in this test.
    #[derive(Debug)]
    struct Nowhere;

    impl Spawn for Nowhere {
        fn spawn(&self, _: BoxFuture<()>) {}
    }
}
