//! `posp serve`: a node that runs until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use switch::config::Config;

use crate::{host, log, process};

/// Serve terminals until SIGTERM or Ctrl-C
///
/// On SIGTERM the node takes no more requests, answers what is in flight, makes everything
/// durable, brings the ledger up to date and exits with 0. A second SIGTERM ends it at once,
/// without harm: the journal is always whole.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  posp serve --demo --data /tmp/posp
  posp serve --config config/posp.toml
  POSP__POS__LISTEN=0.0.0.0:8583 posp serve --config config/production.toml")]
pub(crate) struct Serve {
    /// The configuration file; see `posp config show` for every key
    #[arg(long, value_name = "FILE", required_unless_present = "demo")]
    config: Option<PathBuf>,
    /// Serve the built-in demonstration: published keys, test cards (see `posp kit`)
    #[arg(long, conflicts_with = "config")]
    demo: bool,
    /// Where journal, snapshots and ledger live (overrides node.directory)
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where terminals connect (overrides pos.listen)
    #[arg(long, value_name = "HOST:PORT")]
    pos_listen: Option<SocketAddr>,
    /// Where metrics and health are (overrides http.listen)
    #[arg(long, value_name = "HOST:PORT")]
    http_listen: Option<SocketAddr>,
}

impl Serve {
    /// Runs the command.
    ///
    /// # Errors
    /// What keeps the node from starting, or kept it from ending well.
    pub(crate) fn run(self) -> Result<()> {
        let mut config = self.config()?;
        let programme = host::programme_of(&config)?;
        let _log = log::install(&config)?;
        process::harden();
        process::fit_lines(&mut config);
        let node = host::run(&config, &programme, |doors| {
            tracing::info!(pos = %doors.pos, http = %doors.http, "ready");
        });
        actix_rt::System::new().block_on(node)
    }

    fn config(&self) -> Result<Config> {
        let mut config = Config::load(self.config.as_deref())?;
        if let Some(data) = &self.data {
            config.node.directory.clone_from(data);
        } else if self.demo {
            bail!("--demo needs --data DIR: where shall the journal live?");
        }
        if let Some(listen) = self.pos_listen {
            config.pos.listen = listen;
        }
        if let Some(listen) = self.http_listen {
            config.http.listen = listen;
        }
        config.check()?;
        Ok(config)
    }
}
