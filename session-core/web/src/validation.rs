//! Turns the reports of validation libraries into flashed errors. Features `validator` and `garde`.

/// A validation library's report, as field and message pairs.
///
/// ```
/// use session_web::ValidationErrors;
///
/// struct Missing(&'static [&'static str]);
///
/// impl ValidationErrors for Missing {
///     fn messages(&self) -> Vec<(String, String)> {
///         self.0.iter().map(|field| ((*field).to_owned(), "is missing".to_owned())).collect()
///     }
/// }
///
/// assert_eq!(Missing(&["email"]).messages(), [("email".to_owned(), "is missing".to_owned())]);
/// ```
pub trait ValidationErrors {
    /// Returns pairs of field and message. A nested field is a path such as `profile.email`.
    fn messages(&self) -> Vec<(String, String)>;
}

#[cfg(feature = "validator")]
impl ValidationErrors for validator::ValidationErrors {
    fn messages(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        collect("", self, &mut found);
        found
    }
}

#[cfg(feature = "validator")]
fn collect(prefix: &str, errors: &validator::ValidationErrors, found: &mut Vec<(String, String)>) {
    use validator::ValidationErrorsKind;
    let mut fields: Vec<_> = errors.errors().iter().collect();
    fields.sort_by(|one, other| one.0.cmp(other.0));
    for (name, kind) in fields {
        let path = if prefix.is_empty() { name.to_string() } else { format!("{prefix}.{name}") };
        match kind {
            ValidationErrorsKind::Field(errors) => found.extend(errors.iter().map(|error| {
                // The message the application wrote, else the rule's code; never the value.
                let text = error.message.as_ref().unwrap_or(&error.code);
                (path.clone(), text.to_string())
            })),
            ValidationErrorsKind::Struct(inner) => collect(&path, inner, found),
            ValidationErrorsKind::List(items) => {
                items.iter().for_each(|(nth, inner)| collect(&format!("{path}.{nth}"), inner, found));
            }
        }
    }
}

#[cfg(feature = "garde")]
impl ValidationErrors for garde::Report {
    fn messages(&self) -> Vec<(String, String)> {
        self.iter().map(|(path, error)| (path.to_string(), error.message().to_string())).collect()
    }
}

#[cfg(all(test, feature = "validator", feature = "garde"))]
mod tests {
    use super::*;

    #[test]
    fn features_3_validator_reports_become_errors() {
        let mut inner = validator::ValidationErrors::new();
        inner.add("city", validator::ValidationError::new("length").with_message("is too short".into()));
        let mut errors = validator::ValidationErrors::new();
        errors.add("email", validator::ValidationError::new("email"));
        errors.add("email", validator::ValidationError::new("taken").with_message("is taken".into()));
        errors
            .errors_mut()
            .insert("address".into(), validator::ValidationErrorsKind::Struct(Box::new(inner)));
        let messages = errors.messages();
        let expected = [("address.city", "is too short"), ("email", "email"), ("email", "is taken")];
        assert_eq!(messages, expected.map(|(field, text)| (field.to_owned(), text.to_owned())));
    }

    #[test]
    fn features_3_garde_reports_become_errors() {
        let mut report = garde::Report::new();
        report.append(garde::Path::new("email"), garde::Error::new("is taken"));
        assert_eq!(report.messages(), [("email".to_owned(), "is taken".to_owned())]);
    }
}
