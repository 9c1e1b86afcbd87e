//! Wiping secrets out of memory, many bytes at a time.

/// Overwrites what was secret with zeros, and makes the compiler believe that somebody looks at them afterwards.
///
/// `zeroize` itself wipes a slice byte by byte, which takes a good part of the time of decrypting it.
pub(crate) fn wipe(secret: &mut [u8]) {
    secret.fill(0);
    zeroize::optimization_barrier(secret);
}
