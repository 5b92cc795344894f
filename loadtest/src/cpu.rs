//! Processor time.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// What this process has used so far, all threads together, those that ended too.
pub(crate) fn of_process() -> Duration {
    used(ClockId::ProcessCPUTime)
}

/// What this thread has used so far.
pub(crate) fn of_thread() -> Duration {
    used(ClockId::ThreadCPUTime)
}

fn used(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(time.tv_sec.unsigned_abs(), nanos)
}
