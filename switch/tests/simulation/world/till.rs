//! The terminals' side of a world.

use switch::clock::Moment;

use super::{Task, World};
use crate::device::{Scene, Step};
use crate::network::{LineId, Way, unframed};
use crate::plan::{Micros, SECOND, WAIT_MAX};
use crate::trace::{about, brief, pin_block};

impl World {
    pub(super) fn set_alarm(&mut self, device: usize, delay: Micros) {
        self.devices[device].alarm += 1;
        let alarm = self.devices[device].alarm;
        self.after(delay, Task::Alarm { device, alarm });
    }

    pub(super) fn on_alarm(&mut self, device: usize, alarm: u64) {
        if self.devices[device].alarm != alarm {
            return;
        }
        if !self.has_line(device) {
            self.connect(device);
        }
        let has_line = self.devices[device].line.is_some();
        let (target, mut scene) = self.scene(device);
        let step = if target.is_waiting() {
            target.on_silence(&mut scene, has_line)
        } else if has_line {
            target.next(&mut scene)
        } else {
            // Nobody answers the call. Later, then.
            Step::Rest(SECOND)
        };
        self.perform(device, step);
    }

    pub(super) fn scene(&mut self, device: usize) -> (&mut crate::device::Device, Scene<'_>) {
        let scene = Scene {
            now: self.now,
            local: self.clock.local(self.now),
            plan: &self.plan,
            cast: &self.cast,
            dice: &mut self.dice,
            history: &mut self.history,
        };
        (&mut self.devices[device], scene)
    }

    fn has_line(&self, device: usize) -> bool {
        self.devices[device].line.is_some()
    }

    fn connect(&mut self, device: usize) {
        if self.core.is_some() {
            self.devices[device].line = Some(self.network.open(device, self.life));
        }
    }

    fn perform(&mut self, device: usize, step: Step) {
        match step {
            Step::Send(frame) => {
                self.tally.requests += 1;
                if let Some(line) = self.devices[device].line {
                    self.transmit(line, Way::Up, &frame);
                }
                let patience = self.plan.patience;
                self.set_alarm(device, patience);
            }
            Step::Rest(time) => self.set_alarm(device, time),
            Step::HangUp(time) => {
                self.hang_up(device);
                self.set_alarm(device, time);
            }
            Step::Done => {}
        }
    }

    fn hang_up(&mut self, device: usize) {
        if let Some(line) = self.devices[device].line.take() {
            self.network.cut(line);
            let noticed = self.dice.below(5 * SECOND);
            self.after(noticed, Task::HostNotices(line));
        }
    }

    /// Sends a frame, its length in front, into the network.
    pub(super) fn transmit(&mut self, line: LineId, way: Way, frame: &[u8]) {
        let fate = self.network.send(line, way, self.now, &self.weather, &mut self.dice);
        self.tally.frames += 1;
        if way == Way::Up
            && let Some(block) = pin_block(unframed(frame))
        {
            self.audit.canaries.add_bytes(&block);
        }
        match fate.arrivals.len() {
            0 => self.tally.lost += 1,
            1 => {}
            _ => self.tally.doubled += 1,
        }
        self.tally.delayed += u64::from(fate.is_late);
        self.trace.note(self.now, frame, || {
            let arrow = if way == Way::Up { "->" } else { "<-" };
            let what = brief(unframed(frame));
            let terminal = self.network.line(line).map_or(0, |line| line.terminal);
            let at = fate.arrivals.iter().map(|at| format!("+{}ms", (at - self.now) / 1000));
            format!("terminal {terminal} {arrow} {what} {:?}", at.collect::<Vec<_>>())
        });
        for arrival in fate.arrivals {
            let frame = unframed(frame).to_vec();
            let task = match way {
                Way::Up => Task::Up { line, frame },
                Way::Down => Task::Down { line, frame },
            };
            self.at(arrival, task);
        }
        if let Some((terminal, host)) = fate.breaks {
            self.tally.cuts += 1;
            self.at(terminal, Task::TerminalNotices(line));
            self.at(host, Task::HostNotices(line));
        }
    }

    pub(super) fn on_down(&mut self, line: LineId, frame: &[u8]) {
        let Some(device) = self.network.line(line).map(|line| line.terminal) else { return };
        if self.devices[device].line != Some(line) {
            return;
        }
        let (target, mut scene) = self.scene(device);
        let has_ended = target.on_frame(&mut scene, frame);
        let now = self.now;
        self.trace.note(now, frame, || {
            let verdict = if has_ended { "takes" } else { "ignores" };
            format!("terminal {device} {verdict} {}", brief(frame))
        });
        if has_ended {
            let rest = self.dice.below(self.plan.rest_max);
            self.set_alarm(device, rest);
        }
    }

    pub(super) fn on_terminal_notices(&mut self, line: LineId) {
        let Some(device) = self.network.line(line).map(|line| line.terminal) else { return };
        if self.devices[device].line != Some(line) {
            return;
        }
        self.devices[device].line = None;
        self.network.cut(line);
        if !self.devices[device].is_waiting() {
            return;
        }
        if !self.is_calm && self.dice.chance(self.plan.habits.power) {
            let (target, mut scene) = self.scene(device);
            target.lose_power(&mut scene);
        }
        let rest = self.dice.below(SECOND);
        self.set_alarm(device, rest);
    }

    pub(super) fn on_up(&mut self, line: LineId, frame: &[u8]) {
        let life = self.network.line(line).map(|line| line.life);
        let now = self.moment();
        let Some(core) = self.core.as_mut().filter(|_| life == Some(self.life)) else { return };
        let has_waited = self.dice.chance(self.plan.trouble.shed);
        let wait = if has_waited { WAIT_MAX + 1 } else { 0 };
        let arrived = now.micros.saturating_sub(wait);
        self.arrivals.entry((line, about(frame))).or_default().push(arrived);
        core.on_frame(line, now, arrived, frame);
        self.trace.note(now.micros, frame, || format!("host gets {}", brief(frame)));
        self.attend(line, now);
    }

    /// Does what the session of a line wants.
    pub(super) fn attend(&mut self, line: LineId, now: Moment) {
        while let Some(action) = self.core.as_mut().and_then(|core| core.next_action(line)) {
            self.act(line, now, action);
        }
    }
}
