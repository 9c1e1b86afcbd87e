//! Sessions in this process: sharded, bounded, expiring.
