//! Describes the machine and the versions, for the head of a published table.

use std::fs;

use crate::runner::Call;

/// One line: processor, number of processors, kernel, compiler.
pub(super) fn describe() -> String {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let model = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| model(&text));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let compiler = Call::program("rustc").arg("--version").read().unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown");
    format!(
        "{processors} processors ({}), Linux {}, {}, load before the run {load}",
        model.as_deref().unwrap_or("unknown model"),
        kernel.trim(),
        compiler.trim(),
    )
}

fn model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_the_first_processors() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nmodel name\t: Other\n";
        assert_eq!(model(cpuinfo).as_deref(), Some("Some CPU @ 2 GHz"));
        assert_eq!(model(""), None);
    }
}
