//! Which form fields are secrets: found by the words of their names, whatever the case and the separators.

/// The words that mark a field as a secret.
#[derive(Clone, Debug)]
pub(crate) struct SecretFields {
    marks: Vec<Mark>,
}

#[derive(Clone, Debug)]
enum Mark {
    /// Words that stand side by side in a name.
    Words(Vec<String>),
    /// A whole name. Written with a leading underscore, as `_method`, which is no part of `payment_method`.
    Name(String),
}

impl SecretFields {
    /// Only these; each as for [`add`](Self::add).
    pub(crate) fn only<S: AsRef<str>>(marks: impl IntoIterator<Item = S>) -> Self {
        let mut fields = Self { marks: Vec::new() };
        fields.add(marks);
        fields
    }

    /// Adds marks: a word, several words, or a whole name with a leading underscore.
    pub(crate) fn add<S: AsRef<str>>(&mut self, marks: impl IntoIterator<Item = S>) {
        let marks = marks.into_iter().filter_map(|mark| {
            let mark = mark.as_ref().trim();
            if mark.starts_with('_') {
                return Some(Mark::Name(mark.to_owned()));
            }
            let words = words(mark, Split::Case);
            (!words.is_empty()).then_some(Mark::Words(words))
        });
        self.marks.extend(marks);
    }

    /// Returns whether a field is a secret. `parents` are the names that it is nested in: `number` in `card` is the
    /// field `card[number]`. What only a parent's name says does not count.
    pub(crate) fn has(&self, parents: &[String], name: &str) -> bool {
        [Split::Separators, Split::Case, Split::CaseAndDigits].into_iter().any(|split| {
            let mut all: Vec<String> = parents.iter().flat_map(|parent| words(parent, split)).collect();
            let own = all.len();
            all.extend(words(name, split));
            self.marks.iter().any(|mark| match mark {
                Mark::Name(whole) => name == whole,
                Mark::Words(marked) => stands_in(marked, &all, own),
            })
        })
    }
}

impl Default for SecretFields {
    fn default() -> Self {
        Self::only(MARKS)
    }
}

/// Whether the marked words stand side by side in these, at least the last of them behind the first `own`.
fn stands_in(marked: &[String], words: &[String], own: usize) -> bool {
    let side_by_side = words.windows(marked.len()).enumerate().any(|(start, window)| {
        start + marked.len() > own && window.iter().zip(marked).all(|(word, mark)| is_word(word, mark))
    });
    let joined = marked.concat();
    let is_long = marked.len() > 1 || LONG.contains(&joined.as_str());
    side_by_side || (is_long && words[own..].iter().any(|word| word.contains(&joined)))
}

fn is_word(word: &str, mark: &str) -> bool {
    word == mark || word.strip_suffix('s') == Some(mark)
}

/// What separates the words of a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Split {
    /// Anything that is neither a letter nor a digit.
    Separators,
    /// That, and a capital letter: `apiKey`, `APIKey`.
    Case,
    /// Both, and digits, which are dropped: `password2`.
    CaseAndDigits,
}

/// The words of a name, in lower case.
fn words(name: &str, split: Split) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| letters.get(before));
        let after = letters.get(at + 1);
        let begins = split != Split::Separators && letter.is_uppercase() && {
            // A capital begins a word, unless it goes on with an abbreviation: `userSSN`, `APIKey`.
            !before.is_some_and(|before| before.is_uppercase())
                || after.is_some_and(|after| after.is_lowercase())
        };
        let is_dropped =
            !letter.is_alphanumeric() || (split == Split::CaseAndDigits && letter.is_ascii_digit());
        if begins || is_dropped {
            words.push(String::new());
        }
        if !is_dropped && let Some(word) = words.last_mut() {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// What marks a secret unless the application says otherwise.
pub(crate) const MARKS: [&str; 19] = [
    "password",
    "passwd",
    "pass",
    "pwd",
    "passphrase",
    "secret",
    "token",
    "csrf",
    "pin",
    "otp",
    "cvc",
    "cvv",
    "ssn",
    "api key",
    "private key",
    "card number",
    "csrfmiddlewaretoken",
    "_csrf",
    "_method",
];

/// So long that they are found inside of a longer word as well: `newpassword`.
const LONG: [&str; 3] = ["password", "passwd", "passphrase"];

#[cfg(test)]
mod tests {
    use super::*;

    fn is_secret(name: &str) -> bool {
        SecretFields::default().has(&[], name)
    }

    #[test]
    fn at_7_a_secret_is_known_by_a_word_of_its_name() {
        for name in [
            "password",
            "current_password",
            "new-password",
            "newPassword",
            "NewPassword",
            "NEW_PASSWORD",
            "newpassword",
            "password2",
            "passwd",
            "user_pass",
            "db-pwd",
            "passPhrase",
            "client_secret",
            "clientSecret",
            "token",
            "authenticity_token",
            "accessToken",
            "X-XSRF-TOKEN",
            "__RequestVerificationToken",
            "csrfmiddlewaretoken",
            "_csrf",
            "_token",
            "_method",
            "pin",
            "PIN",
            "pinCode",
            "pin1",
            "otp",
            "OTPCode",
            "cvc",
            "cvc2",
            "cardCvv",
            "ssn",
            "userSSN",
            "api-key",
            "api_key",
            "apiKey",
            "APIKey",
            "API KEY",
            "apikey",
            "privateKey",
            "private_keys",
            "card_number",
            "cardNumber",
            "creditcardnumber",
            "tokens",
            "a[b][password",
        ] {
            assert!(is_secret(name), "{name}");
        }
    }

    #[test]
    fn at_7_a_word_that_only_contains_one_is_no_secret() {
        for name in [
            "compass",
            "passenger",
            "passport",
            "company",
            "spinner",
            "shipping",
            "opinion",
            "pinterest",
            "secretary",
            "secretariat",
            "tokenize",
            "payment_method",
            "method",
            "discard",
            "card",
            "number",
            "card_holder",
            "phone_number",
            "key",
            "keyboard",
            "monkey",
            "api",
            "private",
            "email",
            "",
            "[]",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn at_7_words_may_be_spread_over_nested_names() {
        let secrets = SecretFields::default();
        assert!(secrets.has(&["card".to_owned()], "number"));
        assert!(secrets.has(&["cards".to_owned(), "0".to_owned()], "cvc"));
        assert!(!secrets.has(&["phone".to_owned()], "number"));
        assert!(!secrets.has(&["password".to_owned()], "hint"), "the parent was named");
    }

    #[test]
    fn at_7_the_application_adds_words_or_replaces_all() {
        let mut secrets = SecretFields::default();
        secrets.add(["iban", "mother's maiden name", "2fa", "_kennwort"]);
        for name in
            ["iban", "customerIban", "mothers_maiden_name", "MotherSMaidenName", "2faCode", "_kennwort"]
        {
            assert_eq!(secrets.has(&[], name), name != "mothers_maiden_name", "{name}");
        }
        assert!(secrets.has(&[], "password") && !secrets.has(&[], "mein_kennwort"));
        let only = SecretFields::only(["pin"]);
        assert!(only.has(&[], "user_pin") && !only.has(&[], "password"));
    }
}
