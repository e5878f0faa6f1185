//! Memory, threads and CPU time of the gateway's process.

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// The process at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// Resident memory in bytes.
    pub resident_bytes: u64,
    /// Virtual memory in bytes.
    pub virtual_bytes: u64,
    /// Threads.
    pub threads: u64,
    /// Seconds of CPU time, user and system.
    pub cpu_seconds: f64,
}

impl Process {
    /// This process now. Without `/proc` the values are 0.
    pub(super) fn now() -> Self {
        // Not statm: it counts in pages, and their size would need another call.
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        let nanoseconds = u32::try_from(cpu.tv_nsec).unwrap_or(0);
        Self {
            resident_bytes: field(&status, "VmRSS:") * 1024,
            virtual_bytes: field(&status, "VmSize:") * 1024,
            threads: field(&status, "Threads:"),
            cpu_seconds: std::time::Duration::new(cpu.tv_sec.unsigned_abs(), nanoseconds)
                .as_secs_f64(),
        }
    }
}

fn field(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_uses_memory_threads_and_time() {
        let process = Process::now();
        assert!(process.resident_bytes > 1 << 20 && process.virtual_bytes > process.resident_bytes);
        assert!(process.threads >= 1 && process.cpu_seconds > 0.0);
        assert_eq!(field("VmRSS:\t  16384 kB\nThreads:\t5\n", "VmRSS:"), 16384);
        assert_eq!(field("", "VmRSS:"), 0);
    }
}
