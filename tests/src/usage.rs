//! What processes use, as the kernel counts it.

use std::time::Duration;

use anyhow::{Context as _, Result};

/// A field of a process's memory, in MiB.
pub fn memory(pid: u32, field: &str) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with(field)).context("the field")?;
    Ok(line.split_whitespace().nth(1).context("a number")?.parse::<f64>()? / 1_024.0)
}

/// The processor time that a process has spent.
pub fn processor(pid: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after = stat.rsplit_once(") ").context("the name")?.1;
    let ticks: u64 = after.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap_or_default()).sum();
    // In hundredths of a second, on every Linux that there is.
    Ok(Duration::from_millis(ticks * 10))
}
