//! When the weather has cleared: everything that is open comes to an end, and business goes on.

use super::{Device, Doing, Scene, Step, What};
use crate::plan::{Micros, Mode, SECOND};
use loadtest::terminal::SlipKind;

/// What is still to do, in this order: sales on some of the cards, a settlement, a sale in the
/// next batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finale {
    stage: u32,
    /// Sales of the first stage that were answered.
    sales: usize,
    requests: u32,
    settles_from: Micros,
}

impl Finale {
    pub(super) const fn new(settles_from: Micros) -> Self {
        Self { stage: 0, sales: 0, requests: 0, settles_from }
    }
}

/// More requests than the finale can need, sign-ons and uploads included.
const REQUESTS_MAX: u32 = 60;

/// What a sale may be refused with although the switch is well.
const BUSINESS: [&[u8; 2]; 10] =
    [b"14", b"21", b"41", b"51", b"54", b"55", b"57", b"61", b"62", b"75"];

impl Device {
    pub(super) fn next_of_finale(&mut self, scene: &mut Scene<'_>) -> Step {
        let Some(finale) = self.finale else { return Step::Done };
        let made = match finale.stage {
            0 => self.fresh_sale(self.card_of_finale(finale.sales, scene), scene),
            1 if scene.now < finale.settles_from => {
                return Step::Rest(finale.settles_from - scene.now);
            }
            2 => {
                let card = scene.dice.place(scene.cast.cards.len());
                self.fresh_sale(card, scene)
            }
            1 | 3 => self.settle(scene),
            _ => return Step::Done,
        };
        self.send(made, scene)
    }

    /// The terminals share the cards among them, so that every shard is asked.
    fn card_of_finale(&self, sales: usize, scene: &Scene<'_>) -> usize {
        let cards = scene.cast.cards.len();
        (self.place + sales * scene.cast.terminals.len()) % cards
    }

    /// Goes on to the next stage if the request was answered as it should be.
    pub(super) fn note_finale(&mut self, doing: &Doing, code: [u8; 2], scene: &mut Scene<'_>) {
        let (id, place) = (self.id(), self.place);
        let (settled, Some(finale)) = (self.settled, &mut self.finale) else { return };
        finale.requests += 1;
        if finale.requests > REQUESTS_MAX {
            scene.history.complaints.push(format!("I20: terminal {id} does not come to an end"));
            finale.stage = u32::MAX;
        }
        let took = scene.now - doing.since;
        if scene.plan.mode == Mode::Liveness && took > SECOND {
            let text = format!("I20: {} of {id} is answered after {took} us", doing.what.name());
            scene.history.complaints.push(text);
        }
        let is_business = code == *b"00" || BUSINESS.contains(&&code);
        match (doing.what, finale.stage) {
            (What::Money(SlipKind::Sale), 0) if is_business => {
                finale.sales += 1;
                let next = place + finale.sales * scene.cast.terminals.len();
                finale.stage = u32::from(next >= scene.cast.cards.len());
            }
            (What::Money(SlipKind::Sale), 2) if is_business => finale.stage = 3,
            (What::Settle, 1 | 3) if settled.is_some() => finale.stage += 1,
            _ => {}
        }
    }
}
