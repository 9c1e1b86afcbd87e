//! `cargo xtask ci`: the whole of `test` with nothing left out, and what the advisories say of our dependencies.

use crate::failure::Failure;
use crate::flags;
use crate::runner::Call;
use crate::stages::Stages;
use crate::test::{self, Plan};

pub(crate) fn run(flags: &flags::Ci) -> Result<(), Failure> {
    let mut stages = Stages::default();
    let outcome = test::everything(&Plan { packages: &flags.package, skip_missing: false }, &mut stages)?;
    let advisories = Call::cargo("deny --all-features check advisories");
    if test::has("deny") {
        stages.run("advisories", &advisories.line(), || advisories.run())?;
    } else {
        println!(
            "\nNOT CHECKED: advisories, licences and bans, because cargo-deny is not installed \
             (cargo install --locked cargo-deny)"
        );
    }
    outcome.print(&stages);
    Ok(())
}
