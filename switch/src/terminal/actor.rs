//! The actor of one connection: a socket, a mailbox, a clock, and a session that decides.

use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll, Waker};
use std::time::Duration;

use actix::fut::ActorFuture;
use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Message, SpawnHandle};
use codec::FrameError;
use codec::framing::{self, Cut, Limits};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::listener::{Lines, Place};
use super::mail::{Decided, LineMail};
use super::session::{Action, Question, Session};
use crate::account::{Accounts, Envelope, ReplyTo};
use crate::clock::{Clock, Moment};
use crate::facts::Facts;
use crate::telemetry::LineMeter;

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

/// Bytes of answers that may wait for their reader, beyond which nothing more is read.
const UNSENT_MAX: usize = 64 << 10;

/// How long a line is not read while too much waits in the node.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Bytes that are read at once. They lie on the stack, so that an idle line has no buffer.
const ROOM: usize = 4096;

/// Owns one connection.
pub struct TerminalActor {
    parts: LineParts,
    session: Session,
    meter: LineMeter,
    place: Place,
    mail: LineMail,
    read: Option<OwnedReadHalf>,
    write: OwnedWriteHalf,
    /// Bytes of frames that are not complete, or wait for room in flight.
    unread: Vec<u8>,
    /// Bytes that the socket has not taken.
    unsent: Vec<u8>,
    /// Bytes that the socket has taken.
    sent: u64,
    is_reader_watched: bool,
    reader: Option<Waker>,
    /// False if too much waited in the node when it was last looked at.
    has_room: bool,
    is_room_watched: bool,
    frames: u64,
    /// Ends the line if nothing comes.
    idle: Option<SpawnHandle>,
    /// When the frame began of which a part is unread, in microseconds.
    frame_began: Option<u64>,
    is_frame_watched: bool,
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
            mail: LineMail::default(),
            read: Some(read),
            write,
            unread: Vec::new(),
            unsent: Vec::new(),
            sent: 0,
            is_reader_watched: false,
            reader: None,
            has_room: true,
            is_room_watched: false,
            frames: 0,
            idle: None,
            frame_began: None,
            is_frame_watched: false,
            is_resting: false,
            closed: "PEER",
        }
    }

    /// Has the session take something in; false if it could not. A panic there is a fault of the
    /// switch that one message has found: it ends this line, and nothing else.
    fn take_in(
        &mut self,
        ctx: &mut Context<Self>,
        take: impl FnOnce(&mut Session, Moment),
    ) -> bool {
        let now = self.parts.clock.now();
        let session = &mut self.session;
        let is_done = catch_unwind(AssertUnwindSafe(|| take(session, now))).is_ok();
        if !is_done {
            self.bad_frame("PANIC", &"a message has found a fault of this switch");
            self.close(ctx, "PANIC");
        }
        is_done
    }

    fn is_full(&self) -> bool {
        !self.has_room
            || self.session.in_flight() >= self.parts.rules.in_flight_max
            || self.unsent.len() >= UNSENT_MAX
    }

    /// Looks again in a moment whether the node has room, as long as it has none.
    fn watch_room(&mut self, ctx: &mut Context<Self>) {
        if self.has_room || self.is_room_watched {
            return;
        }
        self.is_room_watched = true;
        ctx.run_later(LOOK_AGAIN, |line, ctx| {
            line.is_room_watched = false;
            line.has_room = line.parts.accounts.has_room();
            line.wake_reader();
            line.watch_room(ctx);
        });
    }

    /// Goes on reading, if there is room.
    fn wake_reader(&mut self) {
        if !self.is_full()
            && let Some(reader) = self.reader.take()
        {
            reader.wake();
        }
    }

    /// Does what the session wants, and sends what it has to say in one go.
    fn perform(&mut self, ctx: &mut Context<Self>) {
        let had_unsent = !self.unsent.is_empty();
        while let Some(action) = self.session.next_action() {
            match action {
                Action::Send(frame) if self.unsent.is_empty() => self.unsent = frame,
                Action::Send(frame) => {
                    self.unsent.extend_from_slice(&frame);
                    self.session.take_back(frame);
                }
                Action::WakeAfter(time, token) => {
                    ctx.run_later(time, move |line, ctx| {
                        line.take_in(ctx, |session, now| session.on_wake(now, token));
                        line.perform(ctx);
                    });
                }
                Action::Ask(question) => {
                    let reply = ReplyTo::Line(self.mail.clone(), question.token);
                    let Question { token, shard, command, guard, not_after } = question;
                    let not_after = Some(not_after);
                    let envelope = Envelope { shard, command, guard, reply, not_after };
                    if self.parts.accounts.ask(envelope).is_err() {
                        self.session.on_refused(token);
                    }
                }
            }
        }
        if !had_unsent && !self.unsent.is_empty() {
            self.send(ctx);
        }
        self.wake_reader();
        self.rest_if_done(ctx);
    }

    /// Gives the socket what it takes; the rest goes as it drains.
    fn send(&mut self, ctx: &mut Context<Self>) {
        match self.write.try_write(&self.unsent) {
            Ok(sent) => {
                self.note_sent(sent);
                if !self.unsent.is_empty() {
                    self.flush(ctx);
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => self.flush(ctx),
            Err(_lost) => self.close(ctx, "PEER"),
        }
    }

    fn note_sent(&mut self, sent: usize) {
        self.unsent.drain(..sent);
        if self.unsent.is_empty() {
            self.session.take_back(std::mem::take(&mut self.unsent));
        }
        self.sent = self.sent.saturating_add(u64::try_from(sent).unwrap_or(u64::MAX));
    }

    fn flush(&mut self, ctx: &mut Context<Self>) {
        ctx.spawn(Flush);
        if !self.is_reader_watched {
            self.watch_reader(ctx);
        }
    }

    /// What waits for its reader now must be taken in time.
    fn watch_reader(&mut self, ctx: &mut Context<Self>) {
        self.is_reader_watched = true;
        let unsent = u64::try_from(self.unsent.len()).unwrap_or(u64::MAX);
        let goal = self.sent.saturating_add(unsent);
        ctx.run_later(self.parts.rules.write_deadline, move |line, ctx| {
            line.is_reader_watched = false;
            if line.sent < goal {
                line.bad_frame("SLOW_READER", &"answers were not read in time");
                line.close(ctx, "SLOW_READER");
            } else if !line.unsent.is_empty() {
                line.watch_reader(ctx);
            }
        });
    }

    fn bad_frame(&self, code: &'static str, why: &dyn std::fmt::Display) {
        self.meter.bad_frame(self.parts.clock.now(), self.place.number, code, why);
    }

    fn close(&mut self, ctx: &mut Context<Self>, reason: &'static str) {
        self.closed = reason;
        // What was read beyond the end of the line is not looked at.
        self.read = None;
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
            match next_frame(rest, &self.parts.rules.frame) {
                Ok(Some(cut)) => {
                    taken = taken.saturating_add(cut.consumed);
                    self.frames = self.frames.wrapping_add(1);
                    // Every timer is looked at whenever anything happens on the line.
                    if let Some(idle) = self.idle.take() {
                        ctx.cancel_future(idle);
                    }
                    if !self.take_in(ctx, |session, now| session.on_frame(now, cut.frame)) {
                        taken = bytes.len();
                        break;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    self.bad_frame(error.code(), &error);
                    // What came before is still answered, however it was cut into segments.
                    (self.closed, self.read) = (error.code(), None);
                    taken = bytes.len();
                    break;
                }
            }
        }
        self.perform(ctx);
        taken
    }

    /// Keeps what is left of what was read; a frame that has begun must end in time.
    fn keep_unread(&mut self, unread: Vec<u8>, frames_before: u64, ctx: &mut Context<Self>) {
        let is_new = self.frame_began.is_none() || self.frames != frames_before;
        if unread.is_empty() {
            self.frame_began = None;
        } else if is_new {
            self.frame_began = Some(self.parts.clock.now().micros);
            if !self.is_frame_watched {
                self.watch_frame(self.parts.rules.frame_deadline, ctx);
            }
        }
        self.unread = unread;
    }

    fn watch_frame(&mut self, time: Duration, ctx: &mut Context<Self>) {
        self.is_frame_watched = true;
        ctx.run_later(time, |line, ctx| {
            line.is_frame_watched = false;
            let Some(began) = line.frame_began else { return };
            let deadline = line.parts.rules.frame_deadline;
            let took = line.parts.clock.now().micros.saturating_sub(began);
            let left = deadline.saturating_sub(Duration::from_micros(took));
            if line.is_full() {
                // It may be whole, and wait for us.
                line.watch_frame(deadline, ctx);
            } else if left.is_zero() {
                line.bad_frame("FRAME_TIMEOUT", &"a frame did not end in time");
                line.close(ctx, "FRAME_TIMEOUT");
            } else {
                line.watch_frame(left, ctx);
            }
        });
    }
}

/// Cuts the next frame off `bytes`, and sees that it is one of this line.
fn next_frame<'b>(bytes: &'b [u8], limits: &Limits) -> Result<Option<Cut<'b>>, FrameError> {
    let cut = framing::cut(bytes, limits)?;
    if let Some(cut) = &cut {
        codec::Envelope::parse(cut.frame)?;
    }
    Ok(cut)
}

impl Actor for TerminalActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.meter.opened();
        self.parts.lines.add(self.place.number, ctx.address());
        // What makes room for more comes first.
        ctx.spawn(Answers);
        ctx.spawn(Pump);
        self.idle = Some(ctx.run_later(self.parts.rules.idle, |line, ctx| {
            if line.frames == 0 {
                line.close(ctx, "IDLE");
            }
        }));
    }

    fn stopped(&mut self, _ctx: &mut Self::Context) {
        self.parts.lines.remove(self.place.number);
        self.meter.closed(self.closed);
    }
}

impl Handler<Rest> for TerminalActor {
    type Result = ();

    fn handle(&mut self, _: Rest, ctx: &mut Self::Context) {
        self.is_resting = true;
        self.rest_if_done(ctx);
    }
}

/// Takes in the answers of shards, and sends what came together in one go.
struct Answers;

impl ActorFuture<TerminalActor> for Answers {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        line: &mut TerminalActor,
        ctx: &mut Context<TerminalActor>,
        task: &mut Task<'_>,
    ) -> Poll<()> {
        while let Poll::Ready(together) = line.mail.poll_take(task) {
            for Decided { token, answer } in together {
                let is_done = line.take_in(ctx, |session, now| match &answer {
                    Some(answer) => session.on_answer(now, token, answer),
                    None => session.on_refused(token),
                });
                if !is_done {
                    break;
                }
            }
            line.perform(ctx);
        }
        Poll::Pending
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
        let mut room = [const { MaybeUninit::uninit() }; ROOM];
        loop {
            if line.is_resting {
                return Poll::Ready(());
            }
            line.has_room = line.parts.accounts.has_room();
            if line.is_full() {
                line.watch_room(ctx);
                line.reader = Some(task.waker().clone());
                return Poll::Pending;
            }
            if !line.unread.is_empty() {
                let mut unread = std::mem::take(&mut line.unread);
                let frames = line.frames;
                let taken = line.take_frames(&unread, ctx);
                unread.drain(..taken);
                line.keep_unread(unread, frames, ctx);
                if line.is_full() {
                    continue;
                }
            }
            let Some(read) = line.read.as_mut() else { return Poll::Ready(()) };
            let mut buffer = ReadBuf::uninit(&mut room);
            match Pin::new(read).poll_read(task, &mut buffer) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    let has_more = buffer.filled().len() == ROOM;
                    line.on_bytes(buffer.filled(), ctx);
                    // Whoever sends without end does so in turn with the others.
                    if has_more {
                        task.waker().wake_by_ref();
                        return Poll::Pending;
                    }
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
        let frames = self.frames;
        let taken = self.take_frames(bytes, ctx);
        let unread = bytes.get(taken..).unwrap_or_default().to_vec();
        self.keep_unread(unread, frames, ctx);
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
                Poll::Pending => {
                    line.wake_reader();
                    return Poll::Pending;
                }
                Poll::Ready(Ok(sent)) if sent > 0 => line.note_sent(sent),
                Poll::Ready(_) => {
                    line.close(ctx, "PEER");
                    return Poll::Ready(());
                }
            }
        }
        line.wake_reader();
        line.rest_if_done(ctx);
        Poll::Ready(())
    }
}
