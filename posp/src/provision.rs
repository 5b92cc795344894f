//! `posp provision`: cards in bulk.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use clap::Args;
use domain::issuing::{CardStatus, ProductId};
use domain::terms::{Amount, Pan};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use switch::config::{Config, Profile};
use switch::node::{Bulk, BulkReport, Settings, Stage, keeper};
use switch::programme::{Secret, Word, parse_yuan};

use crate::host;
use crate::output::print;
use crate::process;

/// Where the PIN of the cards is found.
const PIN: &str = "POSP_CARDS_PIN";
/// Every how many numbers the bar moves.
const STRIDE: u64 = 1024;

/// Issue many cards of a product into a data directory
///
/// The cards get numbers in a row, each with its check digit, and go the way of any other card:
/// sealed, decided, journalled. What the programme holds is set up first, as a start of the node
/// does. A number that a card has already is left alone, so the same command goes on where it was
/// cut short. Refuses a directory that a node holds.
///
/// Cards have no PIN, unless the environment variable POSP_CARDS_PIN has one for all of them: that
/// is for tests, and refused in production.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  posp provision --demo --data /tmp/posp --product 2 --count 1000000 --opening 100.00
  POSP_CARDS_PIN=123456 posp provision --demo --data /tmp/posp --product 1 --count 5000")]
pub(crate) struct Provision {
    /// The configuration file
    #[arg(long, value_name = "FILE", required_unless_present = "demo")]
    config: Option<PathBuf>,
    /// For the built-in demonstration
    #[arg(long, conflicts_with = "config", requires = "data")]
    demo: bool,
    /// The data directory (overrides node.directory)
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The number of the product, as products.toml has it
    #[arg(long, value_name = "NUMBER")]
    product: u16,
    /// How many numbers, those that have a card already included
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    /// The first card number; the default is where the last tenth of the first own range begins
    #[arg(long, value_name = "PAN", value_parser = pan)]
    first_pan: Option<Pan>,
    /// What each card is opened with, in yuan
    #[arg(long, value_name = "YUAN", default_value = "0.00", value_parser = yuan)]
    opening: Amount,
    /// Where the cards stand in their lives, in the words of cards.toml
    #[arg(long, value_name = "WORD", default_value = "active", value_parser = status)]
    status: CardStatus,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Provision {
    /// Runs the command.
    ///
    /// # Errors
    /// What keeps cards from being issued. Those before the one at fault stand.
    pub(crate) fn run(self) -> Result<()> {
        let mut config = Config::load(self.config.as_deref())?;
        if let Some(data) = &self.data {
            config.node.directory.clone_from(data);
        }
        config.check()?;
        process::harden();
        let programme = host::programme_of(&config)?;
        let bulk = self.bulk(&config)?;
        let settings = Settings::of(&config, &programme);
        let bar = Bar::new(self.count);
        let began = Instant::now();
        let tell = |stage| bar.show(stage);
        let issuing = bulk.issue(&settings, &programme, keeper(&config)?, &tell);
        let report = actix_rt::System::new().block_on(issuing);
        bar.clear();
        print(self.said(&report?, began.elapsed()))?;
        Ok(())
    }

    fn bulk(&self, config: &Config) -> Result<Bulk> {
        let pin = std::env::var(PIN).ok().map(|pin| Secret::new(pin.into_bytes()));
        if pin.is_some() && config.node.profile == Profile::Production {
            bail!("{PIN}: in production no two cards have their PIN from one place");
        }
        Ok(Bulk {
            product: ProductId(self.product),
            count: self.count,
            first: self.first_pan,
            status: self.status,
            opening: self.opening,
            pin,
        })
    }

    /// Says what was done.
    fn said(&self, report: &BulkReport, took: Duration) -> String {
        let BulkReport { issued, known, cards, entries } = *report;
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let rate = issued.saturating_mul(1000).checked_div(ms).unwrap_or(issued);
        if self.json {
            let said = json!({
                "issued": issued,
                "known": known,
                "cards": cards,
                "entries": entries,
                "milliseconds": ms,
                "per_second": rate,
            });
            return format!("{said}\n");
        }
        format!(
            "{issued} cards issued in {}.{:03} s, {rate} a second; {known} were there before\n\
             the directory holds {cards} cards and {entries} entries; ledger and snapshot are up to date\n",
            took.as_secs(),
            took.subsec_millis(),
        )
    }
}

/// What a person sees while it runs.
struct Bar {
    bar: ProgressBar,
    count: u64,
}

impl Bar {
    fn new(count: u64) -> Self {
        let bar = if io::stderr().is_terminal() {
            ProgressBar::new(count)
        } else {
            ProgressBar::hidden()
        };
        let template = "{bar:30} {human_pos}/{human_len} cards, {per_sec}, {eta} left {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, count }
    }

    fn show(&self, stage: Stage) {
        match stage {
            Stage::Issuing(done) if done.is_multiple_of(STRIDE) || done == self.count => {
                self.bar.set_position(done);
            }
            Stage::Issuing(_) => {}
            Stage::Following(behind) => {
                self.bar.set_message(format!("(the ledger is {behind} entries behind)"));
            }
        }
    }

    fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

fn pan(text: &str) -> Result<Pan> {
    Ok(Pan::parse(text.as_bytes())?)
}

fn yuan(text: &str) -> Result<Amount> {
    parse_yuan(text).ok_or_else(|| anyhow!("yuan with two decimals expected, as in 100.00"))
}

fn status(text: &str) -> Result<CardStatus> {
    CardStatus::of_word(text).ok_or_else(|| {
        let words: Vec<_> = CardStatus::WORDS.iter().map(|(word, _)| *word).collect();
        anyhow!("one of {} expected", words.join(", "))
    })
}
