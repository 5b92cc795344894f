//! A frame of a terminal, from the wire up to what is asked of a shard.

mod post;

use std::cell::RefCell;

use codec::{Dialect, Envelope, Limits, Message, cut};
use domain::shard::{Command, Request, Reversal};
use domain::terms::{BatchNo, MerchantId, ShardNo, Stan, TerminalId};
use domain::txn::{Flow, TxnKey};
use switch::facts::Guard;
use switch::flow::{Asked, Outgoing, Step, gather};

use post::Post;

/// The length before the frame is made right.
const LENGTH: u8 = 1;
/// The message code is made right, with the keys of the terminal that the message names.
const CODE: u8 = 2;

thread_local! {
    static POST: RefCell<Post> = RefCell::new(Post::new());
}

/// What a line has received; the first byte says what of it is made right. Nothing about a card is
/// asked of a shard without a right message code, what is asked is what stands in the frame, no
/// stranger gets an answer signed, keys and batches stay as they are, and nothing is left in flight.
/// The same holds for the frame with one bit altered.
pub fn law(bytes: &[u8]) -> bool {
    let Some((choice, rest)) = bytes.split_first() else { return false };
    let mut stream = Vec::new();
    if choice & LENGTH != 0 {
        stream.extend(u16::try_from(rest.len()).unwrap_or(u16::MAX).to_be_bytes());
    }
    stream.extend(rest);
    let Ok(Some(cut)) = cut(&stream, &Limits::default()) else { return false };
    let mut frame = cut.frame.to_vec();
    POST.with_borrow_mut(|post| {
        if choice & CODE != 0 {
            post.sign(&mut frame);
        }
        let is_asked = holds(post, &frame);
        // Some bit behind the envelope, another one for other bytes.
        if let Some(start) = body(&frame).map(|body| frame.len() - body.len()) {
            let bits = (frame.len() - start) * 8;
            let sum = rest.iter().fold(0, |sum: usize, b| sum.wrapping_mul(31) ^ usize::from(*b));
            let bit = start * 8 + sum % bits;
            frame[bit / 8] ^= 0x80 >> (bit % 8);
            holds(post, &frame);
        }
        is_asked
    })
}

fn holds(post: &mut Post, frame: &[u8]) -> bool {
    post.restore();
    let before = post.state();
    let step = gather(&post.facts, post.now, post.now.micros, frame);
    assert!(post.state() == before, "gathering changed what is kept of a terminal");
    let is_question = matches!(step, Step::Ask(_));
    match step {
        Step::Ask(asked) => is_asked(post, frame, &asked),
        Step::Answer(outgoing) => is_answer(post, frame, &outgoing),
        Step::Later => panic!("nothing is in flight"),
        Step::Drop(_) => {}
    }
    assert!(post.is_idle(), "something stays in flight");
    is_question
}

/// The message of a frame.
fn body(frame: &[u8]) -> Option<&[u8]> {
    Envelope::parse(frame).ok().map(|envelope| envelope.body).filter(|body| !body.is_empty())
}

/// What is asked of a shard is what the frame says, and it was signed if it touches a card.
fn is_asked(post: &Post, frame: &[u8], asked: &Asked) {
    let body = body(frame).unwrap();
    let said = Message::parse(Dialect::unionpay_pos(), body).expect("what is asked was read");
    let terminal = TerminalId::parse(said.text(41).unwrap()).unwrap();
    assert_eq!(post.merchant(terminal), MerchantId::parse(said.text(42).unwrap()));
    match &asked.command {
        Command::Transact(Request { key, kind, card, merchant, amount, .. }) => {
            assert!(matches!(&asked.guard, Guard::Claim(_)));
            assert_eq!((*key, Some(*merchant)), (key_of(&said, terminal), post.merchant(terminal)));
            let is_amount = said.number(4) == u64::try_from(amount.fen()).ok();
            assert!(is_amount || (kind.flow() == Flow::Nothing && amount.fen() == 0));
            is_about(post, asked, card.shard());
        }
        Command::Reverse(Reversal { key, card, merchant, amount, .. }) => {
            assert!(matches!(&asked.guard, Guard::Claim(_)));
            assert_eq!((*key, Some(*merchant)), (key_of(&said, terminal), post.merchant(terminal)));
            assert_eq!(said.number(4).unwrap_or(0), u64::try_from(amount.fen()).unwrap());
            is_about(post, asked, card.shard());
        }
        Command::Bar(key) => {
            assert_eq!(*key, key_of(&said, terminal));
            is_about(post, asked, terminal.shard());
        }
        Command::SignOn { terminal: named, .. }
        | Command::SignOff(named)
        | Command::CloseBatch { terminal: named, .. }
        | Command::EndBatch { terminal: named, .. }
        | Command::Care { terminal: named, .. } => {
            assert_eq!((*named, asked.shard), (terminal, terminal.shard()));
            return;
        }
        Command::Upload(upload) => {
            assert_eq!((upload.terminal, asked.shard), (terminal, terminal.shard()));
            return;
        }
        Command::IssueCard(_) | Command::RegisterTerminal { .. } | Command::CutOff(_) => {
            panic!("no terminal may ask that")
        }
    }
    assert!(post.is_genuine(body), "nobody signed that");
    if let Some(pan) = said.digits(2).filter(|pan| pan.len() >= 13) {
        let pan: String = pan.iter().map(char::from).collect();
        assert!(!format!("{:?}", asked.command).contains(&pan), "a command shows a card number");
    }
}

fn is_about(post: &Post, asked: &Asked, shard: ShardNo) {
    assert_eq!(asked.shard, shard);
    assert_eq!(post.facts.cards.len(), post.cards);
}

/// What makes a message the same as another.
fn key_of(said: &Message<'_>, terminal: TerminalId) -> TxnKey {
    let number = |number: Option<u64>| u32::try_from(number.unwrap()).unwrap();
    let batch = said.digits(60).unwrap().slice(2..8).unwrap().to_u64();
    let batch = BatchNo::new(number(batch)).unwrap();
    TxnKey { terminal, batch, stan: Stan::new(number(said.number(11))).unwrap() }
}

/// An answer goes to the one who asked, tells no secret, and is signed only for one who signed.
fn is_answer(post: &Post, frame: &[u8], outgoing: &Outgoing) {
    let whole = cut(&outgoing.bytes, &Limits::default()).unwrap().unwrap();
    assert_eq!(whole.consumed, outgoing.bytes.len());
    let (asked, answered) =
        (Envelope::parse(frame).unwrap(), Envelope::parse(whole.frame).unwrap());
    assert_eq!(answered.tpdu, asked.tpdu.swapped());
    let dialect = Dialect::unionpay_pos();
    let (said, _) = Message::salvage(dialect, asked.body).unwrap();
    let answer = Message::parse(dialect, answered.body).expect("an answer can be read");
    let [version, class, function, _] = *said.mti().as_bytes();
    assert_eq!(*answer.mti().as_bytes(), [version, class, function + 1, b'0']);
    for field in [11, 41, 42] {
        assert_eq!(answer.raw(field), said.raw(field), "field {field}");
    }
    for field in [35, 36, 52, 55] {
        assert!(!answer.has(field), "field {field}");
    }
    let code = outgoing.code.unwrap();
    assert_eq!(answer.text(39), Some(code.0.as_slice()));
    assert!(code.0 != *b"00" || said.mti().as_bytes() == b"0820", "no shard was asked");
    let is_genuine = post.is_genuine(asked.body);
    assert!(code.0 != *b"A0" || !is_genuine, "the message code was right");
    if answer.has(64) {
        assert!(is_genuine, "signed for a stranger");
        assert!(post.is_genuine(answered.body), "signed wrong");
    }
}
