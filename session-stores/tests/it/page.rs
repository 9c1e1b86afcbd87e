//! The page of settings has every setting that the code has.

use session_stores::{SETTINGS, STORE_SETTINGS};

const PAGE: &str = include_str!("../../../docs/configuration.md");

#[test]
fn every_key_variable_and_default_is_in_the_page() {
    for setting in SETTINGS {
        let start = format!("| `{}` | `{}` | ", setting.key, setting.variable);
        assert!(PAGE.contains(&start), "docs/configuration.md lacks {start}");
        assert!(PAGE.contains(setting.about), "docs/configuration.md lacks: {}", setting.about);
    }
    for setting in STORE_SETTINGS {
        assert!(PAGE.contains(&format!("| `{}` | ", setting.key)), "{}", setting.key);
        for variable in setting.variables {
            assert!(PAGE.contains(&format!("`{variable}`")), "{variable}");
        }
    }
}
