//! Prints `docs/configuration.md` from the tables of settings: `cargo run -p session-stores --example configuration`.

use session_stores::{SETTINGS, STORE_SETTINGS};

fn main() {
    print!("{}", include_str!("configuration/head.md.in"));
    println!("\n## Sessions and cookie\n");
    println!("| in a file | variable | default | accepted | description |\n|---|---|---|---|---|");
    for setting in SETTINGS {
        println!("{}", row(setting.key, setting.variable, setting.default, setting.allowed, setting.about));
    }
    println!("\n## Stores\n");
    println!("{}", include_str!("configuration/stores.md.in"));
    println!("| in `[stores.NAME]` | variable | default | accepted | description |\n|---|---|---|---|---|");
    for setting in STORE_SETTINGS {
        let drivers = match setting.drivers {
            [] => "All drivers.".to_owned(),
            drivers => format!("For {}.", drivers.join(", ")),
        };
        let variables = setting.variables.join("`, `");
        let about = format!("{} {drivers}", setting.about);
        println!("{}", row(setting.key, &variables, setting.default, setting.allowed, &about));
    }
    print!("\n{}", include_str!("configuration/tail.md.in"));
}

fn row(key: &str, variable: &str, default: &str, allowed: &str, about: &str) -> String {
    let variable = if variable.is_empty() { String::new() } else { format!("`{variable}`") };
    format!("| `{key}` | {variable} | {} | {} | {about} |", escape(default), escape(allowed))
}

/// Escapes text for a table cell.
fn escape(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*").replace('`', "\\`").replace("__", "\\_\\_")
}
