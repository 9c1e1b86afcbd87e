//! `cargo xtask ci`: the whole of `test` with nothing left out, and what the advisories say of our dependencies.

use std::process::{Command, Stdio};

use crate::failure::Failure;
use crate::flags;
use crate::runner::Call;
use crate::stages::Stages;
use crate::test::{self, Plan};

pub(crate) fn run(flags: &flags::Ci) -> Result<(), Failure> {
    let mut stages = Stages::default();
    let outcome = test::everything(&Plan { packages: &flags.package, skip_missing: false }, &mut stages)?;
    let deny = Call::cargo("deny --all-features check");
    if has_deny() {
        stages.run("deny", &deny.line(), || deny.run())?;
    } else {
        println!(
            "\nNOT CHECKED: advisories, licences and bans, because cargo-deny is not installed \
             (cargo install --locked cargo-deny)"
        );
    }
    outcome.print(&stages);
    Ok(())
}

fn has_deny() -> bool {
    let mut probe = Command::new("cargo");
    probe.args(["deny", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success())
}
