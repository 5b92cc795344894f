//! What is written is read, in every dialect.

use codec::field::{Content, Format};
use codec::{Dialect, Message, MessageBuilder};
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};

/// Content for one field, drawn from `seed` bytes.
fn content(format: &Format, length: Index, seed: &[u8]) -> Vec<u8> {
    let max = usize::from(format.max);
    let length = if format.is_fixed() { max } else { length.index(max + 1) };
    let alphabet: &[u8] = match format.content {
        Content::Digits => b"0123456789",
        Content::Track => b"0123456789D",
        Content::Text | Content::Binary | Content::Tlv => &[],
    };
    let byte = |seed: &u8| match alphabet {
        [] => *seed,
        _ => alphabet[usize::from(*seed) % alphabet.len()],
    };
    seed.iter().cycle().take(length).map(byte).collect()
}

fn dialects() -> impl Strategy<Value = &'static Dialect> {
    prop::sample::select(Dialect::builtin_names().collect::<Vec<_>>())
        .prop_map(|name| Dialect::builtin(name).unwrap())
}

/// A dialect, some of its fields, and what they hold.
fn messages() -> impl Strategy<Value = (&'static Dialect, Vec<(u8, Vec<u8>)>)> {
    dialects().prop_flat_map(|dialect| {
        let fields: Vec<u8> = dialect.fields().collect();
        let seed = prop::collection::vec(any::<u8>(), 1..60);
        let chosen = subsequence(fields.clone(), 0..=fields.len().min(24));
        (chosen, prop::collection::vec((any::<Index>(), seed), 24)).prop_map(
            move |(fields, seeds)| {
                let with = |(field, (length, seed)): (u8, &(Index, Vec<u8>))| {
                    (field, content(dialect.format(field).unwrap(), *length, seed))
                };
                (dialect, fields.into_iter().zip(&seeds).map(with).collect())
            },
        )
    })
}

fn build(dialect: &Dialect, mti: [u8; 4], fields: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut buffer = Vec::new();
    let mut builder = MessageBuilder::start(dialect, &mut buffer, &mti).unwrap();
    for (field, content) in fields {
        let format = dialect.format(*field).unwrap();
        if format.is_numeric() {
            builder.digits(*field, content).unwrap();
        } else {
            builder.binary(*field, content).unwrap();
        }
    }
    builder.finish().unwrap();
    buffer
}

proptest! {
    #[test]
    fn what_is_written_is_read((dialect, fields) in messages(), mti in 0..10_000_u32) {
        let mti = format!("{mti:04}");
        let body = build(dialect, mti.as_bytes().try_into().unwrap(), &fields);
        let message = Message::parse(dialect, &body).unwrap();
        prop_assert_eq!(message.mti().to_string(), mti);
        let numbers: Vec<u8> = message.fields().map(|field| field.0).collect();
        prop_assert_eq!(numbers, fields.iter().map(|(field, _)| *field).collect::<Vec<u8>>());
        for (field, content) in &fields {
            if dialect.format(*field).unwrap().is_numeric() {
                prop_assert_eq!(&message.digits(*field).unwrap().iter().collect::<Vec<u8>>(), content);
            } else {
                prop_assert_eq!(message.raw(*field).unwrap(), &content[..]);
            }
        }
    }

    #[test]
    fn bytes_are_refused_or_written_again(
        dialect in dialects(),
        mut bytes in prop::collection::vec(any::<u8>(), 0..200),
        few in any::<bool>(),
    ) {
        // Random bytes rarely survive sixty-four fields; with few they often do.
        if few && bytes.len() > 18 {
            let mti = if dialect.name() == "iso87-ascii" { &b"0200"[..] } else { &[2, 0] };
            bytes[..mti.len()].copy_from_slice(mti);
            bytes[mti.len()] &= 0x7F;
            bytes[mti.len() + 1..mti.len() + 8].fill(0);
        }
        if let Ok(message) = Message::parse(dialect, &bytes) {
            let mut copy = Vec::new();
            let mut builder =
                MessageBuilder::start(dialect, &mut copy, message.mti().as_bytes()).unwrap();
            for field in message.fields() {
                builder.copy(&message, field.0).unwrap();
            }
            builder.finish().unwrap();
            prop_assert_eq!(copy, bytes);
        }
    }

    #[test]
    fn a_number_is_read_as_it_was_written(number in 0..1_000_000_000_000_u64, code in 0..1000_u64) {
        for dialect in Dialect::builtin_names().map(|name| Dialect::builtin(name).unwrap()) {
            let mut buffer = Vec::new();
            let mut builder = MessageBuilder::start(dialect, &mut buffer, b"0200").unwrap();
            builder.number(4, number).unwrap().number(22, code).unwrap().number(23, code).unwrap();
            builder.finish().unwrap();
            let message = Message::parse(dialect, &buffer).unwrap();
            prop_assert_eq!(message.number(4), Some(number));
            prop_assert_eq!(message.number(22), Some(code));
            prop_assert_eq!(message.number(23), Some(code));
            let text = format!("{number:012}");
            prop_assert_eq!(message.digits(4).unwrap().iter().collect::<Vec<_>>(), text.as_bytes());
        }
    }

    #[test]
    fn a_part_of_digits_is_the_same_part_of_their_text(
        digits in "[0-9]{0,19}",
        start in 0..25_usize,
        end in 0..25_usize,
    ) {
        for name in ["unionpay-pos", "iso87-ascii"] {
            let dialect = Dialect::builtin(name).unwrap();
            let body = build(dialect, *b"0200", &[(2, digits.clone().into_bytes())]);
            let message = Message::parse(dialect, &body).unwrap();
            let part = message.digits(2).unwrap().slice(start..end);
            let expected = digits.get(start..end);
            let mut buffer = [0; 19];
            let copied = part.map(|part| part.copy_to(&mut buffer).unwrap().to_vec());
            prop_assert_eq!(copied.as_deref(), expected.map(str::as_bytes));
            prop_assert_eq!(part.and_then(|part| part.to_u64()), expected.and_then(|text| text.parse().ok()));
        }
    }
}
