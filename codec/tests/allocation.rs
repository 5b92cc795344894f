//! A sale is read, and answered into a warm buffer, without one heap allocation.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is a failure")]

use codec::{Dialect, Envelope, Limits, Message, MessageBuilder, cut, write_frame};

/// A sale request with a chip card and a PIN, in its frame.
fn frame() -> Vec<u8> {
    let file = include_str!("vectors/unionpay-pos.txt");
    let (_, block) = file.split_once("= golden: sale request of a chip card").unwrap();
    let hex: String = block.lines().skip(2).take_while(|line| !line.starts_with("mti")).collect();
    let pairs = hex.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// Reads everything there is, and writes an answer; returns a sum that depends on all of it.
fn answer(dialect: &Dialect, buffer: &[u8], reply: &mut Vec<u8>) -> u64 {
    let cut = cut(buffer, &Limits::default()).unwrap().unwrap();
    let envelope = Envelope::parse(cut.frame).unwrap();
    let sale = Message::parse(dialect, envelope.body).unwrap();
    let mut sum = 0_u64;
    let mut digits = [0; 400];
    for field in sale.fields() {
        let raw = sale.raw(field.0).unwrap();
        sum = sum.wrapping_add(raw.iter().copied().map(u64::from).sum());
        if let Some(content) = sale.digits(field.0) {
            let text = content.copy_to(&mut digits).unwrap();
            sum = sum.wrapping_add(text.iter().copied().map(u64::from).sum());
            sum = sum.wrapping_add(content.to_u64().unwrap_or(1));
        }
        for object in sale.tlv(field.0).into_iter().flatten() {
            sum = sum.wrapping_add(u64::from(object.unwrap().tag.value()));
        }
    }
    sum = sum.wrapping_add(u64::try_from(sale.mac_input().unwrap().len()).unwrap());
    reply.clear();
    write_frame(reply, envelope.tpdu.swapped(), envelope.header.with_requirement(0), |reply| {
        let mut builder = MessageBuilder::start(dialect, reply, b"0210")?;
        for field in [2, 3, 4, 11] {
            builder.copy(&sale, field)?;
        }
        builder.digits(12, b"101530")?.digits(13, b"1122")?.digits(32, b"00010000")?;
        builder.text(37, b"101530000042")?.text(38, b"012345")?.text(39, b"00")?;
        builder.copy(&sale, 41)?.copy(&sale, 42)?.copy(&sale, 49)?.copy(&sale, 60)?;
        builder.text(63, b"CUP")?;
        builder.finish_with_mac(64, |input| {
            let length = u64::try_from(input.len()).unwrap_or_default();
            length.to_be_bytes()
        })
    })
    .unwrap();
    sum
}

#[test]
fn a_sale_and_its_answer_take_nothing_from_the_heap() {
    let dialect = Dialect::unionpay_pos();
    let frame = frame();
    let mut reply = Vec::new();
    // The first answer warms the buffer; this also shows that allocations are seen.
    let mut sums = [0; 2];
    let first = allocation_counter::measure(|| sums[0] = answer(dialect, &frame, &mut reply));
    assert!(first.count_total > 0);
    let second = allocation_counter::measure(|| sums[1] = answer(dialect, &frame, &mut reply));
    assert_eq!((second.count_total, second.bytes_total), (0, 0));
    assert_eq!(sums[0], sums[1]);
    assert!(reply.len() > 100);
}
