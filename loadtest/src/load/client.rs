//! The sockets of one client thread.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::num::NonZeroU64;
use std::os::fd::OwnedFd;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use rustix::event::{Timespec, epoll};

use super::faults::Mishap;
use super::line::Line;
use super::schedule::Schedule;
use super::tally::Load;
use super::till::Till;
use super::{LoadError, Pace, Plan};
use crate::cpu;

/// How often lines are looked after that nothing happens on.
const ROUND: Duration = Duration::from_millis(20);
/// What is read at once.
const ROOM: usize = 64 * 1024;
/// How late the system may wake the thread, in nanoseconds.
const SLACK_NANOS: Option<NonZeroU64> = NonZeroU64::new(1_000);

/// Opens the lines of one thread, waits for the other threads, and puts its part of the load on.
pub(super) fn run<T: Till>(
    plan: &Plan,
    hand: Vec<(usize, Vec<T>)>,
    all: usize,
    barrier: &Barrier,
) -> Result<Part<T>, LoadError> {
    let opened = Client::open(plan, hand, all);
    // Whoever fails must not leave the others waiting.
    barrier.wait();
    let mut client = opened?;
    let before = cpu::of_thread();
    client.begin();
    client.put_on()?;
    client.load.client_cpu = cpu::of_thread().saturating_sub(before);
    let crews = client.lines.into_iter().map(|wire| (wire.number, wire.line.into_tills()));
    Ok((client.load, crews.collect()))
}

/// What one thread brings back: its load, and its crews by the number of their line.
pub(super) type Part<T> = (Load, Vec<(usize, Vec<T>)>);

struct Client<'p, T> {
    plan: &'p Plan,
    poll: OwnedFd,
    lines: Vec<Wire<T>>,
    schedule: Option<Schedule>,
    begin: Instant,
    until: Instant,
    load: Load,
    room: Vec<u8>,
}

/// A line and its socket.
struct Wire<T> {
    number: usize,
    line: Line<T>,
    /// None once the server has closed it.
    stream: Option<TcpStream>,
    /// The socket may have something to read.
    is_ready: bool,
    /// Nothing is read before this moment.
    deaf_until: Option<Instant>,
}

impl<'p, T: Till> Client<'p, T> {
    fn open(plan: &'p Plan, hand: Vec<(usize, Vec<T>)>, all: usize) -> Result<Self, LoadError> {
        // Without it, wakes are late by 50 microseconds more.
        rustix::thread::set_current_timer_slack(SLACK_NANOS).map_err(io::Error::from)?;
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(io::Error::from)?;
        let begin = Instant::now();
        let schedule = match &plan.pace {
            Pace::Closed(_) => None,
            Pace::Open(legs) => {
                let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
                let numbers = hand.iter().map(|(number, _)| count(*number)).collect();
                Some(Schedule::new(legs, numbers, count(all)))
            }
        };
        let mut client = Self {
            plan,
            poll,
            lines: Vec::with_capacity(hand.len()),
            schedule,
            begin,
            until: begin,
            load: Load::empty(),
            room: vec![0; ROOM],
        };
        for (number, crew) in hand {
            let stream = client.connect(client.lines.len());
            let stream = stream.map_err(|error| LoadError::Connect {
                number: number.saturating_add(1),
                all,
                error,
            })?;
            let seed = u64::try_from(number).unwrap_or_default();
            client.lines.push(Wire {
                number,
                line: Line::new(crew, plan.rules, seed),
                stream: Some(stream),
                is_ready: false,
                deaf_until: None,
            });
        }
        Ok(client)
    }

    fn connect(&self, place: usize) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(self.plan.address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let place = epoll::EventData::new_u64(u64::try_from(place).unwrap_or_default());
        let flags = epoll::EventFlags::IN
            | epoll::EventFlags::OUT
            | epoll::EventFlags::RDHUP
            | epoll::EventFlags::ET;
        epoll::add(&self.poll, &stream, place, flags)?;
        Ok(stream)
    }

    fn begin(&mut self) {
        self.begin = Instant::now();
        let duration = self.plan.pace.duration();
        self.until = self.begin.checked_add(duration).unwrap_or(self.begin);
        for wire in &mut self.lines {
            wire.line.begin(self.begin);
        }
    }

    fn put_on(&mut self) -> Result<(), LoadError> {
        let mut events = Vec::with_capacity(1024);
        let mut looked_after = self.begin;
        if self.schedule.is_none() {
            (0..self.lines.len()).for_each(|place| self.pump(place));
        }
        loop {
            let wake = self.send_due(Instant::now());
            let now = Instant::now();
            if now.saturating_duration_since(looked_after) >= ROUND {
                looked_after = now;
                self.look_after(now);
                if self.is_over(now) {
                    return Ok(());
                }
            }
            let wait = wake.saturating_duration_since(now).min(ROUND);
            events.clear();
            let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(wait.subsec_nanos()) };
            let waited =
                epoll::wait(&self.poll, rustix::buffer::spare_capacity(&mut events), Some(&wait));
            match waited {
                Ok(_) => {}
                Err(error) if error == rustix::io::Errno::INTR => continue,
                Err(error) => return Err(io::Error::from(error).into()),
            }
            for event in events.drain(..) {
                let place = usize::try_from(event.data.u64()).unwrap_or(usize::MAX);
                if let Some(wire) = self.lines.get_mut(place) {
                    wire.is_ready = true;
                    self.serve(place);
                }
            }
        }
    }

    /// Hands out what is due, in turn; returns when the next is.
    fn send_due(&mut self, now: Instant) -> Instant {
        let rest = now.checked_add(ROUND).unwrap_or(now);
        let Some(mut schedule) = self.schedule.take() else { return rest };
        let mut wake = rest;
        while let Some((due, place)) = schedule.next_due() {
            let due = self.begin.checked_add(due).unwrap_or(self.begin);
            if due > now {
                wake = due;
                break;
            }
            schedule.advance();
            if let Some(wire) = self.lines.get_mut(place) {
                wire.line.fall_due(due);
                // It asks as soon as it is answered.
                if !wire.line.has_room() {
                    continue;
                }
            }
            self.pump(place);
        }
        self.schedule = Some(schedule);
        wake
    }

    /// Gives up what waits too long, opens ears, and ends what is due when the time is over.
    fn look_after(&mut self, now: Instant) {
        for place in 0..self.lines.len() {
            let Some(wire) = self.lines.get_mut(place) else { continue };
            wire.line.give_up_late(now, &mut self.load);
            if now >= self.until {
                wire.line.give_up_backlog(now, &mut self.load);
            }
            if wire.deaf_until.is_some_and(|until| until <= now) {
                wire.deaf_until = None;
            }
            self.serve(place);
        }
    }

    fn is_over(&self, now: Instant) -> bool {
        if now >= self.until {
            return self.lines.iter().all(|wire| wire.line.is_idle());
        }
        let is_done = |wire: &Wire<T>| wire.stream.is_none() || wire.line.is_exhausted();
        self.schedule.is_none() && self.lines.iter().all(is_done)
    }

    /// Reads and writes what a line has.
    fn serve(&mut self, place: usize) {
        let Some(wire) = self.lines.get_mut(place) else { return };
        while wire.is_ready && wire.deaf_until.is_none() {
            let Some(stream) = &mut wire.stream else { return };
            let read = stream.read(&mut self.room);
            let now = Instant::now();
            let is_lost = match read {
                Ok(0) => true,
                Ok(count) => {
                    wire.is_ready = count == self.room.len();
                    let read = self.room.get(..count).unwrap_or_default();
                    wire.line.take(now, read, &mut self.load).is_err()
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    wire.is_ready = false;
                    false
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => false,
                Err(_) => true,
            };
            if is_lost {
                wire.lose(now, &mut self.load);
                return;
            }
        }
        self.pump(place);
    }

    /// Lets the terminals of a line ask, and writes all that they ask at once.
    fn pump(&mut self, place: usize) {
        let Some(wire) = self.lines.get_mut(place) else { return };
        let Some(stream) = wire.stream.as_mut().filter(|_| wire.deaf_until.is_none()) else {
            return;
        };
        let now = Instant::now();
        match self.plan.pace {
            Pace::Open(_) => wire.line.ask_due(now, &mut self.load),
            Pace::Closed(_) if now < self.until => wire.line.ask_on(now, &mut self.load),
            Pace::Closed(_) => {}
        }
        if write_what_fits(stream, &mut wire.line.unsent).is_err() {
            wire.lose(now, &mut self.load);
            return;
        }
        if !wire.line.unsent.is_empty() {
            return;
        }
        match std::mem::replace(&mut wire.line.mishap, Mishap::None) {
            Mishap::None | Mishap::Duplicate => {}
            Mishap::Delay(time) => wire.deaf_until = now.checked_add(time),
            Mishap::Drop => self.drop_line(place, now),
        }
    }

    /// Drops a line with all that is under way on it, and opens another.
    fn drop_line(&mut self, place: usize, now: Instant) {
        if let Some(wire) = self.lines.get_mut(place) {
            drop(wire.stream.take());
            wire.line.give_up_all(now, &mut self.load);
        }
        let stream = self.connect(place).ok();
        let Some(wire) = self.lines.get_mut(place) else { return };
        if stream.is_none() {
            self.load.lines_lost = self.load.lines_lost.saturating_add(1);
        }
        wire.stream = stream;
        wire.is_ready = false;
    }
}

impl<T: Till> Wire<T> {
    /// The server has closed the line, or said what nobody understands.
    fn lose(&mut self, now: Instant, load: &mut Load) {
        self.stream = None;
        self.line.give_up_all(now, load);
        load.lines_lost = load.lines_lost.saturating_add(1);
    }
}

/// Writes as much as the socket takes; the rest stays.
fn write_what_fits(stream: &mut TcpStream, unsent: &mut Vec<u8>) -> io::Result<()> {
    let mut written = 0_usize;
    while let Some(rest) = unsent.get(written..).filter(|rest| !rest.is_empty()) {
        match stream.write(rest) {
            Ok(count) => written = written.saturating_add(count),
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    unsent.drain(..written);
    Ok(())
}
