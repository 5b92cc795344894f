//! Gather, for transactions of a card and their reversals.

use std::sync::atomic::Ordering;

use domain::issuing::Right;
use domain::risk::PinFact;
use domain::shard::{Command, NewPin, Original, Request, Reversal};
use domain::terms::{Amount, CardId, Expiry, Pan, Refusal};
use domain::txn::{Flow, Link, TxnKey, TxnKind};
use keys::{Pan12, PinVerdict};
use routing::Route;

use super::gather::{Genuine, Stop};
use super::{Asked, Step};
use crate::facts::{Busy, CardRef, Found, Guard};
use crate::message::request;
use crate::message::response::ResponseCode;
use crate::telemetry::Suspicion;

/// The card that a request names.
struct Named {
    found: CardRef,
    /// The part of its number that PIN blocks are bound to.
    pan: Pan12,
    /// The expiry that the track or F14 tells.
    expiry: Option<Expiry>,
}

impl Genuine<'_> {
    pub(super) fn transact(&self, kind: TxnKind) -> Result<Step, Stop> {
        if kind.flow() != Flow::Nothing {
            request::check_currency(&self.message)?;
        }
        let (batch, stan) = (self.batch()?, self.stan()?);
        if self.has_waited() && !kind.is_told() && self.entry.turn_away(batch, stan) {
            self.facts.telemetry.turned_away();
            return Err(Stop::Refuse(ResponseCode::MALFUNCTION, 0));
        }
        // Not answered: the terminal gives up and reverses, and for reversals there is room.
        let takes_room = matches!(kind.flow(), Flow::Pay | Flow::Hold | Flow::Load);
        if takes_room && !self.facts.has_room.load(Ordering::Relaxed) {
            return Ok(Step::Drop("NO_ROOM"));
        }
        // What a chip says of a sale is the proof that it was there.
        let is_asked = matches!(kind, TxnKind::Sale | TxnKind::PreAuth | TxnKind::Inquiry);
        if is_asked && request::is_by_chip(&self.message) && !self.message.has(55) {
            return Err(Stop::Refuse(ResponseCode::FORMAT_ERROR, 55));
        }
        let amount = self.amount_of(kind)?;
        let Named { found: card, pan, expiry } = self.card()?;
        let pin = self.pin_fact(kind, &card, &pan)?;
        let new_pin = self.new_pin(kind, &card, &pan)?;
        let original = self.original(kind, card.card);
        let claim =
            self.entry.begin(kind, (batch, stan), card.card).map_err(|busy| match busy {
                Busy::Barred => Stop::Refuse(ResponseCode::ALREADY_UNDONE, 11),
                Busy::TurnedAway => Stop::Refuse(ResponseCode::MALFUNCTION, 11),
                Busy::TakenByOtherCard => Stop::Refuse(ResponseCode::DUPLICATE, 11),
                Busy::InFlight => Stop::Later,
            })?;
        let only_repeats = if claim.batch_is_open {
            self.refusal(kind, expiry)
        } else {
            Some(Refusal::BatchDiffers)
        };
        let merchant = self.origin.merchant;
        let request = Request {
            key: TxnKey { terminal: self.origin.terminal, batch, stan },
            kind,
            by_mail: request::is_by_mail(&self.message),
            takes_part: request::takes_part(&self.message),
            card: card.card,
            merchant,
            traits: self.facts.merchants.get(&merchant).copied().unwrap_or_default(),
            amount,
            pin,
            new_pin,
            original,
            only_repeats,
        };
        Ok(self.ask_card(card.card, Command::Transact(request), Guard::Claim(claim)))
    }

    /// Says why nothing but a repeat may be answered, if there is a reason that the shard does not
    /// know: it remembers the refusal, so that a late copy meets it too.
    fn refusal(&self, kind: TxnKind, told: Option<Expiry>) -> Option<Refusal> {
        if !self.may(kind) {
            return Some(Refusal::TerminalMayNot);
        }
        if self.clock_differs(kind) {
            return Some(Refusal::ClockDiffers);
        }
        // What is given back, or is told after the event, comes to an expired card too.
        let looks_at_expiry = match kind.link() {
            Link::None => !kind.is_told(),
            Link::Authorisation => kind == TxnKind::PreAuth,
            Link::Slip => kind == TxnKind::TopUp,
            Link::Reference => false,
        };
        let today = self.facts.calendar.business_date(self.now.at);
        let is_over = told.is_some_and(|told| told.is_over_on(today));
        (looks_at_expiry && is_over).then_some(Refusal::CardExpired)
    }

    /// True if the terminal may ask for this.
    fn may(&self, kind: TxnKind) -> bool {
        let by_mail = request::is_by_mail(&self.message);
        let needed = [kind.right(), by_mail.then_some(Right::MailOrder)];
        let granted = self.entry.rights();
        needed.into_iter().flatten().all(|right| granted.grant(right))
    }

    /// True if the terminal's clock is further off than may be. What tells of the past is free to
    /// do so.
    fn clock_differs(&self, kind: TxnKind) -> bool {
        let told = request::local_time(&self.message).filter(|_| !kind.is_told());
        let Some((told, most)) = told.zip(self.facts.rules.clock_drift_max) else { return false };
        let distance = self.facts.calendar.distance(self.now.at, told);
        let differs = distance.is_none_or(|distance| distance > most);
        if differs {
            self.facts.telemetry.clock_differs(self.now, self.origin.terminal);
        }
        differs
    }

    /// Reads what the request says of the transaction it belongs to.
    fn original(&self, kind: TxnKind, card: CardId) -> Option<Original> {
        let is_first = kind == TxnKind::PreAuth && !request::is_addition(&self.message);
        if kind.link() == Link::None || is_first {
            return None;
        }
        let said = request::original(&self.message);
        let known = said.batch.zip(said.stan);
        let made_with = known.and_then(|(batch, stan)| self.entry.card_of(batch, stan));
        let other_card = made_with.is_some_and(|other| other != card);
        Some(Original { other_card, ..said })
    }

    /// Has the PIN verified where it matters: nobody types one to tell what has happened, or for a
    /// card that is not there.
    fn pin_fact(&self, kind: TxnKind, card: &CardRef, pan: &Pan12) -> Result<PinFact, Stop> {
        let by_mail = request::is_by_mail(&self.message);
        if kind.is_told() || by_mail || kind.flow() == Flow::Load {
            return Ok(PinFact::Absent);
        }
        self.pin(card, pan)
    }

    /// Has the PIN looked at that the cardholder has chosen.
    fn new_pin(&self, kind: TxnKind, card: &CardRef, pan: &Pan12) -> Result<Option<NewPin>, Stop> {
        if kind != TxnKind::PinChange {
            return Ok(None);
        }
        let missing = |field| Stop::Refuse(ResponseCode::FORMAT_ERROR, field);
        let old = request::pin(&self.message)?.ok_or_else(|| missing(52))?;
        let block = self.message.raw(62).ok_or_else(|| missing(62))?;
        let keys = self.keys.as_deref().ok_or_else(|| missing(52))?;
        let chosen = self.facts.hsm.choose_pin(keys, block, old.format, pan, card.card.0);
        Ok(Some(chosen.map_or(NewPin::Unfit, |kept| NewPin::Fit(kept.to_bytes()))))
    }

    pub(super) fn reverse(&self, kind: TxnKind) -> Result<Step, Stop> {
        let (batch, stan, amount) = (self.batch()?, self.stan()?, self.amount_of(kind)?);
        let key = TxnKey { terminal: self.origin.terminal, batch, stan };
        // Whoever switches an issuer off does not mean what is undone.
        let named =
            self.number().ok().and_then(|card| self.known(&card.pan)).map(|(card, _)| card.card);
        let made_with = self.entry.card_of(batch, stan);
        let card = match (made_with, named) {
            // It names another card than the original was made with: not the original's reversal.
            (Some(made_with), _) if self.message.has(2) && named != Some(made_with) => {
                return Err(Stop::Refuse(ResponseCode::NOT_FOUND, 2));
            }
            (Some(card), _) | (None, Some(card)) => card,
            (None, None) => match self.entry.find_or_bar(batch, stan) {
                Found::Card(card) => card,
                Found::Settled => {
                    return Err(Stop::Refuse(ResponseCode::INVALID_TRANSACTION, 60));
                }
                Found::Barred => {
                    return Ok(self.ask_own_shard(Command::Bar(key), Guard::Free, None));
                }
            },
        };
        let claim = self.entry.begin_reversal(batch, stan, card).map_err(|_closing| Stop::Later)?;
        let reversal = Reversal {
            key,
            kind,
            card,
            merchant: self.origin.merchant,
            amount,
            batch_is_open: claim.batch_is_open,
        };
        Ok(self.ask_card(card, Command::Reverse(reversal), Guard::Claim(claim)))
    }

    fn ask_card(&self, card: CardId, command: Command, guard: Guard) -> Step {
        let tell = self.tell(None);
        Step::Ask(Asked { shard: card.shard(), command, guard, tell })
    }

    /// Returns the amount (F4); nothing where none moves. An activation may say what the card was
    /// sold for.
    fn amount_of(&self, kind: TxnKind) -> Result<Amount, Stop> {
        let told = request::amount(&self.message);
        if kind == TxnKind::Activation {
            return Ok(told.unwrap_or(Amount::ZERO));
        }
        if kind.flow() == Flow::Nothing {
            return Ok(Amount::ZERO);
        }
        told.ok_or(Stop::Refuse(ResponseCode::FORMAT_ERROR, 4))
    }

    /// Finds the card.
    fn card(&self) -> Result<Named, Stop> {
        let request::Card { pan, expiry } = self.number()?;
        match self.facts.routes.route(&pan) {
            Route::Own => {}
            Route::Unknown => return Err(Stop::Refuse(ResponseCode::NO_ISSUER, 2)),
            Route::Disabled => return Err(Stop::Refuse(ResponseCode::ISSUER_DOWN, 2)),
            Route::Partner(_) => return Err(Stop::Refuse(ResponseCode::NO_LINE, 2)),
        }
        let unknown = Stop::Refuse(ResponseCode::INVALID_CARD, 2);
        let (found, pan) = self.known(&pan).ok_or(unknown)?;
        Ok(Named { found, pan, expiry })
    }

    fn known(&self, pan: &Pan) -> Option<(CardRef, Pan12)> {
        let digits = pan.digits();
        let found = self.facts.cards.get(&self.facts.hsm.pan_index(digits));
        found.zip(Pan12::from_pan(digits))
    }

    /// Reads the card's number, and what is told of its expiry.
    fn number(&self) -> Result<request::Card, Stop> {
        let mut track = [0_u8; 37];
        let mut length = 0;
        if let Some(field) = self.message.digits(35) {
            length = field.len();
            if field.copy_to(&mut track).is_none() {
                return Err(Stop::Refuse(ResponseCode::FORMAT_ERROR, 35));
            }
        }
        let swiped = track.get_mut(..length).filter(|track| !track.is_empty());
        let swiped = match (swiped, self.keys.as_deref()) {
            (Some(track), Some(keys)) if request::has_encrypted_track(&self.message) => {
                let clear = self.facts.hsm.decrypt_track(keys, track);
                clear.map_err(|_error| Stop::Refuse(ResponseCode::FORMAT_ERROR, 35))?;
                Some(&*track)
            }
            (track, _) => track.map(|track| &*track),
        };
        let card = request::card(&self.message, swiped).inspect_err(|_refused| {
            if request::names_two_cards(&self.message, swiped) {
                self.facts.telemetry.suspect(self.now, Suspicion::TwoCards, self.origin.terminal);
            }
        })?;
        Ok(card)
    }

    /// Has the PIN verified. What becomes of the verdict is the shard's to say.
    fn pin(&self, card: &CardRef, pan: &Pan12) -> Result<PinFact, Stop> {
        let Some(field) = request::pin(&self.message)? else { return Ok(PinFact::Absent) };
        let (Some(keys), Some(expected)) = (self.keys.as_deref(), &card.pin) else {
            return Ok(PinFact::Wrong);
        };
        let hsm = &self.facts.hsm;
        let verdict = hsm.verify_pin(keys, field.block, field.format, pan, card.card.0, expected);
        Ok(match verdict {
            PinVerdict::Right => PinFact::Right,
            PinVerdict::Wrong => PinFact::Wrong,
        })
    }
}
