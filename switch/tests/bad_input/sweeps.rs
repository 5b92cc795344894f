//! The good sale with one thing changed, wherever that may be: none is approved.

use crate::bench::draft::{FEN, MAC, sale};
use crate::bench::{Bench, Ear};

/// TPDU and header, which no message code covers.
const ENVELOPE: usize = 11;
/// Message type and bitmap.
const HEAD: usize = 10;

/// Sends every frame, and then the good sale itself, which must be approved: nothing before it
/// was taken, and nothing stands in its way. Returns the codes.
fn refused(bench: &mut Bench, frames: impl IntoIterator<Item = Vec<u8>>) -> Vec<String> {
    let good = sale(bench.keys());
    let state = bench.state();
    let codes: Vec<_> = frames.into_iter().map(|frame| bench.hear(&frame).code()).collect();
    let taken: Vec<_> =
        (0..).zip(&codes).filter(|(_, code)| *code == "00").collect::<Vec<(usize, _)>>();
    assert!(taken.is_empty(), "{taken:?}");
    assert_eq!(bench.state(), state, "{codes:?}");
    let fen = bench.fen();
    assert_eq!(bench.send(&good).code(), "00");
    assert_eq!(fen - bench.fen(), FEN);
    codes
}

#[test]
fn cut_short_anywhere() {
    Ear::new().listen(|| {
        let mut bench = Bench::new();
        let frame = bench.signed(&sale(bench.keys()));
        let cuts: Vec<_> = (0..frame.len()).map(|length| frame[..length].to_vec()).collect();
        let codes = refused(&mut bench, cuts);
        for (length, code) in codes.iter().enumerate() {
            let wanted = if length < ENVELOPE + HEAD { "dropped" } else { "30" };
            assert_eq!(code, wanted, "{length} bytes of {}", frame.len());
        }
    });
}

#[test]
fn any_bit_flipped_after_signing() {
    Ear::new().listen(|| {
        let mut bench = Bench::new();
        let frame = bench.signed(&sale(bench.keys()));
        let flips: Vec<_> = (ENVELOPE * 8..frame.len() * 8)
            .map(|bit| {
                let mut flipped = frame.clone();
                flipped[bit / 8] ^= 0x80 >> (bit % 8);
                flipped
            })
            .collect();
        refused(&mut bench, flips);
    });
}

#[test]
fn any_bit_of_the_bitmap_flipped_before_signing() {
    Ear::new().listen(|| {
        let mut bench = Bench::new();
        let good = sale(bench.keys());
        let keys = bench.keys();
        let frames: Vec<_> = (0..64)
            .map(|bit| {
                let mut frame = bench.signed(&good);
                frame[ENVELOPE + 2 + bit / 8] ^= 0x80 >> (bit % 8);
                let (body, code) = frame[ENVELOPE..].split_at(frame.len() - ENVELOPE - 8);
                assert_eq!(code.len(), 8);
                let code = keys.mac(MAC, body).unwrap();
                [&frame[..frame.len() - 8], &code].concat()
            })
            .collect();
        refused(&mut bench, frames);
    });
}
