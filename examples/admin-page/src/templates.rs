//! The templates, compiled into the program, and how a page is put together.

use std::sync::LazyLock;

use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use session_axum::{Session, SessionRejection};

/// Renders a page with what every page has: the session's token for forms, and its flash messages.
pub(crate) fn page(session: &Session, name: &str, values: Value) -> Result<Response, SessionRejection> {
    let view = session.csrf().view()?;
    let rendered = TEMPLATES
        .get_template(name)
        .and_then(|template| template.render(context! { ..values, ..view.to_minijinja() }));
    Ok(match rendered {
        Ok(html) => (SECURITY, Html(html)).into_response(),
        // A template that does not render is a bug of the application, so the visitor receives no details.
        Err(error) => {
            eprintln!("{name} could not be rendered: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    })
}

/// The style sheet of all pages.
pub(crate) async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css"), (header::CACHE_CONTROL, "max-age=60")], STYLE)
}

/// A misspelt name is an error, not an empty place.
static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    for (name, source) in [
        ("home.html", include_str!("../templates/home.html")),
        ("layout.html", include_str!("../templates/layout.html")),
        ("overview.html", include_str!("../templates/overview.html")),
        ("session.html", include_str!("../templates/session.html")),
        ("sign_in.html", include_str!("../templates/sign_in.html")),
        ("user.html", include_str!("../templates/user.html")),
    ] {
        templates
            .add_template(name, source)
            .expect("the templates are part of the program, and each is tested");
    }
    templates
});

const STYLE: &str = include_str!("../templates/style.css");

const SECURITY: [(&str, &str); 3] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
];
