//! When the weather has cleared: everything that is open comes to an end, and business goes on.

use super::{Device, Doing, Scene, Step, What};
use loadtest::terminal::SlipKind;

/// What is still to do, in this order: a sale, a settlement, a sale in the next batch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Finale {
    stage: u32,
    requests: u32,
}

/// More requests than the finale can need, sign-ons and uploads included.
const REQUESTS_MAX: u32 = 60;

/// What a sale may be refused with although the switch is well.
const BUSINESS: [&[u8; 2]; 10] =
    [b"14", b"21", b"41", b"51", b"54", b"55", b"57", b"61", b"62", b"75"];

impl Device {
    pub(super) fn next_of_finale(&mut self, scene: &mut Scene<'_>) -> Step {
        let stage = self.finale.map_or(0, |finale| finale.stage);
        let made = match stage {
            0 | 2 => self.fresh_sale(scene),
            1 | 3 => self.settle(scene),
            _ => return Step::Done,
        };
        self.send(made, scene)
    }

    /// Goes on to the next stage if the request was answered as it should be.
    pub(super) fn note_finale(&mut self, doing: &Doing, code: [u8; 2], scene: &mut Scene<'_>) {
        let id = self.id();
        let (settled, Some(finale)) = (self.settled, &mut self.finale) else { return };
        finale.requests += 1;
        if finale.requests > REQUESTS_MAX {
            scene.history.complaints.push(format!("I20: terminal {id} does not come to an end"));
            finale.stage = u32::MAX;
        }
        let is_business = code == *b"00" || BUSINESS.contains(&&code);
        match (doing.what, finale.stage) {
            (What::Money(SlipKind::Sale), 0 | 2) if is_business => finale.stage += 1,
            (What::Settle, 1 | 3) if settled.is_some() => finale.stage += 1,
            _ => {}
        }
    }
}
