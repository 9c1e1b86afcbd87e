//! Tells which segments of a path are array indices.

/// Returns the index that a segment denotes: digits without a leading zero. An index beyond 64 bits saturates.
pub(crate) fn index_of(segment: &str) -> Option<u64> {
    let digits = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
    (digits && (segment == "0" || !segment.starts_with('0'))).then(|| segment.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_digits_are_an_index() {
        assert_eq!(index_of("0"), Some(0));
        assert_eq!(index_of("10"), Some(10));
        assert_eq!(index_of("99999999999999999999999"), Some(u64::MAX));
        for name in ["", "00", "01", "-1", "+1", "1.0", "a", "٣"] {
            assert_eq!(index_of(name), None, "{name}");
        }
    }
}
