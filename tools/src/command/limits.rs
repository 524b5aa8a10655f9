//! What a process may take, and its end with all that it started.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use super::CommandConfig;

/// What a command may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// How long it may run.
    pub(crate) timeout: Duration,
    /// Bytes of its output that are kept.
    pub(crate) output: usize,
    /// Bytes of data that each of its processes may have.
    pub(crate) memory: u64,
}

impl From<&CommandConfig> for Limits {
    fn from(config: &CommandConfig) -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            timeout: config.timeout.duration(),
            output: usize::try_from(u64::from(config.output_mib.get()) * MIB).unwrap_or(usize::MAX),
            memory: u64::from(config.memory_mib.get()) * MIB,
        }
    }
}

/// A process that leads a group. When this is dropped, the whole group is killed.
pub struct Group(Option<Pid>);

impl Group {
    /// Of a process that was just started as the leader of a group.
    pub fn of(process: Option<u32>) -> Self {
        Self(process.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    /// Bounds the data of the process and of what it starts from now on.
    ///
    /// Data and not address space: runtimes as Go's reserve far more of that than they use.
    #[cfg(target_os = "linux")]
    pub(crate) fn bound(&self, memory: u64) -> std::io::Result<()> {
        use rustix::process::{Resource, Rlimit, prlimit};
        let Some(pid) = self.0 else { return Ok(()) };
        let limit = Rlimit { current: Some(memory), maximum: Some(memory) };
        match prlimit(Some(pid), Resource::Data, limit) {
            // It has ended already.
            Err(rustix::io::Errno::SRCH) => Ok(()),
            other => other.map(drop).map_err(Into::into),
        }
    }

    /// Other systems have no such call.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn bound(&self, _memory: u64) -> std::io::Result<()> {
        Ok(())
    }

    /// Kills what is left of the group.
    pub fn kill(&mut self) {
        if let Some(pid) = self.0.take() {
            // Fails where nothing is left, which is as good.
            kill_process_group(pid, Signal::KILL).ok();
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
