//! What the process asks of the system.

use rustix::fs::Mode;
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit, umask,
};
use switch::config::Config;

/// Open files that are no lines of terminals: journal, ledger, logs, HTTP, and some to spare.
const OTHER_FILES: u64 = 128;

/// Lets no more lines in than the system has open files for. A line too many would cost the journal
/// its next segment.
pub(crate) fn fit_lines(config: &mut Config) {
    let Some(files) = getrlimit(Resource::Nofile).current else { return };
    let most = u32::try_from(files.saturating_sub(OTHER_FILES)).unwrap_or(u32::MAX).max(1);
    let asked = config.pos.connections_max;
    if asked > most {
        tracing::warn!(asked, taken = most, files, "pos.connections_max is above the open files");
        config.pos.connections_max = most;
    }
}

/// Takes as many open files as the system allows, makes files for their owner only, and leaves no
/// core dump: it would hold keys.
pub(crate) fn harden() {
    umask(Mode::RWXG | Mode::RWXO);
    let files = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: files.maximum, maximum: files.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, wanted) {
        tracing::warn!(%error, "the number of open files stays at its limit");
    }
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "core dumps stay allowed");
    }
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "the process stays dumpable");
    }
}
