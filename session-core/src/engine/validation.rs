//! Turns the reports of validation libraries into flashed errors. Features `validator` and `garde`.

use super::error::SessionError;
use super::session::Session;

/// Whether the submitted fields are flashed with the errors, to fill the form again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a promise: it does or it does not")]
pub enum WithInput {
    /// The fields, except secrets, are flashed; [`Session::old`] returns them.
    Kept,
    /// Only the errors are flashed.
    Dropped,
}

/// A validation library's report, as field and message pairs.
///
/// ```
/// use session_core::ValidationErrors;
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

impl Session {
    /// Flashes the errors of a validation report and, with [`WithInput::Kept`], the submitted fields.
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
    ///
    /// ```
    /// use session_core::{Session, ValidationErrors, WithInput};
    ///
    /// struct Mine;
    /// impl ValidationErrors for Mine {
    ///     fn messages(&self) -> Vec<(String, String)> {
    ///         vec![("email".to_owned(), "is taken".to_owned())]
    ///     }
    /// }
    ///
    /// Session::standalone().flash_validation_errors(&Mine, WithInput::Kept)?;
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn flash_validation_errors(
        &self,
        report: &impl ValidationErrors,
        input: WithInput,
    ) -> Result<(), SessionError> {
        self.with_errors(report.messages())?;
        match input {
            WithInput::Kept => self.flash_all(),
            WithInput::Dropped => Ok(()),
        }
    }
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
