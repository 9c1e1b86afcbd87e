//! The clock of histories: monotonic nanoseconds, common to all processes of a machine.

/// The time since some moment before this process began.
#[cfg(unix)]
pub(super) fn now() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let nanos = i128::from(now.tv_sec) * 1_000_000_000 + i128::from(now.tv_nsec);
    u64::try_from(nanos).unwrap_or(0)
}

/// Per process: on other systems, histories of several processes cannot be compared.
#[cfg(not(unix))]
pub(super) fn now() -> u64 {
    static BEGUN: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    u64::try_from(BEGUN.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
