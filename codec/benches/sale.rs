//! What reading a sale and building its answer cost: `cargo bench -p codec`.
//!
//! Each figure is the fastest of many rounds, since whatever else the machine does only adds to it.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::arithmetic_side_effects,
    reason = "a benchmark prints, and a panic ends it"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use codec::{Dialect, Message, MessageBuilder};

const ROUNDS: u32 = 5000;
const TURNS: u32 = 100;

fn main() {
    let dialect = Dialect::unionpay_pos();
    let sale = sale(dialect);
    let message = Message::parse(dialect, &sale).unwrap();
    let fields = message.fields().count();
    println!("a sale of {} bytes and {fields} fields, and its answer:", sale.len());

    let mut copy = Vec::with_capacity(512);
    measure("copy the bytes", || {
        copy.clear();
        copy.extend_from_slice(black_box(&sale));
        black_box(&copy);
    });
    measure("index", || {
        black_box(Message::parse(dialect, black_box(&sale)).unwrap());
    });
    measure("index, read every field", || {
        read_all(&Message::parse(dialect, black_box(&sale)).unwrap());
    });
    measure("index, read every field and chip object", || {
        let message = Message::parse(dialect, black_box(&sale)).unwrap();
        read_all(&message);
        for object in message.tlv(55).unwrap() {
            black_box(object.unwrap());
        }
    });
    let mut buffer = Vec::with_capacity(512);
    measure("build the answer", || {
        buffer.clear();
        answer(dialect, black_box(&message), &mut buffer);
        black_box(&buffer);
    });
    println!("the answer has {} bytes and {} fields", buffer.len(), {
        Message::parse(dialect, &buffer).unwrap().fields().count()
    });
}

/// Prints how long `work` takes once, and how often it allocates.
fn measure(name: &str, mut work: impl FnMut()) {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..TURNS {
            work();
        }
        best = best.min(start.elapsed());
    }
    let allocations = allocation_counter::measure(work).count_total;
    let nanoseconds = best.as_nanos() / u128::from(TURNS);
    println!("{name:<42} {nanoseconds:>6} ns {allocations:>4} allocations");
}

/// Reads every field as a switch does: numbers as numbers, digits as text, the rest in place.
#[inline(never)]
fn read_all(message: &Message<'_>) {
    let mut digits = [0; 40];
    black_box(message.digits(2).unwrap().copy_to(&mut digits));
    black_box(message.number(3));
    black_box(message.number(4));
    black_box(message.number(11));
    black_box(message.digits(14).unwrap().copy_to(&mut digits));
    black_box(message.digits(22).unwrap().copy_to(&mut digits));
    black_box(message.number(25));
    black_box(message.digits(35).unwrap().copy_to(&mut digits));
    black_box(message.text(41));
    black_box(message.text(42));
    black_box(message.text(49));
    black_box(message.raw(52));
    black_box(message.digits(53).unwrap().copy_to(&mut digits));
    black_box(message.raw(55));
    black_box(message.digits(60).unwrap().copy_to(&mut digits));
    black_box(message.raw(64));
    black_box(message.mac_input());
}

#[inline(never)]
fn answer(dialect: &Dialect, sale: &Message<'_>, buffer: &mut Vec<u8>) {
    let mut builder = MessageBuilder::start(dialect, buffer, b"0210").unwrap();
    for field in [2, 3, 4, 11] {
        builder.copy(sale, field).unwrap();
    }
    builder.digits(12, b"101530").unwrap().digits(13, b"1122").unwrap();
    builder.copy(sale, 14).unwrap().digits(15, b"1123").unwrap().copy(sale, 25).unwrap();
    builder.digits(32, b"00010000").unwrap();
    builder.text(37, b"101530000042").unwrap().text(38, b"012345").unwrap();
    builder.text(39, b"00").unwrap().copy(sale, 41).unwrap().copy(sale, 42).unwrap();
    builder.text(44, b"01020000   48031000   ").unwrap().copy(sale, 49).unwrap();
    builder.binary(55, b"\x9F\x36\x02\x00\x1A\x91\x0A0123456700").unwrap();
    builder.copy(sale, 60).unwrap().text(63, b"CUP").unwrap();
    builder.finish_with_mac(64, |_| *b"ECEB49A9").unwrap();
}

fn sale(dialect: &Dialect) -> Vec<u8> {
    let mut sale = Vec::new();
    let mut builder = MessageBuilder::start(dialect, &mut sale, b"0200").unwrap();
    builder.digits(2, b"6225000000000014").unwrap().number(3, 0).unwrap();
    builder.number(4, 10_000).unwrap().number(11, 42).unwrap();
    builder.digits(14, b"2912").unwrap().digits(22, b"051").unwrap().number(25, 0).unwrap();
    builder.digits(35, b"6225000000000014D29122010000000000000").unwrap();
    builder.text(41, b"10000001").unwrap().text(42, b"898000000000001").unwrap();
    builder.text(49, b"156").unwrap().binary(52, &[0xA7; 8]).unwrap();
    builder.digits(53, b"2600000000000000").unwrap();
    builder.binary(55, CHIP).unwrap();
    builder.digits(60, b"22000001000601").unwrap();
    builder.finish_with_mac(64, |_| *b"ECEB49A9").unwrap();
    sale
}

/// Nineteen objects, as a chip card's sale carries them.
const CHIP: &[u8] = b"\x9F\x26\x08\xAC\xF9\x58\xC8\x0F\xF7\x44\x03\x9F\x27\x01\x80\x9F\x10\x13\x07\x01\
\x01\x03\xA0\xA8\x02\x01\x0A\x01\x00\x00\x00\x00\x00\x32\x8E\x7B\xDA\x9F\x37\x04\x5F\xEA\x9A\xF8\x9F\x36\
\x02\x01\x96\x95\x05\x00\x80\x04\xE0\x00\x9A\x03\x16\x07\x26\x9C\x01\x00\x9F\x02\x06\x00\x00\x00\x01\x00\
\x00\x5F\x2A\x02\x01\x56\x82\x02\x7C\x00\x9F\x1A\x02\x01\x56\x9F\x33\x03\xE0\xF0\xC8\x9F\x34\x03\x42\x03\
\x00\x9F\x35\x01\x22\x84\x08\xA0\x00\x00\x03\x33\x01\x01\x01\x9F\x09\x02\x00\x30\x9F\x1E\x0850703665";
