//! The templates, compiled into the program, and how a page is put together.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};

/// All templates. A misspelt name is an error, not an empty place.
pub(crate) fn environment() -> Environment<'static> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    // A word with a place for something in it: `t.added|naming("tea")`.
    templates.add_filter("naming", |word: String, about: Value| word.replacen("{}", &about.to_string(), 1));
    for (name, source) in TEMPLATES {
        templates
            .add_template(name, source)
            .expect("the templates are part of the program, and each is tested");
    }
    templates
}

const TEMPLATES: [(&str, &str); 13] = [
    ("account.html", include_str!("../templates/account.html")),
    ("art.html", include_str!("../templates/art.html")),
    ("cart.html", include_str!("../templates/cart.html")),
    ("confirm.html", include_str!("../templates/confirm.html")),
    ("devices.html", include_str!("../templates/devices.html")),
    ("form.html", include_str!("../templates/form.html")),
    ("home.html", include_str!("../templates/home.html")),
    ("inside.html", include_str!("../templates/inside.html")),
    ("layout.html", include_str!("../templates/layout.html")),
    ("orders.html", include_str!("../templates/orders.html")),
    ("security.html", include_str!("../templates/security.html")),
    ("sign_in.html", include_str!("../templates/sign_in.html")),
    ("status.html", include_str!("../templates/status.html")),
];
