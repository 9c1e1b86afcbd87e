//! The users: a single demo account, shown on the sign-in page.

/// Somebody with an account.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) email: &'static str,
    pub(crate) name: &'static str,
    // A real shop keeps a slow hash of it, such as argon2, and never the password.
    password: &'static str,
}

pub(crate) const DEMO: Person = Person { email: "ada@example.com", name: "Ada", password: "correct horse" };

impl Person {
    pub(crate) fn password_is(&self, given: &str) -> bool {
        self.password == given
    }

    /// What the sign-in page prints for visitors who want to look around.
    pub(crate) fn demo_password() -> &'static str {
        DEMO.password
    }
}

/// The account with this address, if the password is right.
pub(crate) fn find(email: &str, password: &str) -> Option<&'static Person> {
    [&DEMO]
        .into_iter()
        .find(|person| person.email.eq_ignore_ascii_case(email) && person.password_is(password))
}

/// The account with this address.
pub(crate) fn named(email: &str) -> Option<&'static Person> {
    [&DEMO].into_iter().find(|person| person.email == email)
}
