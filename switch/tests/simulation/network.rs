//! Lines between terminals and the host: what becomes of a frame on its way.

use std::collections::BTreeMap;

use super::dice::Dice;
use super::plan::{MILLISECOND, Micros, SECOND, Weather};

/// Numbers the lines of a world, never twice.
pub type LineId = u64;

/// Which way a frame goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    Up,
    Down,
}

/// One connection.
#[derive(Debug)]
pub struct Line {
    /// Whose it is.
    pub terminal: usize,
    /// The life of the host in which it was opened.
    pub life: u64,
    /// Nothing that is sent arrives any more.
    is_cut: bool,
    /// When the last frame arrives, each way: later ones come later.
    last: [Micros; 2],
}

/// Takes the length off a frame, as whoever reads a line does.
pub fn unframed(bytes: &[u8]) -> &[u8] {
    let cut = codec::cut(bytes, &codec::Limits::default()).unwrap().unwrap();
    assert_eq!(cut.consumed, bytes.len(), "one frame at a time is sent");
    cut.frame
}

/// What becomes of a frame.
#[derive(Debug, Default)]
pub struct Fate {
    /// When it arrives; twice if it is doubled, never if it is lost.
    pub arrivals: Vec<Micros>,
    pub is_late: bool,
    /// When each end notices that the line broke under it: terminal, host.
    pub breaks: Option<(Micros, Micros)>,
}

/// All lines.
#[derive(Debug, Default)]
pub struct Network {
    next: LineId,
    lines: BTreeMap<LineId, Line>,
}

impl Network {
    pub fn open(&mut self, terminal: usize, life: u64) -> LineId {
        self.next += 1;
        let line = Line { terminal, life, is_cut: false, last: [0; 2] };
        self.lines.insert(self.next, line);
        self.next
    }

    pub fn line(&self, id: LineId) -> Option<&Line> {
        self.lines.get(&id)
    }

    /// Nothing that is sent from now on arrives; what is under way may.
    pub fn cut(&mut self, id: LineId) {
        if let Some(line) = self.lines.get_mut(&id) {
            line.is_cut = true;
        }
    }

    /// The weather has cleared: what is late does not hold up what is sent now.
    pub fn clear_up(&mut self, now: Micros) {
        for line in self.lines.values_mut() {
            line.last = line.last.map(|last| last.min(now));
        }
    }

    /// Decides what becomes of a frame that is sent now.
    pub fn send(
        &mut self,
        id: LineId,
        way: Way,
        now: Micros,
        weather: &Weather,
        dice: &mut Dice,
    ) -> Fate {
        let mut fate = Fate::default();
        let Some(line) = self.lines.get_mut(&id).filter(|line| !line.is_cut) else { return fate };
        if dice.chance(weather.cut) {
            line.is_cut = true;
            let noticed = now + dice.below(5 * SECOND);
            fate.breaks = Some((noticed, now + dice.below(40 * SECOND)));
            if dice.chance(500) {
                return fate;
            }
        }
        if dice.chance(weather.lost) {
            return fate;
        }
        fate.is_late = dice.chance(weather.late);
        let delay = if fate.is_late {
            dice.between(SECOND, 40 * SECOND)
        } else {
            dice.between(MILLISECOND, weather.delay_max.max(MILLISECOND))
        };
        let last = &mut line.last[way as usize];
        let first = if weather.overtaking { 0 } else { *last };
        let arrival = (now + delay).max(first);
        *last = arrival.max(*last);
        fate.arrivals.push(arrival);
        if dice.chance(weather.doubled) {
            let later = if dice.chance(700) { 2 * SECOND } else { 30 * SECOND };
            fate.arrivals.push(arrival + dice.between(0, later));
        }
        fate
    }
}
