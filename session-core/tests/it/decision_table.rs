//! The published decision table is that of the code.

#[allow(dead_code, reason = "its `main` is for the command line")]
#[path = "../../examples/decision_table.rs"]
mod printed;

#[test]
fn the_published_decision_table_is_up_to_date() {
    let mut document = String::new();
    printed::write(&mut document).unwrap();
    let published = include_str!("../../../docs/decision-table.md");
    assert!(document == published, "run `cargo xtask tidy --bless` to write docs/decision-table.md");
}
