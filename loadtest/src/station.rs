//! A terminal at its line: what it does of its own accord, and one request after another.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::audit::{History, Key};
use crate::code::Code;
use crate::fen::Fen;
use crate::line::{Frame, Line, LineError};
use crate::secret::IdDocument;
use crate::terminal::{
    Imprint, Presented, Reconciled, Reply, SignOn, StateError, Terminal, TerminalError, Totals,
};

/// A terminal and the line to its host. The line stays open between requests and is opened again
/// when it has closed.
pub struct Station {
    /// The terminal.
    pub terminal: Terminal,
    history: History,
    address: SocketAddr,
    timeout: Duration,
    line: Option<Line>,
    state_file: Option<PathBuf>,
}

/// One request and its answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exchange {
    /// The request, its length in front.
    pub sent: Frame,
    /// The answer, without its length.
    pub received: Frame,
    /// What the terminal made of it.
    pub reply: Reply,
}

/// How a settlement went.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settlement {
    /// What the host says of the totals; `None` if it says nothing.
    pub reconciled: Option<Reconciled>,
    /// What the host had to be told first.
    pub notices: Vec<Exchange>,
    /// The totals, the uploads and the end, in order.
    pub exchanges: Vec<Exchange>,
}

/// What a request is about.
enum Subject {
    /// The transaction it asks for.
    Asked(Key),
    /// The transaction that its terminal owes a reversal of.
    Reversing(Key),
}

/// Why a request was not sent, or was not answered.
#[derive(Debug, thiserror::Error)]
pub enum StationError {
    /// The terminal refuses the request, or the answer.
    #[error(transparent)]
    Terminal(#[from] TerminalError),
    /// Nothing was sent: the host cannot be reached.
    #[error("the host cannot be reached: {0}")]
    Unreachable(#[source] LineError),
    /// The request was sent, and no answer came. The request stands here, its length in front.
    #[error("no answer: {error}")]
    NoAnswer {
        /// The request.
        sent: Frame,
        /// Why.
        error: LineError,
    },
}

impl Station {
    /// A terminal that will talk to the host at `address`, and waits `timeout` for each answer.
    #[must_use]
    pub const fn new(terminal: Terminal, address: SocketAddr, timeout: Duration) -> Self {
        let history = History::new();
        Self { terminal, history, address, timeout, line: None, state_file: None }
    }

    /// Keeps the terminal's state in a file: before a request is sent, so that a reversal is owed
    /// even if nobody is left to see that no answer comes, and after its answer.
    pub fn keep_in(&mut self, path: PathBuf) {
        self.state_file = Some(path);
    }

    /// Lets the terminal decide something for itself, and keeps its state.
    ///
    /// # Errors
    /// What the terminal refuses, or that its state cannot be kept.
    pub fn note<T>(
        &mut self,
        decision: impl FnOnce(&mut Terminal) -> Result<T, TerminalError>,
    ) -> Result<T, StationError> {
        let decided = decision(&mut self.terminal)?;
        self.save()?;
        Ok(decided)
    }

    /// What the terminal saw of its transactions.
    #[must_use]
    pub const fn history(&self) -> &History {
        &self.history
    }

    /// Makes one request and waits for its answer. If none comes, the terminal knows.
    ///
    /// # Errors
    /// [`StationError`]; before `request` is called, the line is open.
    pub fn ask(
        &mut self,
        request: impl FnOnce(&mut Terminal) -> Result<Vec<u8>, TerminalError>,
    ) -> Result<Exchange, StationError> {
        let mut line = self.take_line()?;
        let sent = request(&mut self.terminal)?;
        let subject = self.note_request();
        self.save()?;
        let answered = line.send(&sent).and_then(|()| self.answer_on(&mut line));
        let outcome = match answered {
            Ok(Ok((received, reply))) => {
                self.line = Some(line);
                self.note_answer(subject, &reply);
                let (sent, received) = (sent.into(), received.into());
                Ok(Exchange { sent, received, reply })
            }
            Ok(Err(error)) => Err(error.into()),
            Err(error) => {
                self.terminal.on_timeout();
                Err(StationError::NoAnswer { sent: sent.into(), error })
            }
        };
        self.save()?;
        outcome
    }

    /// Makes one request, and closes the line when the answer is there, without reading it.
    ///
    /// # Errors
    /// [`StationError::Unreachable`], and what the terminal refuses. That no answer came is no
    /// error here.
    pub fn lose(
        &mut self,
        request: impl FnOnce(&mut Terminal) -> Result<Vec<u8>, TerminalError>,
    ) -> Result<Vec<u8>, StationError> {
        let mut line = self.take_line()?;
        let sent = request(&mut self.terminal)?;
        self.note_request();
        self.save()?;
        let heard = line.send(&sent).and_then(|()| line.hear());
        self.terminal.on_timeout();
        self.save()?;
        match heard {
            Ok(()) => Ok(sent),
            Err(error) => Err(StationError::NoAnswer { sent: sent.into(), error }),
        }
    }

    /// Sends bytes as they are, and returns the next frame that comes. The terminal knows nothing
    /// of it.
    ///
    /// # Errors
    /// [`StationError::Unreachable`] and [`StationError::NoAnswer`].
    pub fn send_past_terminal(&mut self, sent: &[u8]) -> Result<Vec<u8>, StationError> {
        let mut line = self.take_line()?;
        let received = line.send(sent).and_then(|()| line.receive());
        let received = received
            .map_err(|error| StationError::NoAnswer { sent: sent.to_vec().into(), error })?;
        self.line = Some(line);
        Ok(received)
    }

    /// Does what must be done before a request that needs keys: signs on if there are no keys or
    /// the host wants it, sends an owed reversal, confirms a top-up.
    ///
    /// # Errors
    /// [`StationError`].
    pub fn make_ready(&mut self) -> Result<Vec<Exchange>, StationError> {
        let mut exchanges = Vec::new();
        let mut must_sign_on = !self.terminal.is_signed_on() || self.terminal.wants_sign_on();
        loop {
            if must_sign_on {
                let ask = SignOn::for_layout(self.terminal.setup().layout);
                exchanges.push(self.ask(|terminal| terminal.sign_on(ask))?);
            }
            if !self.terminal.is_signed_on() {
                break;
            }
            let debt = if self.terminal.owed().is_some() {
                self.ask(Terminal::reversal)?
            } else if self.terminal.confirmation_owed().is_some() {
                self.ask(Terminal::confirm)?
            } else {
                break;
            };
            // Keys that do not match must not use up the tries.
            must_sign_on = debt.reply.code == Some(Code::MAC_WRONG);
            exchanges.push(debt);
        }
        Ok(exchanges)
    }

    /// Tells the host what it has not been told, as far as it answers.
    ///
    /// # Errors
    /// [`StationError`]; a notice that is not answered is kept, to be told again.
    pub fn tell(&mut self) -> Result<Vec<Exchange>, StationError> {
        let mut exchanges = Vec::new();
        while self.terminal.has_notices_due() {
            let told = self.ask(Terminal::notice)?;
            let must_wait = told.reply.code.is_some_and(Code::is_of_the_moment);
            exchanges.push(told);
            if must_wait {
                break;
            }
        }
        Ok(exchanges)
    }

    /// Puts cash onto the card that was verified last. If nobody sees the outcome, the top-up is
    /// confirmed, until the host answers or a person must ask.
    ///
    /// # Errors
    /// [`StationError`]; the terminal says whether a confirmation is still owed.
    pub fn top_up(
        &mut self,
        presented: &Presented<'_>,
        amount: Fen,
        document: &IdDocument,
    ) -> Result<Vec<Exchange>, StationError> {
        let mut exchanges = Vec::new();
        let mut silence = None;
        match self.ask(|terminal| terminal.top_up(presented, amount, document)) {
            Ok(exchange) => exchanges.push(exchange),
            Err(error) => silence = Some(error),
        }
        while self.terminal.confirmation_owed().is_some() {
            match self.ask(Terminal::confirm) {
                Ok(exchange) => exchanges.push(exchange),
                Err(error @ StationError::Unreachable(_)) => return Err(error),
                Err(error) => silence = Some(error),
            }
        }
        // An answer to a confirmation is as good as one to the top-up.
        match silence {
            Some(error) if exchanges.is_empty() => Err(error),
            Some(_) | None => Ok(exchanges),
        }
    }

    /// Settles the open batch: what the host must be told first, totals, the uploads that the
    /// answer asks for, the end.
    ///
    /// # Errors
    /// [`StationError`].
    pub fn settle(&mut self) -> Result<Settlement, StationError> {
        self.settle_with(Terminal::totals)
    }

    /// The same with totals that may not be those of the slips.
    ///
    /// # Errors
    /// [`StationError`].
    pub fn settle_claiming(&mut self, totals: Totals) -> Result<Settlement, StationError> {
        self.settle_with(|_| totals)
    }

    fn settle_with(
        &mut self,
        totals: impl FnOnce(&Terminal) -> Totals,
    ) -> Result<Settlement, StationError> {
        let notices = self.tell()?;
        // What the host did not take counts nowhere.
        let totals = totals(&self.terminal);
        let first = self.ask(|terminal| terminal.settle_claiming(&totals))?;
        let reconciled = first.reply.reconciled;
        let mut exchanges = vec![first];
        if matches!(reconciled, Some(Reconciled::Balanced | Reconciled::Unbalanced)) {
            while self.terminal.must_upload() {
                let sent = self.terminal.details_sent();
                exchanges.push(self.ask(Terminal::upload)?);
                if self.terminal.details_sent() == sent {
                    return Ok(Settlement { notices, reconciled, exchanges });
                }
            }
            exchanges.push(self.ask(Terminal::end_upload)?);
        }
        Ok(Settlement { notices, reconciled, exchanges })
    }

    /// Closes the line.
    pub fn hang_up(&mut self) {
        self.line = None;
    }

    fn key(&self, imprint: &Imprint) -> Key {
        let terminal = self.terminal.setup().id;
        Key { terminal, batch: imprint.batch, stan: imprint.stan }
    }

    fn note_request(&mut self) -> Option<Subject> {
        if let Some((kind, imprint)) = self.terminal.under_way() {
            let (key, amount) = (self.key(imprint), imprint.amount);
            self.history.asked(key, kind, amount);
            return Some(Subject::Asked(key));
        }
        let owed = self.terminal.owed()?;
        let key = self.key(&owed.imprint);
        self.history.reversing(key);
        Some(Subject::Reversing(key))
    }

    fn note_answer(&mut self, subject: Option<Subject>, reply: &Reply) {
        match subject {
            Some(Subject::Asked(key)) => self.history.told(key, reply),
            Some(Subject::Reversing(key)) if reply.mti.as_bytes() == b"0410" => {
                let stands = reply.code == Some(Code(*b"12"));
                if !stands && reply.code.is_some_and(Code::ends_reversal) {
                    self.history.reversed(key);
                }
            }
            Some(Subject::Reversing(_)) | None => {}
        }
    }

    fn save(&self) -> Result<(), TerminalError> {
        let kept = self.state_file.as_ref().map_or(Ok(()), |path| self.terminal.state().save(path));
        kept.map_err(|error| match error {
            StateError::Io(error) => TerminalError::NotKept(error.kind()),
            // What is written is not read here.
            StateError::Malformed { .. } => TerminalError::NotKept(ErrorKind::InvalidData),
        })
    }

    fn take_line(&mut self) -> Result<Line, StationError> {
        match self.line.take() {
            Some(line) => Ok(line),
            None => Line::open(self.address, self.timeout).map_err(StationError::Unreachable),
        }
    }

    /// Waits for the answer to what is under way, past what belongs to something else.
    fn answer_on(
        &mut self,
        line: &mut Line,
    ) -> Result<Result<(Vec<u8>, Reply), TerminalError>, LineError> {
        loop {
            let frame = line.receive()?;
            match self.terminal.on_frame(&frame) {
                Err(TerminalError::NotMine(_) | TerminalError::Unreadable(_)) => {}
                Err(error) => return Ok(Err(error)),
                Ok(reply) => return Ok(Ok((frame, reply))),
            }
        }
    }
}
