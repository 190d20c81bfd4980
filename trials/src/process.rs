//! What the system says of a process (proc(5)).

use std::fs;

/// How many descriptors a process has open; `None` where the system does not tell.
#[must_use]
pub fn descriptors(id: u32) -> Option<usize> {
    Some(fs::read_dir(format!("/proc/{id}/fd")).ok()?.count())
}

/// The memory of a process that is not elsewhere, in bytes; `None` where the system does not tell.
#[must_use]
pub fn resident(id: u32) -> Option<usize> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<usize>().ok()? * 1024)
}
