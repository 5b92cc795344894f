//! The log: one JSON object a line on standard output, or lines for people on a terminal.

use std::io::IsTerminal as _;

use anyhow::Result;
use switch::config::{Config, LogFormat};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::LevelFilter;

/// Lines that may wait for a slow reader before the newest are left out.
const LINES_MAX: usize = 100_000;

/// Starts the log. What is returned writes out what waits when it is dropped.
///
/// # Errors
/// If there is a log already.
pub(crate) fn install(config: &Config) -> Result<WorkerGuard> {
    let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(LINES_MAX);
    let (writer, guard) = builder.finish(std::io::stdout());
    let level: LevelFilter = config.log.level.to_string().parse()?;
    let log = tracing_subscriber::fmt().with_max_level(level).with_writer(writer);
    let is_json = match config.log.format {
        LogFormat::Json => true,
        LogFormat::Pretty => false,
        LogFormat::Auto => !std::io::stdout().is_terminal(),
    };
    let installed = if is_json {
        log.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    } else {
        log.with_ansi(std::io::stdout().is_terminal()).try_init()
    };
    installed.map_err(|error| anyhow::anyhow!("the log did not start: {error}"))?;
    Ok(guard)
}
