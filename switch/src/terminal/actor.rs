//! The actor of one connection: a socket, a mailbox, a clock, and a session that decides.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll, Waker};
use std::time::Duration;

use actix::fut::ActorFuture;
use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Message};
use codec::framing::{self, Limits};
use domain::shard::Answer;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::listener::{Lines, Place};
use super::session::{Action, Session};
use crate::account::{Accounts, Envelope, ReplyTo};
use crate::clock::Clock;
use crate::facts::Facts;
use crate::telemetry::LineMeter;

/// The answer of a shard to a question of this line; `None` if it was not decided.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Decided {
    /// The number of the question.
    pub token: u64,
    /// The answer.
    pub answer: Option<Answer>,
}

/// The node goes to rest: answer what is in flight, take nothing more.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Rest;

/// What a line may do.
#[derive(Clone, Debug)]
pub struct LineRules {
    /// The bounds of a frame.
    pub frame: Limits,
    /// How long a frame may take from its first byte to its last.
    pub frame_deadline: Duration,
    /// How long a fresh line may be silent.
    pub idle: Duration,
    /// How long an answer may wait for its reader.
    pub write_deadline: Duration,
    /// Requests without an answer, beyond which nothing more is read.
    pub in_flight_max: usize,
}

/// What a line needs of its node.
#[derive(Clone)]
pub struct LineParts {
    /// What requests are judged by.
    pub facts: Arc<Facts>,
    /// Where commands go.
    pub accounts: Accounts,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What it may do.
    pub rules: Arc<LineRules>,
    /// The lines that are open.
    pub lines: Lines,
}

/// Owns one connection.
pub struct TerminalActor {
    parts: LineParts,
    session: Session,
    meter: LineMeter,
    place: Place,
    read: Option<OwnedReadHalf>,
    write: OwnedWriteHalf,
    /// Bytes of frames that are not complete, or wait for room in flight.
    unread: Vec<u8>,
    /// Bytes that the socket has not taken.
    unsent: Vec<u8>,
    reader: Option<Waker>,
    frames: u64,
    is_resting: bool,
    closed: &'static str,
}

impl TerminalActor {
    /// Returns the actor of the line that took `place`.
    #[must_use]
    pub fn new(place: Place, stream: TcpStream, parts: LineParts) -> Self {
        let (read, write) = stream.into_split();
        let meter = parts.facts.telemetry.lines();
        Self {
            session: Session::new(Arc::clone(&parts.facts)),
            parts,
            meter,
            place,
            read: Some(read),
            write,
            unread: Vec::new(),
            unsent: Vec::new(),
            reader: None,
            frames: 0,
            is_resting: false,
            closed: "peer",
        }
    }

    fn is_full(&self) -> bool {
        self.session.in_flight() >= self.parts.rules.in_flight_max
    }

    /// Does what the session wants, and sends what it has to say in one go.
    fn perform(&mut self, ctx: &mut Context<Self>) {
        let had_unsent = !self.unsent.is_empty();
        while let Some(action) = self.session.next_action() {
            match action {
                Action::Send(frame) if self.unsent.is_empty() => self.unsent = frame,
                Action::Send(frame) => self.unsent.extend_from_slice(&frame),
                Action::WakeAfter(time, token) => {
                    ctx.run_later(time, move |line, ctx| {
                        line.session.on_wake(line.parts.clock.now(), token);
                        line.perform(ctx);
                    });
                }
                Action::Ask(question) => {
                    let reply = ReplyTo::Line(ctx.address(), question.token);
                    let (shard, command, guard) =
                        (question.shard, question.command, question.guard);
                    let envelope = Envelope { shard, command, guard, reply };
                    if self.parts.accounts.ask(envelope).is_err() {
                        self.session.on_refused(self.parts.clock.now(), question.token);
                    }
                }
            }
        }
        if !had_unsent && !self.unsent.is_empty() {
            self.send(ctx);
        }
        if !self.is_full()
            && let Some(reader) = self.reader.take()
        {
            reader.wake();
        }
        self.rest_if_done(ctx);
    }

    /// Gives the socket what it takes; the rest goes as it drains.
    fn send(&mut self, ctx: &mut Context<Self>) {
        match self.write.try_write(&self.unsent) {
            Ok(sent) if sent == self.unsent.len() => self.unsent.clear(),
            Ok(sent) => {
                self.unsent.drain(..sent);
                self.flush(ctx);
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => self.flush(ctx),
            Err(_lost) => self.close(ctx, "peer"),
        }
    }

    fn flush(&mut self, ctx: &mut Context<Self>) {
        ctx.spawn(Flush);
        let (deadline, frames) = (self.parts.rules.write_deadline, self.unsent.len());
        ctx.run_later(deadline, move |line, ctx| {
            if frames > 0 && !line.unsent.is_empty() {
                line.meter.bad_frame("SLOW_READER");
                line.close(ctx, "SLOW_READER");
            }
        });
    }

    fn close(&mut self, ctx: &mut Context<Self>, reason: &'static str) {
        self.closed = reason;
        ctx.stop();
    }

    /// A line that takes nothing more ends with its last answer.
    fn rest_if_done(&mut self, ctx: &mut Context<Self>) {
        let is_done = self.session.in_flight() == 0 && self.unsent.is_empty();
        if is_done && (self.is_resting || self.read.is_none()) {
            ctx.stop();
        }
    }

    /// Takes complete frames out of `bytes`, as far as there is room in flight; returns how many
    /// bytes that was.
    fn take_frames(&mut self, bytes: &[u8], ctx: &mut Context<Self>) -> usize {
        let mut taken = 0;
        while !self.is_full() {
            let rest = bytes.get(taken..).unwrap_or_default();
            match framing::cut(rest, &self.parts.rules.frame) {
                Ok(Some(cut)) => {
                    taken = taken.saturating_add(cut.consumed);
                    self.frames = self.frames.wrapping_add(1);
                    self.session.on_frame(self.parts.clock.now(), cut.frame);
                }
                Ok(None) => break,
                Err(error) => {
                    self.meter.bad_frame(error.code());
                    tracing::warn!(target: "posp::line", line = self.place.number, code = error.code(), %error, "closed");
                    self.close(ctx, error.code());
                    return bytes.len();
                }
            }
        }
        self.perform(ctx);
        taken
    }

    /// A frame that has begun must end in time.
    fn watch_frame(&self, ctx: &mut Context<Self>) {
        let frames = self.frames;
        ctx.run_later(self.parts.rules.frame_deadline, move |line, ctx| {
            if line.frames == frames && !line.unread.is_empty() && !line.is_full() {
                line.meter.bad_frame("FRAME_TIMEOUT");
                line.close(ctx, "FRAME_TIMEOUT");
            }
        });
    }
}

impl Actor for TerminalActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        // Never more answers than questions, and a word from the node.
        ctx.set_mailbox_capacity(self.parts.rules.in_flight_max.saturating_add(2));
        self.meter.opened();
        self.parts.lines.add(self.place.number, ctx.address());
        ctx.spawn(Pump);
        ctx.run_later(self.parts.rules.idle, |line, ctx| {
            if line.frames == 0 {
                line.close(ctx, "IDLE");
            }
        });
    }

    fn stopped(&mut self, _ctx: &mut Self::Context) {
        self.parts.lines.remove(self.place.number);
        self.meter.closed(self.closed);
    }
}

impl Handler<Decided> for TerminalActor {
    type Result = ();

    fn handle(&mut self, decided: Decided, ctx: &mut Self::Context) {
        let now = self.parts.clock.now();
        match decided.answer {
            Some(answer) => self.session.on_answer(now, decided.token, &answer),
            None => self.session.on_refused(now, decided.token),
        }
        self.perform(ctx);
    }
}

impl Handler<Rest> for TerminalActor {
    type Result = ();

    fn handle(&mut self, _: Rest, ctx: &mut Self::Context) {
        self.is_resting = true;
        self.rest_if_done(ctx);
    }
}

/// Reads the socket into frames, and stops reading while too much is in flight.
struct Pump;

impl ActorFuture<TerminalActor> for Pump {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        line: &mut TerminalActor,
        ctx: &mut Context<TerminalActor>,
        task: &mut Task<'_>,
    ) -> Poll<()> {
        let mut room = [0_u8; 4096];
        loop {
            if line.is_resting {
                return Poll::Ready(());
            }
            if line.is_full() {
                line.reader = Some(task.waker().clone());
                return Poll::Pending;
            }
            if !line.unread.is_empty() {
                let unread = std::mem::take(&mut line.unread);
                let taken = line.take_frames(&unread, ctx);
                line.unread = unread.get(taken..).unwrap_or_default().to_vec();
                if line.is_full() {
                    continue;
                }
            }
            let Some(read) = line.read.as_mut() else { return Poll::Ready(()) };
            let mut buffer = ReadBuf::new(&mut room);
            match Pin::new(read).poll_read(task, &mut buffer) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    line.on_bytes(buffer.filled(), ctx);
                }
                // The peer sends nothing more; what it asked is still answered.
                Poll::Ready(Ok(()) | Err(_)) => {
                    line.read = None;
                    line.rest_if_done(ctx);
                    return Poll::Ready(());
                }
            }
        }
    }
}

impl TerminalActor {
    fn on_bytes(&mut self, bytes: &[u8], ctx: &mut Context<Self>) {
        let was_waiting = !self.unread.is_empty();
        if was_waiting {
            self.unread.extend_from_slice(bytes);
            return;
        }
        let taken = self.take_frames(bytes, ctx);
        self.unread.extend_from_slice(bytes.get(taken..).unwrap_or_default());
        if !self.unread.is_empty() {
            self.watch_frame(ctx);
        }
    }
}

/// Sends what the socket did not take at once.
struct Flush;

impl ActorFuture<TerminalActor> for Flush {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        line: &mut TerminalActor,
        ctx: &mut Context<TerminalActor>,
        task: &mut Task<'_>,
    ) -> Poll<()> {
        use tokio::io::AsyncWrite;
        while !line.unsent.is_empty() {
            match Pin::new(&mut line.write).poll_write(task, &line.unsent) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(sent)) if sent > 0 => drop(line.unsent.drain(..sent)),
                Poll::Ready(_) => {
                    line.close(ctx, "peer");
                    return Poll::Ready(());
                }
            }
        }
        line.rest_if_done(ctx);
        Poll::Ready(())
    }
}
