//! Checks that the repository contains no paths of the machine it was written on and no private registry.

use super::Breach;

pub(super) fn check(file: &str, text: &str) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for path in PATHS {
            if names_path(line, path) {
                breaches.push(Breach::new(
                    file,
                    index + 1,
                    format!("a path of somebody's machine: `{path}`"),
                ));
            }
        }
        if let Some(registry) = foreign_registry(file, line) {
            breaches.push(Breach::new(
                file,
                index + 1,
                format!("a registry of somebody's own: `{registry}`"),
            ));
        }
    }
    breaches
}

/// Matches only the beginning of a path: `/docs` in a URL is not a path of a machine.
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|char| char.is_alphanumeric() || "_-.}".contains(char))
    })
}

/// Returns sources other than the public ones in lock files, and traces of a mirror in any file.
fn foreign_registry<'a>(file: &str, line: &'a str) -> Option<&'a str> {
    let line = line.trim();
    let source = if file.ends_with("Cargo.lock") {
        line.strip_prefix("source = ").filter(|source| !source.contains(CRATES_IO))
    } else if file.ends_with("package-lock.json") {
        line.strip_prefix("\"resolved\": ").filter(|source| !source.contains("https://registry.npmjs.org/"))
    } else {
        None
    };
    source.or_else(|| MIRRORS.iter().find(|mirror| line.contains(**mirror)).map(|_| line))
}

/// Split into two parts each, so that this file does not breach its own rules.
const PATHS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
const MIRRORS: &[&str] = &[
    concat!("arti", "factory"),
    concat!("jf", "rog"),
    concat!("replace", "-with"),
    concat!("registry", "-mirror"),
];
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_a_machine_is_found_wherever_it_begins() {
        for path in PATHS {
            assert_eq!(check("README.md", &format!("x\nsee {path}main/x\n"))[0].line, 2);
            assert_eq!(check("README.md", &format!("`{path}x`")).len(), 1);
            assert_eq!(check("README.md", &format!("https://example.org{path}x")), []);
        }
    }

    #[test]
    fn a_lock_file_names_only_the_public_registry() {
        let public = format!("source = \"{CRATES_IO}\"\n");
        assert_eq!(check("Cargo.lock", &public), []);
        assert_eq!(check("Cargo.lock", "source = \"registry+https://crates.example.org/index\"\n").len(), 1);
        let npm = "      \"resolved\": \"https://npm.example.org/x.tgz\",\n";
        assert_eq!(check("a/package-lock.json", npm).len(), 1);
    }

    #[test]
    fn a_mirror_in_the_cargo_configuration_is_found() {
        assert_eq!(check(".cargo/config.toml", &format!("{} = \"mirror\"\n", MIRRORS[2])).len(), 1);
    }
}
