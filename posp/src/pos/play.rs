//! What the terminal does for each word of the command line.

use loadtest::pay::Tender;
use loadtest::terminal::{
    Digits, Entry, Hold, Original, PartialApproval, Reason, Reconciled, SignOn, Slip, SlipKind,
    TerminalError,
};
use loadtest::{
    CardNumber, Code, Exchange, Expiry, Fen, HolderCheck, IdDocument, Presented, Stan, Station,
    StationError, Terminal,
};

use super::action::{Action, Decided, OfHold, Plain, Undo, WithCard};
use super::args::{CardArgs, EntryArg, HoldArgs, PayArgs, Quiet, RefundArgs, read_by};
use super::{Done, Failure, Pos};

type Frame = Result<Vec<u8>, TerminalError>;

impl Pos {
    pub(super) fn play(&self, station: &mut Station) -> Result<Done, Failure> {
        let needs_nothing = match &self.action {
            Action::Plain(Plain::SignOn { .. } | Plain::Echo) => true,
            Action::Plain(Plain::SignOff) => !station.terminal.is_signed_on(),
            Action::Plain(Plain::Settle | Plain::Tell)
            | Action::WithCard(_)
            | Action::Undo(_)
            | Action::OfHold(_)
            | Action::Decided(_)
            | Action::Refund(_)
            | Action::MotoRefund { .. }
            | Action::TopUp { .. }
            | Action::Pay(_) => false,
        };
        // What a terminal decides itself stands, whether or not the host can be reached.
        let early = if station.terminal.is_signed_on() { self.note(station)? } else { None };
        let mut before = if needs_nothing { Vec::new() } else { station.make_ready()? };
        let stuck = before.last().is_some_and(|exchange| !is_ready(station, exchange));
        if stuck {
            return Ok(Done { before, ..Done::default() });
        }
        let noted = if early.is_some() { early } else { self.note(station)? };
        let mut done = match noted {
            Some(stan) => tell(station, stan)?,
            None => self.act(station)?,
        };
        before.append(&mut done.before);
        Ok(Done { before, ..done })
    }

    /// Lets the terminal decide what it only tells; `None` for what it asks.
    fn note(&self, station: &mut Station) -> Result<Option<Stan>, Failure> {
        let stan = match &self.action {
            Action::Decided(decided) => self.decide(station, decided)?,
            Action::OfHold(OfHold::Complete { hold: args, amount, advice: true }) => {
                let (hold, slip) = held(station, args)?;
                let presented = self.presented_or(args, slip.as_ref())?;
                let note = |t: &mut Terminal| t.complete_by_advice(&hold, &presented, *amount);
                station.note(note)?
            }
            Action::OfHold(_)
            | Action::Plain(_)
            | Action::WithCard(_)
            | Action::Undo(_)
            | Action::Refund(_)
            | Action::MotoRefund { .. }
            | Action::TopUp { .. }
            | Action::Pay(_) => return Ok(None),
        };
        Ok(Some(stan))
    }

    fn decide(&self, station: &mut Station, decided: &Decided) -> Result<Stan, Failure> {
        Ok(match decided {
            Decided::OfflineSale { card, amount, approval } => {
                let presented = self.presented(card)?;
                let approval = Some(approval.as_str());
                station.note(|terminal| terminal.sell_offline(&presented, *amount, approval))?
            }
            Decided::ECash { card, amount } => {
                let presented = self.presented(card)?;
                let entry = read_by(EntryArg::Chip);
                let by_chip = Presented { entry, ..presented };
                station.note(|terminal| terminal.sell_from_chip(&by_chip, *amount))?
            }
            Decided::Adjust { of, amount, tip } => {
                station.note(|terminal| terminal.adjust(*of, *amount, *tip))?
            }
            Decided::Tip { of, tip } => {
                let amount = slip(station, *of)?.imprint.amount.plus(*tip);
                station.note(|terminal| terminal.tip(*of, amount, *tip))?
            }
        })
    }

    fn act(&self, station: &mut Station) -> Result<Done, Failure> {
        let exchange = match &self.action {
            Action::Plain(plain) => return act_plainly(station, plain),
            Action::TopUp { card, amount, document } => {
                return self.top_up(station, card, *amount, document.as_ref());
            }
            Action::Pay(args) => return self.pay(station, args),
            Action::WithCard(ask) => self.ask(station, ask)?,
            Action::Undo(undo) => undo_slip(station, undo)?,
            Action::OfHold(ask) => self.ask_of_hold(station, ask)?,
            Action::Refund(refund) => self.refund(station, refund, None)?,
            Action::MotoRefund { refund, check } => {
                let check = holder(check.as_ref())?;
                self.refund(station, refund, Some(&check))?
            }
            Action::Decided(decided) => {
                let stan = self.decide(station, decided)?;
                return tell(station, stan);
            }
        };
        Ok(Done::of(exchange))
    }

    /// Requests with a card.
    fn ask(&self, station: &mut Station, ask: &WithCard) -> Result<Exchange, Failure> {
        let mut with = |card: &CardArgs, ask: &dyn Fn(&mut Terminal, &Presented<'_>) -> Frame| {
            let presented = self.presented(card)?;
            Ok(station.ask(|terminal| ask(terminal, &presented))?)
        };
        match ask {
            WithCard::Balance { card } => with(card, &|t, card| t.balance(card)),
            WithCard::Sale { card, amount, partial } => with(card, &|t, card| {
                if *partial {
                    t.profile_mut().partial = PartialApproval::Understood;
                }
                t.sale(card, *amount)
            }),
            WithCard::PreAuth { card, amount } => with(card, &|t, card| t.pre_auth(card, *amount)),
            WithCard::Points { card } => with(card, &|t, card| t.points(card)),
            WithCard::PointsSale { card, points, scheme, product } => {
                let scheme = scheme.scheme();
                with(card, &|t, card| t.points_sale(card, *points, scheme, product))
            }
            WithCard::MotoSale { card, amount, check } => {
                let check = holder(check.as_ref())?;
                with(card, &|t, card| t.moto_sale(card, *amount, &check))
            }
            WithCard::VerifyAccount { card, document } => {
                let document = shown(document.as_ref())?;
                with(card, &|t, card| t.verify_account(card, &document))
            }
            WithCard::Activate { card } => with(card, &|t, card| t.activate(card)),
            WithCard::ChangePin { card, new_pin } => {
                let new = new_pin.get()?;
                with(card, &|t, card| t.change_pin(card, new))
            }
        }
    }

    /// Requests about money that is held.
    fn ask_of_hold(&self, station: &mut Station, ask: &OfHold) -> Result<Exchange, Failure> {
        let (OfHold::AddPreAuth { hold: args, .. }
        | OfHold::PreAuthVoid { hold: args, .. }
        | OfHold::Complete { hold: args, .. }) = ask;
        let (hold, slip) = held(station, args)?;
        let presented = self.presented_or(args, slip.as_ref())?;
        Ok(station.ask(|terminal| match ask {
            OfHold::AddPreAuth { amount, .. } => terminal.add_pre_auth(&hold, &presented, *amount),
            OfHold::Complete { amount, .. } => terminal.complete(&hold, &presented, *amount),
            OfHold::PreAuthVoid { held: Some(held), .. } => {
                terminal.void_pre_auth(&hold, &presented, *held)
            }
            OfHold::PreAuthVoid { held: None, hold: HoldArgs { of: Some(of), .. } } => {
                terminal.void(*of, Some(&presented))
            }
            OfHold::PreAuthVoid { held: None, hold: HoldArgs { of: None, .. } } => {
                Err(TerminalError::NoAuthCode)
            }
        })?)
    }

    fn top_up(
        &self,
        station: &mut Station,
        card: &CardArgs,
        amount: Fen,
        document: Option<&Quiet<IdDocument>>,
    ) -> Result<Done, Failure> {
        let presented = self.presented(card)?;
        let document = shown(document)?;
        let verified = station.ask(|terminal| terminal.verify_account(&presented, &document))?;
        if !verified.reply.is_success() {
            return Ok(Done::of(verified));
        }
        let exchanges = station.top_up(&presented, amount, &document)?;
        let is_success = exchanges.last().is_some_and(|last| last.reply.is_success());
        Ok(Done { before: vec![verified], exchanges, is_success, receipt: None })
    }

    fn pay(&self, station: &mut Station, args: &PayArgs) -> Result<Done, Failure> {
        let mut tenders = Vec::new();
        for tender in &args.tenders {
            let tender = tender.get()?;
            let (card, pin) = (&tender.card, tender.pin.as_ref());
            let expiry = self.expiry(card, None);
            tenders.push(Tender::Card(Presented { card, expiry, entry: Entry::Stripe, pin }));
        }
        tenders.extend(args.cash.then_some(Tender::Cash));
        let mut receipt = station.pay(args.amount, &tenders);
        let exchanges = std::mem::take(&mut receipt.exchanges);
        let is_success = receipt.is_paid;
        Ok(Done { exchanges, is_success, receipt: Some(receipt), ..Done::default() })
    }

    pub(super) fn presented<'c>(&self, args: &'c CardArgs) -> Result<Presented<'c>, Failure> {
        let card = args.card.get()?;
        let pin = args.pin.as_ref().map(Quiet::get).transpose()?;
        let expiry = self.expiry(card, args.expiry);
        Ok(Presented { card, expiry, entry: read_by(args.entry), pin })
    }

    fn presented_or<'c>(
        &self,
        args: &'c HoldArgs,
        slip: Option<&'c Slip>,
    ) -> Result<Presented<'c>, Failure> {
        let pin = args.pin.as_ref().map(Quiet::get).transpose()?;
        let entry = read_by(args.entry);
        let (card, expiry) = self.card_or(args.card.as_ref(), args.expiry, slip)?;
        Ok(Presented { card, expiry, entry, pin })
    }

    /// The card that is named, else that of the slip; and its expiry date.
    fn card_or<'c>(
        &self,
        card: Option<&'c Quiet<CardNumber>>,
        expiry: Option<Expiry>,
        slip: Option<&'c Slip>,
    ) -> Result<(&'c CardNumber, Option<Expiry>), Failure> {
        let of_slip = slip.map(|slip| &slip.imprint.card);
        let card = card.map(Quiet::get).transpose()?.or(of_slip);
        let card = card.ok_or_else(|| Failure::Usage("--card is missing".to_owned()))?;
        Ok((card, self.expiry(card, expiry)))
    }

    fn refund(
        &self,
        station: &mut Station,
        args: &RefundArgs,
        check: Option<&HolderCheck>,
    ) -> Result<Exchange, Failure> {
        let slip = args.of.map(|of| slip(station, of)).transpose()?;
        let original = match (&slip, &args.rrn, args.batch, args.stan) {
            (Some(slip), ..) => Original::of(slip),
            (None, Some(rrn), Some(batch), Some(stan)) => {
                let date = date_or_zeros(args.date)?;
                Original { rrn: rrn.clone(), auth: args.auth.clone(), batch, stan, date }
            }
            (None, ..) => return Err(Failure::Usage("which sale is to be refunded?".to_owned())),
        };
        let (card, expiry) = self.card_or(args.card.as_ref(), args.expiry, slip.as_ref())?;
        let presented = Presented { card, expiry, entry: read_by(args.entry), pin: None };
        Ok(station.ask(|terminal| match check {
            Some(check) => terminal.moto_refund(&original, &presented, args.amount, check),
            None => terminal.refund(&original, &presented, args.amount),
        })?)
    }
}

fn act_plainly(station: &mut Station, plain: &Plain) -> Result<Done, Failure> {
    let exchange = match plain {
        Plain::SignOn { ask } => {
            let usual = SignOn::for_layout(station.terminal.setup().layout);
            station.ask(|terminal| terminal.sign_on(ask.unwrap_or(usual)))?
        }
        Plain::SignOff => station.ask(Terminal::sign_off)?,
        Plain::Echo => station.ask(Terminal::echo)?,
        Plain::Tell => {
            let exchanges = station.tell()?;
            let is_success = !station.terminal.has_notices_due();
            return Ok(Done { exchanges, is_success, ..Done::default() });
        }
        Plain::Settle => {
            let settled = station.settle()?;
            let is_success = settled.reconciled == Some(Reconciled::Balanced)
                && settled.exchanges.last().is_some_and(|last| last.reply.is_success());
            let (before, exchanges) = (settled.notices, settled.exchanges);
            return Ok(Done { before, exchanges, is_success, receipt: None });
        }
    };
    Ok(Done::of(exchange))
}

/// Undoes what a slip says, if it is of a kind that the word means.
fn undo_slip(station: &mut Station, undo: &Undo) -> Result<Exchange, Failure> {
    let (of, kinds): (Stan, &[SlipKind]) = match undo {
        Undo::Reverse { of } => {
            return Ok(station.ask(|terminal| terminal.reverse(*of, Reason::Trouble))?);
        }
        Undo::Void { of } => (*of, &[]),
        Undo::CompletionVoid { of } => (*of, &[SlipKind::Completion, SlipKind::CompletionAdvice]),
        Undo::PointsVoid { of } => (*of, &[SlipKind::PointsSale]),
        Undo::MotoVoid { of } => (*of, &[SlipKind::MotoSale]),
    };
    let kind = slip(station, of)?.kind;
    if !kinds.is_empty() && !kinds.contains(&kind) {
        return Err(StationError::from(TerminalError::OtherKind(kind)).into());
    }
    Ok(station.ask(|terminal| terminal.void(of, None))?)
}

/// Tells the host what it has not been told, and so what was decided just now, with this trace
/// number.
fn tell(station: &mut Station, stan: Stan) -> Result<Done, Failure> {
    let told = station.tell()?;
    let is_it = |exchange: &Exchange| exchange.reply.stan == Some(stan);
    let (exchanges, before): (Vec<_>, Vec<_>) = told.into_iter().partition(is_it);
    let is_taken = |exchange: &Exchange| {
        exchange.reply.is_success() || exchange.reply.code == Some(Code::DUPLICATE)
    };
    let is_success = exchanges.first().is_some_and(is_taken);
    Ok(Done { before, exchanges, is_success, receipt: None })
}

/// True if what was done first leaves nothing in the way.
fn is_ready(station: &Station, last: &Exchange) -> bool {
    let terminal = &station.terminal;
    let owes = terminal.owed().is_some() || terminal.confirmation_owed().is_some();
    terminal.is_signed_on() && !owes && last.reply.code.is_some()
}

fn slip(station: &Station, of: Stan) -> Result<Slip, Failure> {
    let slip = station.terminal.slip(of).cloned();
    Ok(slip.ok_or(StationError::Terminal(TerminalError::NoSuchSlip(of)))?)
}

/// What the command line says is held, and the slip that says so too.
fn held(station: &Station, args: &HoldArgs) -> Result<(Hold, Option<Slip>), Failure> {
    let Some(of) = args.of else {
        let auth = args.auth.clone();
        let auth = auth.ok_or_else(|| Failure::Usage("--of or --auth is missing".to_owned()))?;
        let date = date_or_zeros(args.date)?;
        return Ok((Hold { auth, rrn: None, at: None, date }, None));
    };
    let slip = slip(station, of)?;
    if slip.kind != SlipKind::PreAuth {
        return Err(StationError::from(TerminalError::OtherKind(slip.kind)).into());
    }
    let hold = Hold::of(&slip).ok_or(StationError::Terminal(TerminalError::NoAuthCode))?;
    Ok((hold, Some(slip)))
}

fn date_or_zeros(date: Option<Digits<4>>) -> Result<Digits<4>, Failure> {
    let date = date.or_else(|| Digits::new(b"0000"));
    date.ok_or_else(|| Failure::Usage("no date".to_owned()))
}

fn holder(check: Option<&Quiet<HolderCheck>>) -> Result<HolderCheck, Failure> {
    Ok(check.map(Quiet::get).transpose()?.cloned().unwrap_or_default())
}

fn shown(document: Option<&Quiet<IdDocument>>) -> Result<IdDocument, Failure> {
    Ok(document.map(Quiet::get).transpose()?.cloned().unwrap_or_default())
}
