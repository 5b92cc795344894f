//! What a terminal is to ask, written before the time runs.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::player::Player;
use crate::ids::Stan;
use crate::scenario::Act;
use crate::seed::Seeded;
use crate::terminal::{Stencil, TerminalError};

/// Requests, one after the other. What needs an earlier answer is written when its turn comes.
#[derive(Default)]
pub(super) struct Script {
    /// Shared with whoever sends them to a server that does not look at them.
    pub(super) frames: Arc<Vec<u8>>,
    pub(super) lines: Vec<Line>,
}

/// One request of a script.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub(super) act: Act,
    /// Its trace number, or that of what it reverses.
    pub(super) stan: Stan,
    at: u32,
    length: u16,
}

impl Script {
    /// The frame of a line, its length in front.
    pub(super) fn frame(&self, line: Line) -> Option<&[u8]> {
        let at = usize::try_from(line.at).ok()?;
        self.frames.get(at..at.checked_add(usize::from(line.length))?)
    }
}

/// A script that is being written.
#[derive(Default)]
struct Draft {
    frames: Vec<u8>,
    lines: Vec<Line>,
}

impl Draft {
    fn push(&mut self, act: Act, stan: Stan, start: usize) {
        let length = self.frames.len().saturating_sub(start);
        self.lines.push(Line {
            act,
            stan,
            at: u32::try_from(start).unwrap_or(u32::MAX),
            length: u16::try_from(length).unwrap_or(u16::MAX),
        });
    }
}

/// Writes scripts by the weights of a mix.
pub(super) struct Author<'m> {
    mix: &'m BTreeMap<Act, u32>,
    seeded: Seeded,
}

impl<'m> Author<'m> {
    pub(super) const fn new(mix: &'m BTreeMap<Act, u32>, seed: u64) -> Self {
        Self { mix, seeded: Seeded::new(seed) }
    }

    /// Writes `count` requests for a terminal; fewer if its cards run out.
    pub(super) fn write(
        &mut self,
        player: &mut Player,
        count: usize,
    ) -> Result<Script, TerminalError> {
        let mut script = Draft::default();
        let mut desk = Desk::default();
        for number in 0..count {
            let act = desk.possible(self.pick());
            if !desk.write(&mut script, player, act)? {
                break;
            }
            if number == 0 {
                // Most are about as long as the first.
                let rest = script.frames.len().saturating_mul(count.saturating_sub(1));
                script.frames.reserve_exact(rest);
                script.lines.reserve_exact(count);
            }
        }
        Ok(Script { frames: Arc::new(script.frames), lines: script.lines })
    }

    fn pick(&mut self) -> Act {
        let all: u64 = self.mix.values().copied().map(u64::from).sum();
        let mut left = self.seeded.next().checked_rem(all).unwrap_or_default();
        for (act, weight) in self.mix {
            let weight = u64::from(*weight);
            if left < weight {
                return *act;
            }
            left = left.saturating_sub(weight);
        }
        Act::Sale
    }
}

/// What is needed to write a script.
#[derive(Default)]
struct Desk {
    stencils: BTreeMap<Act, Stencil>,
    /// What can be reversed: the last sale or pre-authorisation.
    last: Option<(Act, Stan)>,
}

impl Desk {
    /// The same, or a sale if nothing is there to undo.
    const fn possible(&self, act: Act) -> Act {
        match (act, self.last) {
            (Act::Reversal, None) => Act::Sale,
            (Act::Void, None | Some((Act::PreAuth, _))) => Act::Sale,
            _ => act,
        }
    }

    /// Writes one request at the end. False if there is no card for it.
    fn write(
        &mut self,
        script: &mut Draft,
        player: &mut Player,
        act: Act,
    ) -> Result<bool, TerminalError> {
        let start = script.frames.len();
        match act {
            Act::SignOn | Act::Void => {
                // Once a sale is voided, its reversal would be refused.
                self.last = None;
                script.push(act, Stan::FIRST, start);
            }
            Act::Sale | Act::PreAuth | Act::Balance => {
                self.prepare(player, act)?;
                let Some(stencil) = self.stencils.get(&act) else { return Ok(false) };
                let stan = player.terminal.stamp(&mut script.frames, stencil)?;
                if act != Act::Balance {
                    self.last = Some((act, stan));
                }
                script.push(act, stan, start);
            }
            Act::Reversal => {
                let Some((of, stan)) = self.last.take() else { return Ok(true) };
                self.prepare(player, of)?;
                let Some(stencil) = self.stencils.get(&of) else { return Ok(false) };
                player.terminal.stamp_reversal(&mut script.frames, stencil, stan)?;
                script.push(act, stan, start);
            }
            Act::Activation => {
                if player.activated >= player.cards.len() {
                    return Ok(false);
                }
                let stencil = player.stencil(act, player.activated)?;
                player.activated = player.activated.saturating_add(1);
                let stan = player.terminal.stamp(&mut script.frames, &stencil)?;
                script.push(act, stan, start);
            }
        }
        Ok(true)
    }

    fn prepare(&mut self, player: &Player, act: Act) -> Result<(), TerminalError> {
        if let Entry::Vacant(place) = self.stencils.entry(act) {
            place.insert(player.stencil(act, 0)?);
        }
        Ok(())
    }
}
