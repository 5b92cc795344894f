//! What the node serves: the terminals of the demonstration and many more, cards for every mood,
//! and the files that say so.

use std::fs;
use std::path::{Path, PathBuf};

use loadtest::kit::{CardStatus, Kit, TestCard};
use loadtest::{Fen, TerminalSetup};

/// Terminals beside those of the demonstration, which differ in cipher, key layout and MAC.
const PLAIN_TERMINALS: u32 = 38;
/// Cards with so little on them that they run dry.
const POOR: usize = 8;
/// Cards that were reported lost.
const LOST: usize = 4;
/// Cards whose PIN is guessed at, for each kill.
pub const VICTIMS_A_LIFE: usize = 2;

/// How the node is set up, as far as it is not as usual.
pub struct Tuning {
    /// Small, so that the journal rolls over while it is being killed.
    pub segment_size: &'static str,
    pub snapshot_entries: u32,
    pub answer_deadline: &'static str,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { segment_size: "1MiB", snapshot_entries: 5_000, answer_deadline: "20s" }
    }
}

/// The programme of the test, and where its files lie.
pub struct Shop {
    pub config: PathBuf,
    pub terminals: Vec<TerminalSetup>,
    /// All cards: rich ones, then poor ones, lost ones and victims.
    pub cards: Vec<TestCard>,
    rich: usize,
}

impl Shop {
    /// Writes the programme and the configuration into `dir`.
    pub fn open(dir: &Path, seed: u64, kills: usize) -> Self {
        Self::open_tuned(dir, seed, kills, &Tuning::default())
    }

    /// The same for a node that is set up in some way of its own.
    pub fn open_tuned(dir: &Path, seed: u64, kills: usize, tuning: &Tuning) -> Self {
        let rich = 64 + 4 * kills;
        let victims = VICTIMS_A_LIFE * (kills + 1);
        let count = u32::try_from(rich + POOR + LOST + victims).unwrap();
        let mut kit = Kit::generate(PLAIN_TERMINALS, count, seed);
        let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/demo");
        let demo = Kit::from_dir(Path::new(demo)).unwrap();
        kit.terminals.extend(demo.terminals);
        kit.cards[rich..rich + POOR].iter_mut().for_each(|card| card.main = Fen(2_000));
        for card in &mut kit.cards[rich + POOR..rich + POOR + LOST] {
            card.status = CardStatus::Lost;
        }
        let programme = dir.join("programme");
        kit.write_to(&programme).unwrap();
        let config = dir.join("posp.toml");
        fs::write(&config, configuration(&programme, tuning)).unwrap();
        Self { config, terminals: kit.terminals, cards: kit.cards, rich }
    }

    pub fn rich(&self) -> &[TestCard] {
        &self.cards[..self.rich]
    }

    pub fn poor(&self) -> &[TestCard] {
        &self.cards[self.rich..self.rich + POOR]
    }

    pub fn lost(&self) -> &[TestCard] {
        &self.cards[self.rich + POOR..self.rich + POOR + LOST]
    }

    /// The cards whose PIN is guessed at around this kill.
    pub fn victims(&self, life: usize) -> &[TestCard] {
        let first = self.rich + POOR + LOST + VICTIMS_A_LIFE * life;
        &self.cards[first.min(self.cards.len() - VICTIMS_A_LIFE)..][..VICTIMS_A_LIFE]
    }
}

fn configuration(programme: &Path, tuning: &Tuning) -> String {
    let Tuning { segment_size, snapshot_entries, answer_deadline } = tuning;
    format!(
        "[node]\nprofile = \"test\"\n\
         [terminal]\nanswer_deadline = \"{answer_deadline}\"\ndecide_margin = \"100ms\"\n\
         wait_max = \"900ms\"\n\
         [journal]\nsegment_size = \"{segment_size}\"\nsnapshot_entries = {snapshot_entries}\n\
         [programme]\ndirectory = \"{}\"\n\
         [log]\nformat = \"json\"\napproved_one_in = 0\n",
        programme.display()
    )
}
