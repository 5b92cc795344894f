//! What a terminal decides itself and tells the host, again and again until it is answered.

use serde::{Deserialize, Serialize};

use super::ask::{Entry, Presented};
use super::chip;
use super::content::Draft;
use super::kind::{ADJUSTMENT, Row, SlipKind, TIP};
use super::reply::Reply;
use super::request::Kept;
use super::slip::{self, Digits, Imprint, Reference, Slip, SlipState};
use super::trade::{Done, draft_of, typed};
use super::{Awaiting, Kind, Link, Terminal, TerminalError};
use crate::code::Code;
use crate::fen::Fen;
use crate::ids::Stan;

/// How often a notice is told before the terminal leaves it to the upload of its batch.
const TRIES_MAX: u8 = 3;

/// What a notice is about.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// A transaction with a slip of its own.
    Slip(SlipKind),
    /// Another amount of an offline sale.
    Adjustment,
    /// A tip on a sale.
    Tip,
    /// The card carried out a script of its issuer.
    Script,
}

impl About {
    /// Its row; a script's notice repeats what its transaction said.
    const fn row(self) -> Option<Row> {
        match self {
            Self::Slip(kind) => Some(kind.row()),
            Self::Adjustment => Some(ADJUSTMENT),
            Self::Tip => Some(TIP),
            Self::Script => None,
        }
    }

    const fn has_company(self) -> bool {
        match self {
            Self::Slip(kind) => !kind.is_completion(),
            Self::Adjustment | Self::Tip => true,
            Self::Script => false,
        }
    }
}

/// Something the host must be told.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Notice {
    /// What it is about.
    pub about: About,
    /// What it says.
    pub imprint: Imprint,
    condition: Digits<2>,
    pub(super) reference: Reference,
    /// Field 48: the tip; zeros if another amount has none.
    f48: Option<String>,
    #[serde(default, with = "slip::hex", skip_serializing_if = "Option::is_none")]
    f55: Option<Vec<u8>>,
    /// How often it was told in vain.
    tries: u8,
    /// The slip whose amount it changes.
    of: Option<Stan>,
    /// Amount and tip of that slip before.
    before: Option<(Fen, Option<Fen>)>,
}

impl Notice {
    const fn is_due(&self) -> bool {
        self.tries < TRIES_MAX
    }
}

impl Terminal {
    /// Sells without asking, because somebody agreed in another way: by telephone, with the
    /// authorisation code `auth`, or below a limit. [`Terminal::notice`] tells the host.
    ///
    /// # Errors
    /// [`TerminalError::NotSignedOn`], [`TerminalError::Busy`], or that the request cannot be
    /// written.
    pub fn sell_offline(
        &mut self,
        presented: &Presented<'_>,
        amount: Fen,
        auth: Option<&str>,
    ) -> Result<Stan, TerminalError> {
        let kind = SlipKind::OfflineSale;
        let auth = auth.map(str::to_owned);
        // It refers to nothing, was agreed to at the terminal, and by no institution.
        let f61 = Some("0".repeat(29));
        let reference = Reference { rrn: None, auth, f61 };
        let draft = Draft { reference, ..draft_of(kind, presented, amount) };
        let notice = self.draft_notice(About::Slip(kind), draft)?;
        Ok(self.file_notice(kind, Link::default(), notice))
    }

    /// Sells from the money on a chip. [`Terminal::notice`] tells the host.
    ///
    /// # Errors
    /// As [`Terminal::sell_offline`], and [`TerminalError::NeedsChip`].
    pub fn sell_from_chip(
        &mut self,
        presented: &Presented<'_>,
        amount: Fen,
    ) -> Result<Stan, TerminalError> {
        if !matches!(presented.entry, Entry::Chip(_)) {
            return Err(TerminalError::NeedsChip);
        }
        let kind = SlipKind::ECash;
        let draft = draft_of(kind, presented, amount);
        let mut notice = self.draft_notice(About::Slip(kind), draft)?;
        notice.f55 = notice.f55.map(chip::e_cash);
        notice.imprint.f55.clone_from(&notice.f55);
        Ok(self.file_notice(kind, Link::default(), notice))
    }

    /// Gives an offline sale of the open batch another amount, `tip` being part of it.
    /// [`Terminal::notice`] tells the host.
    ///
    /// # Errors
    /// As [`Terminal::sell_offline`], [`TerminalError::NoSuchSlip`],
    /// [`TerminalError::OtherKind`], [`TerminalError::DoesNotStand`] and
    /// [`TerminalError::TipAboveAmount`].
    pub fn adjust(
        &mut self,
        of: Stan,
        amount: Fen,
        tip: Option<Fen>,
    ) -> Result<Stan, TerminalError> {
        self.change_amount(About::Adjustment, of, amount, tip)
    }

    /// Adds a tip to a sale of the open batch: `amount` is what its holder pays in all.
    /// [`Terminal::notice`] tells the host.
    ///
    /// # Errors
    /// As [`Terminal::adjust`].
    pub fn tip(&mut self, of: Stan, amount: Fen, tip: Fen) -> Result<Stan, TerminalError> {
        self.change_amount(About::Tip, of, amount, Some(tip))
    }

    fn change_amount(
        &mut self,
        about: About,
        of: Stan,
        amount: Fen,
        tip: Option<Fen>,
    ) -> Result<Stan, TerminalError> {
        let row = about.row().unwrap_or(ADJUSTMENT);
        let slip = self.slips.get(&of).ok_or(TerminalError::NoSuchSlip(of))?.clone();
        let fits = slip.kind == SlipKind::OfflineSale
            || about == About::Tip && slip.kind == SlipKind::Sale;
        if !fits {
            return Err(TerminalError::OtherKind(slip.kind));
        }
        if slip.state != SlipState::Approved {
            return Err(TerminalError::DoesNotStand);
        }
        if tip.is_some_and(|tip| tip > amount) {
            return Err(TerminalError::TipAboveAmount);
        }
        let Slip { imprint, rrn, auth, date, .. } = &slip;
        let reference = Reference {
            rrn: Some(rrn.clone()).filter(|rrn| !rrn.is_empty()),
            auth: auth.clone(),
            // Of the open batch, agreed to at the terminal, by no institution in particular.
            f61: Some(format!("{}{}{date}{:013}", imprint.batch, imprint.stan, 0)),
        };
        let f48 = Some(format!("{:012}", tip.map_or(0, |tip| tip.0)).into_bytes());
        let draft =
            Draft { reference, f48, amount: Some(amount), ..Draft::new(row, &typed(&slip)) };
        let notice = self.draft_notice(about, draft)?;
        let stan = notice.imprint.stan;
        let before = Some((slip.imprint.amount, slip.tip));
        self.notices.push(Notice { of: Some(of), before, ..notice });
        if let Some(slip) = self.slips.get_mut(&of) {
            slip.asked.get_or_insert(slip.imprint.amount);
            slip.imprint.amount = amount;
            slip.tip = tip;
        }
        Ok(stan)
    }

    /// Makes a notice, with a trace number of its own.
    pub(super) fn draft_notice(
        &mut self,
        about: About,
        draft: Draft<'_>,
    ) -> Result<Notice, TerminalError> {
        self.must_be_idle()?;
        let content = self.content_to_keep(draft)?;
        let stan = self.take_stan();
        let imprint = content.imprint(stan, self.batch);
        if imprint.has_sequence {
            self.chip_count = self.chip_count.saturating_add(1);
        }
        let f48 = content.f48.map(|digits| String::from_utf8_lossy(&digits).into_owned());
        Ok(Notice {
            about,
            imprint,
            condition: Digits(content.condition),
            reference: content.reference,
            f48,
            f55: content.chip,
            tries: 0,
            of: None,
            before: None,
        })
    }

    /// Notes that the card of a chip transaction carried out a script of its issuer.
    pub(super) fn note_script(&mut self, slip: &Slip) {
        let Slip { kind, imprint, rrn, auth, date, .. } = slip;
        let Some(f55) = &imprint.f55 else { return };
        let readers = imprint.f60.get(11..13).unwrap_or("60");
        let reference = Reference {
            rrn: Some(rrn.clone()).filter(|rrn| !rrn.is_empty()),
            auth: auth.clone(),
            f61: Some(format!("{}{}{date}", imprint.batch, imprint.stan)),
        };
        let f60 = format!("00{}951{readers}", imprint.batch);
        let script = chip::script_notice(f55);
        let imprint = Imprint { stan: self.take_stan(), f60, f55: None, ..imprint.clone() };
        self.notices.push(Notice {
            about: About::Script,
            imprint,
            condition: Digits(*kind.row().condition),
            reference,
            f48: None,
            f55: Some(script),
            tries: 0,
            of: None,
            before: None,
        });
    }

    /// What the host has not been told yet, the oldest first.
    pub fn notices(&self) -> impl Iterator<Item = &Notice> {
        self.notices.iter()
    }

    /// True if there is something to tell that has not been tried too often.
    #[must_use]
    pub fn has_notices_due(&self) -> bool {
        self.notices.iter().any(Notice::is_due)
    }

    /// Tells the host the first thing that it has not been told; what money depends on goes before
    /// what cards did with scripts.
    ///
    /// # Errors
    /// [`TerminalError::NothingOwed`] unless [`Terminal::has_notices_due`];
    /// [`TerminalError::NotSignedOn`], [`TerminalError::ReversalOwed`],
    /// [`TerminalError::ConfirmationOwed`], [`TerminalError::Busy`], or that the request cannot be
    /// written.
    pub fn notice(&mut self) -> Result<Vec<u8>, TerminalError> {
        self.must_be_free()?;
        let mut due = self.notices.iter().filter(|notice| notice.is_due());
        let first = due.clone().find(|notice| notice.about != About::Script);
        let notice = first.or_else(|| due.next()).ok_or(TerminalError::NothingOwed)?;
        let imprint = &notice.imprint;
        let mti = notice.about.row().map_or(b"0620", |row| row.mti);
        let kept = Kept {
            mti,
            condition: notice.condition.as_bytes(),
            imprint,
            reference: &notice.reference,
            f48: notice.f48.as_deref(),
            f55: notice.f55.as_deref(),
            f60: &imprint.f60,
            f62: None,
            has_company: notice.about.has_company(),
        };
        let mut frame = Vec::new();
        self.write_kept(&mut frame, &kept)?;
        Ok(self.await_answer(Awaiting {
            kind: Kind::Notice(imprint.stan),
            mti: *mti,
            stan: Some(imprint.stan),
            processing: Some(*imprint.processing.as_bytes()),
            amount: Some(imprint.amount),
            frame,
        }))
    }

    /// A notice was told in vain.
    pub(super) fn told_in_vain(&mut self, stan: Stan) {
        let found = self.notices.iter_mut().find(|notice| notice.imprint.stan == stan);
        if let Some(notice) = found {
            notice.tries = notice.tries.saturating_add(1);
        }
    }

    /// A notice was answered.
    pub(super) fn conclude_notice(&mut self, stan: Stan, reply: &Reply) {
        let Some(code) = reply.code else { return };
        // A copy was there before: that is as good.
        let is_taken = code.is_success() || code == Code::DUPLICATE;
        if !is_taken && code.is_of_the_moment() {
            self.told_in_vain(stan);
            return;
        }
        let place = self.notices.iter().position(|notice| notice.imprint.stan == stan);
        let Some(place) = place else { return };
        let notice = self.notices.remove(place);
        match notice.about {
            About::Slip(_) => self.conclude_slip(stan, reply, is_taken),
            About::Adjustment | About::Tip if !is_taken => {
                let slip = notice.of.and_then(|of| self.slips.get_mut(&of));
                if let (Some(slip), Some((amount, tip))) = (slip, notice.before) {
                    slip.imprint.amount = amount;
                    slip.tip = tip;
                }
            }
            About::Adjustment | About::Tip | About::Script => {}
        }
    }

    fn conclude_slip(&mut self, stan: Stan, reply: &Reply, is_taken: bool) {
        let Some(slip) = self.slips.get_mut(&stan) else { return };
        if is_taken {
            slip.rrn = reply.rrn.clone().unwrap_or_default();
            slip.date = reply.date.unwrap_or(slip.date);
            slip.auth = reply.auth_code.clone().or(slip.auth.take());
            return;
        }
        slip.state = SlipState::Refused;
        let slip = slip.clone();
        self.follow(slip.kind, &slip.link(), &slip.imprint.card, Done::Undone);
    }
}
