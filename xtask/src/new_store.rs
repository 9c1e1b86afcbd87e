//! `cargo xtask new-store NAME`: a store crate on the key-value engine that passes the suite, and its registration.
//!
//! The generated engine keeps its entries in memory. An author replaces the bodies of its primitives by calls of a
//! database's driver, and the suite says at every step whether the laws still hold.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::failure::Failure;
use crate::flags;
use crate::runner::Call;
use crate::tidy;

/// Template, and where it goes in the crate.
const FILES: &[(&str, &str)] = &[
    (include_str!("../templates/store/Cargo.toml.in"), "Cargo.toml"),
    (include_str!("../templates/store/README.md.in"), "README.md"),
    (include_str!("../templates/store/lib.rs.in"), "src/lib.rs"),
    (include_str!("../templates/store/engine.rs.in"), "src/engine.rs"),
    (include_str!("../templates/store/store.rs.in"), "src/store.rs"),
    (include_str!("../templates/store/main.rs.in"), "tests/it/main.rs"),
];

/// A file of the workspace, the beginning of a line in it, and what is inserted before that line.
struct Place {
    file: &'static str,
    before: &'static str,
    insert: &'static str,
}

const PLACES: &[Place] = &[
    Place {
        file: "Cargo.toml",
        before: "    \"session-stores/sql\",",
        insert: "    \"session-stores/{{name}}\",\n",
    },
    Place {
        file: "Cargo.toml",
        before: "session-store-sql = ",
        insert: "session-store-{{name}} = { path = \"session-stores/{{name}}\", version = \"0.1.0\" }\n",
    },
    Place {
        file: STORES,
        before: "session-store-sql = ",
        insert: "session-store-{{name}} = { workspace = true, optional = true }\n",
    },
    Place { file: STORES, before: "postgres = [", insert: "{{name}} = [\"dep:session-store-{{name}}\"]\n" },
    Place {
        file: "session-stores/src/lib.rs",
        before: "pub use session_store_memory::MemoryStore;",
        insert: "#[cfg(feature = \"{{name}}\")]\npub use session_store_{{module}}::{{Title}}Store;\n",
    },
    Place { file: OPEN, before: "    \"postgres\",\n", insert: "    \"{{name}}\",\n" },
    Place {
        file: OPEN,
        before: "        \"postgres\" => ",
        insert: "        \"{{name}}\" => return {{module}}(config, max_record),\n",
    },
    Place {
        file: OPEN,
        before: "#[allow(dead_code, reason = \"without any store's feature, opening cannot fail\")]",
        insert: include_str!("../templates/store/open.rs.in"),
    },
    Place {
        file: OPEN,
        before: "    \"postgres\" postgres (async)",
        insert: "    \"{{name}}\" {{module}} ();\n",
    },
    Place { file: "session-axum/Cargo.toml", before: "postgres = [", insert: FEATURE },
    Place { file: "session-actix/Cargo.toml", before: "postgres = [", insert: FEATURE },
    Place { file: "session-hyper/Cargo.toml", before: "postgres = [", insert: FEATURE },
    Place {
        file: "CONTRIBUTING.md",
        before: "| `session-stores/testkit` |",
        insert: "| `session-stores/{{name}}` | `session-store-{{name}}` | the store in {{Title}} |\n",
    },
];

const STORES: &str = "session-stores/Cargo.toml";
const OPEN: &str = "session-stores/src/open.rs";
const SETTINGS: &str = "session-stores/src/settings.rs";
const FEATURE: &str = "{{name}} = [\"stores\", \"session-stores?/{{name}}\"]\n";

pub(crate) fn run(flags: &flags::NewStore) -> Result<(), Failure> {
    let name = Name::parse(&flags.name)?;
    let folder = format!("session-stores/{}", name.plain);
    if Path::new(&folder).exists() {
        return Err(Failure::new(format!("{folder} is there already")));
    }
    // All of them first: a place that is missing leaves nothing half done.
    let registered = registered(&name, |file| Ok(fs::read_to_string(file)?))?;
    for (template, file) in FILES {
        let path = Path::new(&folder).join(file);
        fs::create_dir_all(path.parent().expect("every file lies in the crate's folder"))?;
        fs::write(path, name.fill(template))?;
    }
    for license in ["LICENSE-APACHE", "LICENSE-MIT"] {
        symlink(format!("../../{license}"), Path::new(&folder).join(license))?;
    }
    for (file, text) in registered {
        fs::write(file, text)?;
    }
    Call::cargo(&format!("fmt -p session-store-{} -p session-stores", name.plain)).run()?;
    tidy::bless()?;
    println!(
        "made {folder}, which keeps sessions in memory until src/engine.rs calls a database. It is registered: the \
         feature `{name}` of session-stores and of the adapters, and SESSION_DRIVER={name}. Its tests:\n\
         \n    cargo test -p session-store-{name}\n\n\
         docs/contributing-a-store.md says what comes next.",
        name = name.plain
    );
    Ok(())
}

/// A store's name in its three spellings.
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
        template
            .replace("{{name}}", &self.plain)
            .replace("{{module}}", &self.module)
            .replace("{{Title}}", &self.title)
    }
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

/// The files of the workspace that name every store, with this one among them.
fn registered(
    name: &Name,
    read: impl Fn(&'static str) -> Result<String, Failure>,
) -> Result<Vec<(&'static str, String)>, Failure> {
    let mut files: Vec<(&'static str, String)> = Vec::new();
    for place in PLACES {
        let at = match files.iter().position(|(file, _)| *file == place.file) {
            Some(at) => at,
            None => {
                files.push((place.file, read(place.file)?));
                files.len() - 1
            }
        };
        files[at].1 = before(place, &files[at].1, &name.fill(place.insert))?;
    }
    let open = files.iter_mut().find(|(file, _)| *file == OPEN).expect("there are places in it");
    open.1 = one_driver_more(&open.1)?;
    let settings = read(SETTINGS)?;
    let list = "sqlite, a registered driver";
    if !settings.contains(list) {
        return Err(Failure::new(format!("{SETTINGS} has no list of drivers that ends with {list:?}")));
    }
    files.push((
        SETTINGS,
        settings.replacen(list, &format!("sqlite, {}, a registered driver", name.plain), 1),
    ));
    Ok(files)
}

fn before(place: &Place, text: &str, insert: &str) -> Result<String, Failure> {
    let Some(at) = text.find(&format!("\n{}", place.before)) else {
        let Place { file, before, .. } = place;
        return Err(Failure::new(format!("{file} has no line that begins with {before:?}")));
    };
    let (head, tail) = text.split_at(at + 1);
    Ok(format!("{head}{insert}{tail}"))
}

/// The length of the array of drivers.
fn one_driver_more(text: &str) -> Result<String, Failure> {
    let begin = "BUILT_IN: [&str; ";
    let length = text.split_once(begin).and_then(|(head, tail)| {
        let (length, tail) = tail.split_once(']')?;
        Some((head, length.parse::<usize>().ok()?, tail))
    });
    let Some((head, length, tail)) = length else {
        return Err(Failure::new(format!("{OPEN} has no {begin:?} with a number behind it")));
    };
    Ok(format!("{head}{begin}{}]{tail}", length + 1))
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

    /// The workspace's own files, with the store of this name.
    fn real(name: &str) -> Vec<(&'static str, String)> {
        let read = |file| Ok(fs::read_to_string(Path::new("..").join(file))?);
        registered(&Name::parse(name).unwrap(), read).unwrap()
    }

    #[test]
    fn the_crate_is_registered_in_the_real_files() {
        let files = real("tiger-beetle");
        let text = |name: &str| &files.iter().find(|(file, _)| *file == name).unwrap().1;
        let manifest = text("Cargo.toml");
        assert!(manifest.contains("\n    \"session-stores/tiger-beetle\",\n"), "{manifest}");
        assert!(manifest.contains("\nsession-store-tiger-beetle = { path = "), "{manifest}");
        assert!(text(OPEN).contains("\"tiger-beetle\" => return tiger_beetle(config, max_record),"));
        assert!(text(SETTINGS).contains(", tiger-beetle, a registered driver"));
        for adapter in ["session-axum", "session-actix", "session-hyper"] {
            let feature = "\ntiger-beetle = [\"stores\", \"session-stores?/tiger-beetle\"]\n";
            assert!(text(&format!("{adapter}/Cargo.toml")).contains(feature), "{adapter}");
        }
        let left = files.iter().find(|(_, text)| text.contains("{{name}}") || text.contains("{{module}}"));
        assert!(left.is_none(), "{left:?}");
    }

    #[test]
    fn a_place_that_is_missing_is_named() {
        let failure = registered(&Name::parse("couchdb").unwrap(), |_| Ok(String::new())).unwrap_err();
        assert!(failure.to_string().starts_with("Cargo.toml has no line that begins with"), "{failure}");
    }

    #[test]
    fn the_array_of_drivers_grows() {
        let more = one_driver_more("const BUILT_IN: [&str; 11] = [];").unwrap();
        assert_eq!(more, "const BUILT_IN: [&str; 12] = [];");
        assert!(one_driver_more("").is_err());
    }

    #[test]
    fn no_placeholder_is_left_in_a_filled_template() {
        let name = Name::parse("couchdb").unwrap();
        for (template, file) in FILES {
            let filled = name.fill(template);
            let left = ["{{name}}", "{{module}}", "{{Title}}"].iter().any(|mark| filled.contains(mark));
            assert!(!left, "{file}: {filled}");
        }
    }
}
