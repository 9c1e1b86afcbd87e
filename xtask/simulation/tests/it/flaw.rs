//! What may be wrong with a store, so that the simulation has to find it.

/// One flaw of the store's server or of its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Nothing is wrong.
    None,
    /// Server: `replace` writes over any version.
    IgnoresTheEtag,
    /// Server: ended and rotated sessions leave no tombstone.
    ForgetsTombstones,
    /// Server: `rotate` leaves the record under the old key.
    KeepsTheOldKey,
    /// Server: writes are acknowledged at once and kept later; a crash in between loses them.
    AcknowledgesTooEarly,
    /// Client: a load that fails is answered as if there were no session.
    TakesFailuresForMissing,
}
