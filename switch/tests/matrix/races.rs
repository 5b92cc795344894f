//! Two requests of one terminal that arrive before anything is durable. Both orders; the answer
//! and the books must be as if one had come after the other.

use crate::bench::Heard;
use crate::effect;
use crate::form;
use crate::line::Line;
use crate::play::World;

/// Plays `before`, then two lines at once; each must be answered as it says, and afterwards the
/// books must be as `after` says.
fn race(before: &str, first: &str, second: &str, after: &str) {
    let mut world = World::played(before);
    let lines = [first, second].map(|text| Line::cut(text).unwrap());
    let frames = [&lines[0], &lines[1]].map(|line| {
        let draft = form::draft(&world, line);
        world.bench.signed(&draft)
    });
    let heard = world.bench.hear_together(&frames);
    let codes: Vec<_> = heard.iter().map(Heard::code).collect();
    let wanted = lines.each_ref().map(|line| line.code.replace('-', "no code"));
    assert_eq!(codes, wanted, "{first}\n{second}");
    let told = format!("4 inquiry 99 A | {after}");
    let faults = effect::faults(&world, &Line::cut(&told).unwrap());
    assert!(faults.is_empty(), "{first}\n{second}\n{faults:?}");
}

const SOLD: &str = "
    card A main=50000
    5 sale 2 A 6000 | 00
";

#[test]
fn a_reversal_during_its_sale() {
    let sale = "5 sale 3 A 1000 | 00";
    race(SOLD, sale, "13 undo sale 3 A 1000 | 00", "00 A=44000 T1=6000/1/0/0");
    race(SOLD, sale, "13 undo sale 3 A 1000 typed | 00", "00 A=44000 T1=6000/1/0/0");
    race(SOLD, "13 undo sale 3 A 1000 | 25", "5 sale 3 A 1000 | 22", "00 A=44000 T1=6000/1/0/0");
    race(SOLD, "13 undo sale 3 A 1000 typed | 25", "5 sale 3 A 1000 | 22", "00 A=44000");
}

#[test]
fn a_void_during_another() {
    race(SOLD, "6 void 3 A 6000 of=2 | 00", "6 void 4 A 6000 of=2 | 22", "00 A=50000");
    race(SOLD, "6 void 3 A 6000 of=2 | 00", "13 undo sale 2 | 12", "00 A=50000");
    race(SOLD, "13 undo sale 2 | 00", "6 void 3 A 6000 of=2 | 22", "00 A=50000");
}

#[test]
fn a_repeat_while_the_first_is_in_flight() {
    let mut world = World::played(SOLD);
    let line = Line::cut("5 sale 3 A 1000 | 00").unwrap();
    let draft = form::draft(&world, &line);
    let frame = world.bench.signed(&draft);
    let heard = world.bench.hear_together(&[frame.clone(), frame]);
    assert_eq!(heard[0].code(), "00");
    assert_eq!(heard[0].frame, heard[1].frame);
    let told = Line::cut("4 inquiry 99 A | 00 A=43000").unwrap();
    assert!(effect::faults(&world, &told).is_empty());
}

/// Which of two cards has the trace number is known when the first is through: a refusal that
/// nobody remembers is none.
#[test]
fn one_trace_number_for_two_cards() {
    let two = &format!("{SOLD}card B main=2000");
    race(
        two,
        "5 sale 3 B 1000 typed | 00",
        "5 sale 3 A 1000 typed | 94",
        "00 A=44000 T1=7000/2/0/0",
    );
    race(
        two,
        "5 sale 3 B 3000 typed | 51",
        "5 sale 3 A 1000 typed | 00",
        "00 A=43000 T1=7000/2/0/0",
    );
}

/// The end of an upload waits for its settlement, so that it knows what was booked.
#[test]
fn an_end_during_its_settlement() {
    let settled = ["14 settle 3 claim=7000/2/0/0 | -", "17 end-202 8 count=0000 batch=1 | 00"];
    let ended = |lines: [&str; 2], play: fn(&mut World, &[Vec<u8>])| {
        let mut world = World::played(SOLD);
        let frames = lines.map(|text| {
            let line = Line::cut(text).unwrap();
            let draft = form::draft(&world, &line);
            world.bench.signed(&draft)
        });
        play(&mut world, &frames);
        world.bench.state()
    };
    let together = ended(settled, |world, frames| {
        world.bench.hear_together(frames);
    });
    let in_turn = ended(settled, |world, frames| {
        for frame in frames {
            world.bench.hear_together(std::slice::from_ref(frame));
        }
    });
    assert_eq!(together, in_turn);
}

/// A settlement waits for what is in flight and counts it; what comes while it is on its way waits
/// for it, and then finds its batch closed.
#[test]
fn a_settlement_during_something() {
    let all = "14 settle 3 claim=7000/2/0/0 | -";
    race(SOLD, "5 sale 4 A 1000 | 00", all, "00 A=43000 T1.batch=2 T1=0/0/0/0");
    race(SOLD, "14 settle 3 | -", "5 sale 4 A 1000 | 77", "00 A=44000 T1.batch=2 T1=0/0/0/0");
    race(SOLD, "6 void 4 A 6000 of=2 | 00", "14 settle 3 claim=6000/1/6000/1 | -", "00 A=50000");
    race(SOLD, "14 settle 3 | -", "6 void 4 A 6000 of=2 | 77", "00 A=44000 T1.batch=2");
    race(SOLD, "13 undo sale 2 | 00", "14 settle 3 claim=0/0/0/0 | -", "00 A=50000 T1.batch=2");
    race(SOLD, "14 settle 3 | -", "13 undo sale 2 | 12", "00 A=44000 T1.batch=2");
}

/// More is asked for than there is, twice at once: one is done.
#[test]
fn lim_02_two_loads_that_are_too_much_together() {
    let verified = "
        card A main=0
        27 verify 2 A | 00 f62=000000100000
        27 verify 3 A | 00 f62=000000100000
    ";
    race(verified, "28 top-up 4 A 60000 of=2 | 00", "28 top-up 5 A 60000 of=3 | 61", "00 A=60000");
    race(SOLD, "5 sale 4 A 30000 | 00", "5 sale 5 A 30000 | 51", "00 A=14000");
}
