//! The public items that need no example of their own, each group with its reason.

use super::Shown;

/// What goes without.
pub(super) struct Exception {
    /// Files, or the beginnings of their paths.
    files: &'static [&'static str],
    /// The items and their methods; none named: all that the files have.
    items: &'static [&'static str],
    pub(super) why: &'static str,
}

pub(super) const WITHOUT: &[Exception] = &[
    Exception {
        files: &[
            "session-stores/conformance/src/adapter/scenes/",
            "session-stores/conformance/src/adapter/several.rs",
            "session-stores/conformance/src/adapter/canary.rs",
            "session-stores/conformance/src/web/claims/",
            "session-stores/conformance/src/suite/bytes.rs",
            "session-stores/conformance/src/suite/create.rs",
            "session-stores/conformance/src/suite/damage.rs",
            "session-stores/conformance/src/suite/destroy.rs",
            "session-stores/conformance/src/suite/expiry.rs",
            "session-stores/conformance/src/suite/limits.rs",
            "session-stores/conformance/src/suite/owners.rs",
            "session-stores/conformance/src/suite/races.rs",
            "session-stores/conformance/src/suite/reopen.rs",
            "session-stores/conformance/src/suite/replace.rs",
            "session-stores/conformance/src/suite/rotate.rs",
            "session-stores/conformance/src/suite/store.rs",
            "session-stores/conformance/src/suite/sweep.rs",
            "session-stores/conformance/src/suite/touch.rs",
        ],
        items: &[],
        why: "claims, which the macro of their suite makes tests of: nobody calls them",
    },
    Exception {
        files: &[
            "session-stores/conformance/src/suite/trial.rs",
            "session-stores/conformance/src/adapter/browser.rs",
            "session-stores/conformance/src/adapter/stage.rs",
            "session-stores/conformance/src/web/client.rs",
            "session-stores/conformance/src/web/mod.rs",
            "session-stores/conformance/src/web/setting.rs",
        ],
        items: &[
            "Trial",
            "Browser",
            "Reply",
            "script",
            "at",
            "Stage",
            "World",
            "Doubles",
            "Client",
            "PLEASE",
            "is_signed",
            "Setting",
            "usual",
            "in_cookies",
            "switched_off",
            "its_own",
            "Handlers",
            "Events",
        ],
        why: "what claims are written with: the suites are hundreds of examples",
    },
    Exception {
        files: &["session-stores/conformance/src/probe/routes.rs"],
        items: &[],
        why: "one function for each route of the probe, which `examples/probe` serves on every adapter",
    },
    Exception {
        files: &[
            "session-stores/conformance/src/adapter/several.rs",
            "session-stores/conformance/src/adapter/canary.rs",
        ],
        items: &[],
        why: "claims of their own, with what they are played on: an adapter's tests show the call",
    },
    Exception {
        files: &[
            "session-stores/sql/src/capabilities.rs",
            "session-stores/sql/src/dialect.rs",
            "session-stores/sql/src/failure.rs",
            "session-stores/sql/src/row.rs",
            "session-stores/sql/src/statement.rs",
            "session-stores/sql/src/statements.rs",
            "session-stores/sql/src/talk.rs",
        ],
        items: &[
            "Pass",
            "Dialect",
            "Failure",
            "Verdict",
            "Cause",
            "Cells",
            "Statement",
            "Places",
            "OwnerAs",
            "Asked",
            "Verbs",
            "Talk",
        ],
        why: "named by the bounds of `SqlStore` and exported by nobody: no example could write them",
    },
    Exception {
        files: &["session-stores/conformance/src/crowd/run.rs"],
        items: &[],
        why: "what `crowd_suite!` calls; what it calls in turn has examples",
    },
    Exception {
        files: &["session-stores/conformance/src/fixture.rs"],
        items: &["ByValue", "Shared"],
        why: "marks that tell two implementations of `IntoStore` apart: nobody writes them",
    },
];

impl Exception {
    pub(super) fn is_for(&self, item: &Shown) -> bool {
        let named = |name: &&str| item.name.split("::").next() == Some(*name);
        self.files.iter().any(|file| item.file.starts_with(file))
            && (self.items.is_empty() || self.items.iter().any(named))
    }
}

/// Where an exception that is needed no longer is to be deleted.
pub(super) const FILE: &str = file!();
