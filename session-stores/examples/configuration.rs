//! Prints `docs/configuration.md` from the tables of settings: `cargo run -p session-stores --example configuration`.

use std::fmt::{self, Write as _};

use session_stores::{SETTINGS, STORE_SETTINGS};

fn main() -> fmt::Result {
    let mut document = String::new();
    write(&mut document)?;
    print!("{document}");
    Ok(())
}

/// Writes the document; a test compares it with the file.
pub(crate) fn write(out: &mut String) -> fmt::Result {
    out.push_str(include_str!("configuration/head.md.in"));
    writeln!(out, "\n## Sessions and cookie\n")?;
    writeln!(out, "| in a file | variable | default | accepted | description |\n|---|---|---|---|---|")?;
    for setting in SETTINGS {
        writeln!(
            out,
            "{}",
            row(setting.key, setting.variable, setting.default, setting.allowed, setting.about)
        )?;
    }
    writeln!(out, "\n## Stores\n")?;
    writeln!(out, "{}", include_str!("configuration/stores.md.in"))?;
    writeln!(
        out,
        "| in `[stores.NAME]` | variable | default | accepted | description |\n|---|---|---|---|---|"
    )?;
    for setting in STORE_SETTINGS {
        let drivers = match setting.drivers {
            [] => "All drivers.".to_owned(),
            drivers => format!("For {}.", drivers.join(", ")),
        };
        let variables = setting.variables.join("`, `");
        let about = format!("{} {drivers}", setting.about);
        writeln!(out, "{}", row(setting.key, &variables, setting.default, setting.allowed, &about))?;
    }
    write!(out, "\n{}", include_str!("configuration/tail.md.in"))
}

fn row(key: &str, variable: &str, default: &str, allowed: &str, about: &str) -> String {
    let variable = if variable.is_empty() { String::new() } else { format!("`{variable}`") };
    format!("| `{key}` | {variable} | {} | {} | {about} |", escape(default), escape(allowed))
}

/// Escapes text for a table cell.
fn escape(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*").replace('`', "\\`").replace("__", "\\_\\_")
}
