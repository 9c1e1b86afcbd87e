//! The functions that MiniJinja templates of session applications call. Feature `minijinja`.

use std::collections::BTreeMap;

use minijinja::Value;
use minijinja::value::Serde;

use super::view::SessionView;

impl SessionView {
    /// The view as a MiniJinja context: the values `session`, `flash_messages` and `csrf_token`, and the functions `old`,
    /// `flash_message`, `has_errors`, `errors`, `has_error_for`, `get_error_for`, `error`, `input_error`,
    /// `old_in`, `errors_in` and `csrf_field`. Spread it into your own.
    ///
    /// ```
    /// use minijinja::{Environment, context};
    /// # use session_core::Session;
    ///
    /// let session = Session::standalone();
    /// session.put("user", "ada")?;
    /// session.flash_now("status", "Saved <b>")?;
    ///
    /// let mut templates = Environment::new();
    /// templates.add_template("page.html", "{{ title }}: {{ session.user }} {{ flash_message('status') }} {{ old('email') }}")?;
    /// let page = templates.get_template("page.html")?;
    /// let html = page.render(context! { title => "Hello", ..session.view()?.to_minijinja() })?;
    /// assert_eq!(html, "Hello: ada Saved &lt;b&gt; ");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn to_minijinja(&self) -> Value {
        let mut context = BTreeMap::from([
            ("session", Value::from(Serde(self.session()))),
            ("flash_messages", Value::from(Serde(self.flash_messages()))),
            ("csrf_token", Value::from(self.csrf_token().unwrap_or_default())),
        ]);
        let mut function = |name, value| context.insert(name, value);
        let view = self.clone();
        function(
            "old",
            Value::from_function(move |field: String, default: Option<Value>| match default {
                Some(default) if !view.has_old(&field) => default,
                Some(_) | None => Value::from(view.old(&field)),
            }),
        );
        let view = self.clone();
        function("flash_message", Value::from_function(move |key: String| view.flash_message(&key)));
        let view = self.clone();
        function("has_errors", Value::from_function(move || view.has_errors()));
        let view = self.clone();
        function("errors", Value::from_function(move || Value::from(Serde(view.errors()))));
        let view = self.clone();
        function("has_error_for", Value::from_function(move |field: String| view.has_error_for(&field)));
        for name in ["get_error_for", "error"] {
            let view = self.clone();
            function(name, Value::from_function(move |field: String| view.get_error_for(&field)));
        }
        let view = self.clone();
        function("input_error", Value::from_function(move |field: String| view.input_error(&field)));
        let view = self.clone();
        function(
            "old_in",
            Value::from_function(move |form: String, field: String| view.old_in(&form, &field)),
        );
        let view = self.clone();
        function(
            "errors_in",
            Value::from_function(move |form: String, field: String| view.errors_in(&form, &field)),
        );
        let view = self.clone();
        function("csrf_field", Value::from_function(move || Value::from_safe_string(view.csrf_field())));
        Value::from_pairs(context)
    }
}
