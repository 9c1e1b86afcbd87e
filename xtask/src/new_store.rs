//! `cargo xtask new-store NAME`: creates a store crate with unimplemented verbs and its conformance test.

use std::fs;
use std::path::Path;

use crate::failure::Failure;
use crate::flags;

/// Each template, and its path in the new crate.
const FILES: &[(&str, &str)] = &[
    (include_str!("../templates/store/Cargo.toml.in"), "Cargo.toml"),
    (include_str!("../templates/store/lib.rs.in"), "src/lib.rs"),
    (include_str!("../templates/store/store.rs.in"), "src/store.rs"),
    (include_str!("../templates/store/conformance.rs.in"), "tests/conformance.rs"),
];

pub(crate) fn run(flags: &flags::NewStore) -> Result<(), Failure> {
    let name = Name::parse(&flags.name)?;
    let folder = format!("session-stores/{}", name.plain);
    if Path::new(&folder).exists() {
        return Err(Failure::new(format!("{folder} is there already")));
    }
    let manifest = fs::read_to_string("Cargo.toml")?;
    let manifest = registered(&manifest, &name)?;
    for (template, file) in FILES {
        let path = Path::new(&folder).join(file);
        fs::create_dir_all(path.parent().expect("every file lies in the crate's folder"))?;
        fs::write(path, name.fill(template))?;
    }
    fs::write("Cargo.toml", manifest)?;
    println!(
        "made {folder}. Its tests are red until the verbs are written:\n\
         \n    cargo test -p session-store-{name}\n\n\
         To let applications choose it with SESSION_DRIVER={name}, add it to session-stores/Cargo.toml as a feature.",
        name = name.plain
    );
    Ok(())
}

/// The name of a store in three spellings.
#[derive(Debug)]
struct Name {
    /// `tiger-beetle`
    plain: String,
    /// `tiger_beetle`
    module: String,
    /// `TigerBeetle`
    title: String,
}

impl Name {
    fn parse(name: &str) -> Result<Self, Failure> {
        let good = name.starts_with(|char: char| char.is_ascii_lowercase())
            && name.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-')
            && !name.ends_with('-')
            && !name.contains("--");
        if !good {
            return Err(Failure::new(format!(
                "\"{name}\" is not a name for a store: lower-case letters, digits and single hyphens, such as couchdb"
            )));
        }
        let title = name.split('-').map(capitalised).collect();
        Ok(Self { plain: name.to_owned(), module: name.replace('-', "_"), title })
    }

    fn fill(&self, template: &str) -> String {
        // In the order of rustfmt.
        let mut exports = [format!("{}Store", self.title), "NotWritten".to_owned()];
        exports.sort();
        template
            .replace("{{exports}}", &exports.join(", "))
            .replace("{{name}}", &self.plain)
            .replace("{{module}}", &self.module)
            .replace("{{Title}}", &self.title)
    }
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

/// Adds the crate to the members and dependencies of the workspace manifest.
fn registered(manifest: &str, name: &Name) -> Result<String, Failure> {
    let plain = &name.plain;
    let member = format!("    \"session-stores/{plain}\",\n");
    let dependency =
        format!("session-store-{plain} = {{ path = \"session-stores/{plain}\", version = \"0.1.0\" }}\n");
    let manifest = before(manifest, "    \"session-stores/testkit\",\n", &member)?;
    before(&manifest, "session-testkit = ", &dependency)
}

fn before(text: &str, mark: &str, insert: &str) -> Result<String, Failure> {
    let Some(at) = text.find(&format!("\n{mark}")) else {
        return Err(Failure::new(format!(
            "the workspace's Cargo.toml has no line that begins with {mark:?}"
        )));
    };
    let (head, tail) = text.split_at(at + 1);
    Ok(format!("{head}{insert}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_spelled_for_packages_modules_and_types() {
        let name = Name::parse("tiger-beetle").unwrap();
        assert_eq!((name.module.as_str(), name.title.as_str()), ("tiger_beetle", "TigerBeetle"));
    }

    #[test]
    fn names_that_are_no_package_names_are_refused() {
        for name in ["", "Couch", "couch_db", "../x", "2fa", "x-", "a--b"] {
            assert!(Name::parse(name).is_err(), "{name}");
        }
    }

    #[test]
    fn the_crate_is_registered_beside_the_other_stores() {
        let manifest = "members = [\n    \"session-stores/sql\",\n    \"session-stores/testkit\",\n]\n\
                        [workspace.dependencies]\nsession-testkit = { path = \"x\" }\n";
        let manifest = registered(manifest, &Name::parse("couchdb").unwrap()).unwrap();
        assert!(
            manifest.contains("\"session-stores/couchdb\",\n    \"session-stores/testkit\""),
            "{manifest}"
        );
        let line = "session-store-couchdb = { path = \"session-stores/couchdb\", version = \"0.1.0\" }\nsession-testkit";
        assert!(manifest.contains(line), "{manifest}");
        assert!(registered("[workspace]\n", &Name::parse("couchdb").unwrap()).is_err());
    }

    #[test]
    fn the_real_manifest_has_the_places_to_register_at() {
        let manifest = include_str!("../../Cargo.toml");
        assert!(registered(manifest, &Name::parse("couchdb").unwrap()).is_ok());
    }

    #[test]
    fn no_placeholder_is_left_in_a_filled_template() {
        let name = Name::parse("couchdb").unwrap();
        for (template, file) in FILES {
            let filled = name.fill(template);
            let left = ["{{exports}}", "{{name}}", "{{module}}", "{{Title}}"]
                .iter()
                .any(|mark| filled.contains(mark));
            assert!(!left, "{file}: {filled}");
        }
    }
}
