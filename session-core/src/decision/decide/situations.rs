//! Every situation there can be: the rows of the decision table, for proofs over the whole of it.

use super::{Fate, Origin, Placement, Situation, Trigger};

impl Situation {
    /// Every situation there can be, for proofs over the whole table. A stored session exists only with a store, a
    /// carried one only without.
    pub fn all() -> impl Iterator<Item = Self> {
        use Origin::{Carried, Ended, Fresh, Stored, Unknown, Unproven, Unread, Unseen};
        const ORIGINS: [Origin; 8] = [Fresh, Unseen, Unknown, Ended, Unproven, Unread, Stored, Carried];
        const FATES: [Fate; 3] = [Fate::Keep, Fate::Renew, Fate::Destroy];
        const TRIGGERS: [Trigger; 5] = [
            Trigger::Response,
            Trigger::FailedResponse,
            Trigger::Abandoned,
            Trigger::Commit,
            Trigger::DetachedCommit,
        ];
        let placed = ORIGINS.into_iter().flat_map(|origin| match origin {
            Origin::Stored => vec![(origin, Placement::Store)],
            Origin::Carried => vec![(origin, Placement::Cookie)],
            _ => vec![(origin, Placement::Store), (origin, Placement::Cookie)],
        });
        let asked = placed.flat_map(|(origin, placement)| {
            let fates = FATES.into_iter();
            fates.flat_map(move |fate| TRIGGERS.map(|trigger| (origin, placement, fate, trigger)))
        });
        asked.flat_map(|(origin, placement, fate, trigger)| {
            let situations = (0..1_024_u16).map(move |bits| {
                let bit = |n: u16| bits & (1 << n) != 0;
                Self {
                    placement,
                    trigger,
                    origin,
                    fate,
                    changed: bit(0),
                    wiped: bit(1),
                    something: bit(2),
                    refresh_due: bit(3),
                    persistent: bit(4),
                    reissue: bit(5),
                    // All but a fresh origin mean that a cookie came in, and an unseen one that none did.
                    cookie_came: match origin {
                        Origin::Fresh => bit(6),
                        Origin::Unseen => false,
                        _ => true,
                    },
                    eager: bit(7),
                    revocable: bit(8) && placement == Placement::Cookie,
                    moved: bit(9) && origin == Origin::Stored,
                }
            });
            // What was wiped was changed, and ordered at least a new id.
            situations.filter(|now| !now.wiped || (now.changed && now.fate > Fate::Keep))
        })
    }
}
