//! Secret keys: makes one, checks those that are configured, and says how to replace the one that seals.

use session_core::SecretKey;
use session_stores::SessionConfig;

use crate::command::Keys;
use crate::failure::Failure;
use crate::report::Report;

pub(crate) fn run(command: Keys, config: &SessionConfig) -> Result<Report, Failure> {
    match command {
        Keys::New => Ok(Report::Key(SecretKey::generate()?.expose_secret_hex().to_string())),
        Keys::Check => check(config),
        Keys::RotatePlan => Ok(Report::Plan(plan(config))),
    }
}

/// The configuration was read, so each key is one; what is left to say is about all of them.
fn check(config: &SessionConfig) -> Result<Report, Failure> {
    let keys = config.keys.len();
    let notes = match keys {
        0 => return Err(Failure::NoKeys),
        1 => vec!["1 key: it seals and opens".to_owned()],
        2 => vec!["2 keys: the first seals, both open".to_owned()],
        more => vec![
            format!("{more} keys: the first seals, all open"),
            format!("after {} without a rotation, one key is enough: remove the others", lifetime(config)),
        ],
    };
    Ok(Report::Keys { keys, notes })
}

fn plan(config: &SessionConfig) -> Vec<String> {
    let lifetime = lifetime(config);
    let sealed = match config.encrypt {
        true => " and sealed records are written again (SESSION_ENCRYPT)",
        false => "",
    };
    vec![
        "1. Make a key with `sessions-admin keys new`, and keep it where the others are.".to_owned(),
        "2. Set SESSION_KEYS=OLD,NEW everywhere: every server opens what the new key will seal.".to_owned(),
        "3. Set SESSION_KEYS=NEW,OLD everywhere: the new key seals, the old one still opens.".to_owned(),
        format!("4. Wait for {lifetime}: until then, cookies of the old key are replaced as they are used{sealed}."),
        "5. Set SESSION_KEYS=NEW everywhere. The event `unsealed_with_old_key` shows whether anybody was left.".to_owned(),
        "After a leak, go from OLD to NEW at once: everybody signs in again.".to_owned(),
    ]
}

fn lifetime(config: &SessionConfig) -> String {
    config.absolute.map_or_else(
        || "as long as you let a session live: the absolute lifetime is `never`".to_owned(),
        |absolute| format!("the absolute lifetime, {absolute}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_checked_without_being_shown() {
        let key = "9f1c31d5a8e24b7790be1d5c83fa2647c9d80e31b4f56a72183ce09d5fa7b264";
        let config = SessionConfig::from_vars([("SESSION_KEYS", key)]).unwrap();
        let report = run(Keys::Check, &config).unwrap();
        assert!(!report.to_text(true).contains(key) && report.to_text(true).starts_with("1 key"));
        let none = run(Keys::Check, &SessionConfig::default()).unwrap_err();
        assert_eq!((none.code(), none.to_string().contains("SESSION_KEYS")), (1, true));
    }

    #[test]
    fn a_plan_names_the_lifetime_that_is_configured() {
        let text = |vars: &[(&str, &str)]| {
            let config = SessionConfig::from_vars(vars.iter().copied()).unwrap();
            run(Keys::RotatePlan, &config).unwrap().to_text(false)
        };
        assert!(text(&[("SESSION_ABSOLUTE", "12h")]).contains("the absolute lifetime, 12h"));
        assert!(text(&[("SESSION_ABSOLUTE", "never")]).contains("is `never`"));
        assert!(text(&[("SESSION_ENCRYPT", "true")]).contains("sealed records"));
    }

    #[test]
    fn a_new_key_is_one_that_the_library_takes() {
        let key = run(Keys::New, &SessionConfig::default()).unwrap().to_text(false);
        assert!(key.trim_end().parse::<SecretKey>().is_ok());
    }
}
