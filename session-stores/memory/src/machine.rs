//! The default limit in bytes, from the memory that the machine, or the process's control group, has.

use std::sync::OnceLock;

/// Returns a quarter of the memory that this process may use, at most 1 GiB. Where the system does not say, which is
/// everywhere but on Linux, 1 GiB.
pub(crate) fn default_max_bytes() -> usize {
    static LIMIT: OnceLock<usize> = OnceLock::new();
    *LIMIT.get_or_init(|| {
        let read = |path| std::fs::read_to_string(path).ok();
        limit(read(MEMINFO).as_deref(), CONTROL_GROUPS.into_iter().filter_map(read))
    })
}

fn limit(meminfo: Option<&str>, groups: impl Iterator<Item = String>) -> usize {
    let machine = meminfo.and_then(total);
    // A control group without a limit says `max`, or a number above any memory.
    let groups = groups.filter_map(|text| text.trim().parse::<u64>().ok());
    let memory = machine.into_iter().chain(groups).min();
    let quarter = memory.map_or(MOST, |bytes| usize::try_from(bytes / 4).unwrap_or(MOST));
    quarter.min(MOST)
}

/// Returns `MemTotal`, in bytes.
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

const MEMINFO: &str = "/proc/meminfo";
/// The limit of the process's control group, as a container sees it: versions 2 and 1.
const CONTROL_GROUPS: [&str; 2] =
    ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
const MOST: usize = 1 << 30;

#[cfg(test)]
mod tests {
    use super::*;

    fn limit_of(meminfo: Option<&str>, groups: &[&str]) -> usize {
        limit(meminfo, groups.iter().map(|text| (*text).to_owned()))
    }

    #[test]
    fn at_16_the_default_is_a_quarter_of_the_memory_and_at_most_a_gibibyte() {
        let kib = |number: u64| format!("MemFree: 12 kB\nMemTotal:  {number} kB\nSwapTotal: 99 kB\n");
        for (meminfo, groups, expected) in [
            (Some(kib(64 << 20)), &[][..], MOST),
            (Some(kib(4 << 20)), &[], MOST),
            (Some(kib(1 << 20)), &[], 256 << 20),
            (Some(kib(64 << 20)), &["536870912\n"], 128 << 20),
            (Some(kib(1 << 20)), &["max\n", "9223372036854771712\n"], 256 << 20),
            (None, &["1000000\n"], 250_000),
            (None, &["max\n"], MOST),
            (None, &[], MOST),
            (Some("MemTotal: much\n".to_owned()), &["?"], MOST),
            (Some(kib(u64::MAX)), &[], MOST),
        ] {
            assert_eq!(limit_of(meminfo.as_deref(), groups), expected, "{meminfo:?} {groups:?}");
        }
    }
}
