//! The published list of settings is that of the code.

#[allow(dead_code, reason = "its `main` is for the command line")]
#[path = "../../examples/configuration.rs"]
mod printed;

#[test]
fn the_published_settings_are_up_to_date() {
    let mut document = String::new();
    printed::write(&mut document).unwrap();
    let published = include_str!("../../../docs/configuration.md");
    assert!(document == published, "run `cargo xtask tidy --bless` to write docs/configuration.md");
}
