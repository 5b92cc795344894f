//! The actor of one connection: a socket, a mailbox, a clock, and a session that decides.

use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use codec::FrameError;
use codec::framing::{self, Cut, Limits};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::alarms::Alarms;
use super::listener::{Lines, Place};
use super::mail::{Decided, LineMail};
use super::session::{Action, Question, Session};
use crate::account::{Accounts, Envelope, ReplyTo, Turn};
use crate::clock::{Clock, Moment};
use crate::facts::Facts;
use crate::telemetry::LineMeter;

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

/// Bytes that are read at once. They lie on the stack, so that an idle line has no buffer.
const ROOM: usize = 4096;

/// What a line is woken for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Alarm {
    /// Nothing may have come yet.
    Idle,
    /// A frame should have ended.
    Frame,
    /// Answers should have been read, up to this count of bytes.
    Reader(u64),
    /// The session wants to be woken, under this number.
    Session(u64),
}

/// Requests that wait unread until there is room in the node.
#[derive(Clone, Copy, Debug)]
struct Held {
    /// Since when, in microseconds.
    since: u64,
    /// How many it may be: as many as may be under way. What follows them came later.
    requests: usize,
}

/// Owns one connection. A future that is done when the line is closed.
pub struct TerminalActor {
    parts: LineParts,
    session: Session,
    meter: LineMeter,
    place: Place,
    mail: LineMail,
    alarms: Alarms<Alarm>,
    stream: TcpStream,
    /// False once nothing more is taken from the peer.
    is_read: bool,
    /// Bytes of frames that are not complete, or wait for room in flight.
    unread: Vec<u8>,
    /// Bytes that the socket has not taken.
    unsent: Vec<u8>,
    /// Bytes that the socket has taken.
    sent: u64,
    is_reader_watched: bool,
    /// False if too much waited in the node when it was last looked at; and its place among the
    /// lines that wait for that to end.
    has_room: bool,
    turn: Turn,
    held: Option<Held>,
    frames: u64,
    /// When the frame began of which a part is unread, in microseconds.
    frame_began: Option<u64>,
    is_resting: bool,
    is_over: bool,
    closed: &'static str,
}

impl TerminalActor {
    /// Returns the actor of the line that took `place`.
    #[must_use]
    pub fn new(place: Place, stream: TcpStream, parts: LineParts) -> Self {
        let meter = parts.facts.telemetry.lines();
        meter.opened();
        let mail = LineMail::default();
        parts.lines.add(place.number, mail.clone());
        let mut alarms = Alarms::new();
        alarms.set(parts.rules.idle, Alarm::Idle);
        Self {
            session: Session::new(Arc::clone(&parts.facts)),
            parts,
            meter,
            place,
            mail,
            alarms,
            stream,
            is_read: true,
            unread: Vec::new(),
            unsent: Vec::new(),
            sent: 0,
            is_reader_watched: false,
            has_room: true,
            turn: Turn::default(),
            held: None,
            frames: 0,
            frame_began: None,
            is_resting: false,
            is_over: false,
            closed: "PEER",
        }
    }

    /// Has the session take something in; false if it could not. A panic there is a fault of the
    /// switch that one message has found: it ends this line, and nothing else.
    fn take_in(&mut self, take: impl FnOnce(&mut Session, Moment)) -> bool {
        let now = self.parts.clock.now();
        let session = &mut self.session;
        let is_done = catch_unwind(AssertUnwindSafe(|| take(session, now))).is_ok();
        if !is_done {
            self.bad_frame("PANIC", &"a message has found a fault of this switch");
            self.close("PANIC");
        }
        is_done
    }

    fn is_full(&self) -> bool {
        !self.has_room
            || self.session.in_flight() >= self.parts.rules.in_flight_max
            || self.unsent.len() >= UNSENT_MAX
    }

    /// Takes in the answers of shards, and sends what came together in one go.
    fn hear(&mut self, task: &Context<'_>) {
        while !self.is_over
            && let Poll::Ready(together) = self.mail.poll_take(task, &mut self.is_resting)
        {
            for Decided { token, answer } in together {
                let is_done = self.take_in(|session, now| match &answer {
                    Some(answer) => session.on_answer(now, token, answer),
                    None => session.on_refused(now, token),
                });
                if !is_done {
                    break;
                }
            }
            self.perform();
        }
        self.rest_if_done();
    }

    /// Looks at the clock. True if it was time for something.
    fn wake(&mut self, task: &mut Context<'_>) -> bool {
        let mut is_time = false;
        while !self.is_over
            && let Poll::Ready(alarm) = self.alarms.poll_next(task)
        {
            is_time = true;
            match alarm {
                Alarm::Idle if self.frames == 0 => self.close("IDLE"),
                Alarm::Idle => {}
                Alarm::Frame => self.look_at_frame(),
                Alarm::Reader(goal) => self.look_at_reader(goal),
                Alarm::Session(token) => {
                    self.take_in(|session, now| session.on_wake(now, token));
                    self.perform();
                }
            }
        }
        is_time
    }

    /// Does what the session wants, and sends what it has to say in one go.
    fn perform(&mut self) {
        let had_unsent = !self.unsent.is_empty();
        while let Some(action) = self.session.next_action() {
            match action {
                Action::Send(frame) if self.unsent.is_empty() => self.unsent = frame,
                Action::Send(frame) => {
                    self.unsent.extend_from_slice(&frame);
                    self.session.take_back(frame);
                }
                Action::WakeAfter(time, token) => self.alarms.set(time, Alarm::Session(token)),
                Action::Ask(question) => {
                    let reply = ReplyTo::Line(self.mail.clone(), question.token);
                    let Question { token, shard, command, guard, not_after } = question;
                    let not_after = Some(not_after);
                    let envelope = Envelope { shard, command, guard, reply, not_after };
                    if self.parts.accounts.ask(envelope).is_err() {
                        self.take_in(|session, now| session.on_refused(now, token));
                    }
                }
            }
        }
        if !had_unsent && !self.unsent.is_empty() {
            self.send();
        }
    }

    /// Gives the socket what it takes; the rest goes as it drains.
    fn send(&mut self) {
        match self.stream.try_write(&self.unsent) {
            Ok(sent) => self.note_sent(sent),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_lost) => self.close("PEER"),
        }
    }

    fn note_sent(&mut self, sent: usize) {
        self.unsent.drain(..sent);
        if self.unsent.is_empty() {
            self.session.take_back(std::mem::take(&mut self.unsent));
        }
        self.sent = self.sent.saturating_add(u64::try_from(sent).unwrap_or(u64::MAX));
    }

    /// Sends what the socket did not take at once.
    fn flush(&mut self, task: &mut Context<'_>) {
        while !self.unsent.is_empty() && !self.is_over {
            match Pin::new(&mut self.stream).poll_write(task, &self.unsent) {
                Poll::Pending => {
                    if !self.is_reader_watched {
                        self.watch_reader();
                    }
                    return;
                }
                Poll::Ready(Ok(sent)) if sent > 0 => self.note_sent(sent),
                Poll::Ready(_) => self.close("PEER"),
            }
        }
    }

    /// What waits for its reader now must be taken in time.
    fn watch_reader(&mut self) {
        self.is_reader_watched = true;
        let unsent = u64::try_from(self.unsent.len()).unwrap_or(u64::MAX);
        let goal = self.sent.saturating_add(unsent);
        self.alarms.set(self.parts.rules.write_deadline, Alarm::Reader(goal));
    }

    fn look_at_reader(&mut self, goal: u64) {
        self.is_reader_watched = false;
        if self.sent < goal {
            self.bad_frame("SLOW_READER", &"answers were not read in time");
            self.close("SLOW_READER");
        } else if !self.unsent.is_empty() {
            self.watch_reader();
        }
    }

    fn bad_frame(&self, code: &'static str, why: &dyn std::fmt::Display) {
        self.meter.bad_frame(self.parts.clock.now(), self.place.number, code, why);
    }

    fn close(&mut self, reason: &'static str) {
        self.closed = reason;
        // What was read beyond the end of the line is not looked at.
        self.is_read = false;
        self.is_over = true;
    }

    /// A line that takes nothing more ends with its last answer.
    fn rest_if_done(&mut self) {
        let is_done = self.session.in_flight() == 0 && self.unsent.is_empty();
        if is_done && (self.is_resting || !self.is_read) {
            self.is_over = true;
        }
    }

    /// Reads the socket into frames, and stops reading while too much is in flight.
    fn pump(&mut self, task: &mut Context<'_>) {
        let mut room = [const { MaybeUninit::uninit() }; ROOM];
        while !self.is_over && !self.is_resting {
            self.look_for_room(task);
            if self.is_full() {
                return;
            }
            if !self.unread.is_empty() {
                let mut unread = std::mem::take(&mut self.unread);
                let frames = self.frames;
                let taken = self.take_frames(&unread);
                unread.drain(..taken);
                self.keep_unread(unread, frames);
                if self.is_full() {
                    continue;
                }
            }
            if !self.is_read {
                return;
            }
            let mut buffer = ReadBuf::uninit(&mut room);
            match Pin::new(&mut self.stream).poll_read(task, &mut buffer) {
                Poll::Pending => {
                    self.held = None;
                    return;
                }
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    let has_more = buffer.filled().len() == ROOM;
                    self.on_bytes(buffer.filled());
                    if !has_more {
                        self.held = None;
                    }
                    // Whoever sends without end does so in turn with the others.
                    if has_more {
                        task.waker().wake_by_ref();
                        return;
                    }
                }
                // The peer sends nothing more; what it asked is still answered.
                Poll::Ready(Ok(()) | Err(_)) => self.is_read = false,
            }
        }
    }

    /// Sees whether there is room in the node, and keeps in mind since when requests wait for it.
    fn look_for_room(&mut self, task: &mut Context<'_>) {
        self.has_room = self.parts.accounts.pressure().poll_room(&mut self.turn, task);
        if self.has_room || self.held.is_some() {
            return;
        }
        if !self.unread.is_empty() || self.stream.poll_read_ready(task).is_ready() {
            let since = self.parts.clock.now().micros;
            self.held = Some(Held { since, requests: self.parts.rules.in_flight_max });
        }
    }

    /// Returns since when the next request has waited, if it was held.
    fn next_held(&mut self) -> Option<u64> {
        let Held { since, requests } = self.held.take()?;
        let requests = requests.checked_sub(1)?;
        self.held = Some(Held { since, requests });
        Some(since)
    }

    fn on_bytes(&mut self, bytes: &[u8]) {
        if !self.unread.is_empty() {
            self.unread.extend_from_slice(bytes);
            return;
        }
        let frames = self.frames;
        let taken = self.take_frames(bytes);
        let unread = bytes.get(taken..).unwrap_or_default().to_vec();
        self.keep_unread(unread, frames);
    }

    /// Takes complete frames out of `bytes`, as far as there is room in flight; returns how many
    /// bytes that was.
    fn take_frames(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while !self.is_full() {
            let rest = bytes.get(taken..).unwrap_or_default();
            match next_frame(rest, &self.parts.rules.frame) {
                Ok(Some(cut)) => {
                    taken = taken.saturating_add(cut.consumed);
                    if self.frames == 0 {
                        self.alarms.cancel(Alarm::Idle);
                    }
                    self.frames = self.frames.saturating_add(1);
                    let held_since = self.next_held();
                    if !self.take_in(|session, now| {
                        session.on_frame(now, held_since.unwrap_or(now.micros), cut.frame);
                    }) {
                        taken = bytes.len();
                        break;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    self.bad_frame(error.code(), &error);
                    // What came before is still answered, however it was cut into segments.
                    (self.closed, self.is_read) = (error.code(), false);
                    taken = bytes.len();
                    break;
                }
            }
        }
        self.perform();
        taken
    }

    /// Keeps what is left of what was read; a frame that has begun must end in time.
    fn keep_unread(&mut self, unread: Vec<u8>, frames_before: u64) {
        let is_new = self.frame_began.is_none() || self.frames != frames_before;
        if unread.is_empty() {
            self.frame_began = None;
        } else if is_new {
            self.frame_began = Some(self.parts.clock.now().micros);
            if !self.alarms.is_set(Alarm::Frame) {
                self.alarms.set(self.parts.rules.frame_deadline, Alarm::Frame);
            }
        }
        self.unread = unread;
    }

    fn look_at_frame(&mut self) {
        let Some(began) = self.frame_began else { return };
        let deadline = self.parts.rules.frame_deadline;
        let took = self.parts.clock.now().micros.saturating_sub(began);
        let left = deadline.saturating_sub(Duration::from_micros(took));
        if self.is_full() {
            // It may be whole, and wait for us.
            self.alarms.set(deadline, Alarm::Frame);
        } else if left.is_zero() {
            self.bad_frame("FRAME_TIMEOUT", &"a frame did not end in time");
            self.close("FRAME_TIMEOUT");
        } else {
            self.alarms.set(left, Alarm::Frame);
        }
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

impl Future for TerminalActor {
    type Output = ();

    /// Looks at all that may have woken it, until nothing of it is left to be done.
    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        let line = self.get_mut();
        loop {
            line.hear(task);
            line.pump(task);
            let was_full = line.is_full();
            line.flush(task);
            line.rest_if_done();
            let is_time = line.wake(task);
            // What was sent may have made room that nothing else would wake the line for.
            let has_new_room = was_full && !line.is_full();
            if line.is_over || !(is_time || has_new_room) {
                break;
            }
        }
        if line.is_over { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for TerminalActor {
    fn drop(&mut self) {
        self.parts.lines.remove(self.place.number);
        self.meter.closed(self.closed);
    }
}
