//! From a line to a request: the fields that its transaction has, as terminals fill them.

use keys::{Pan12, PinFormat, TerminalKeys};

use crate::bench::draft::{Code, Draft};
use crate::line::Line;
use crate::play::{Record, World};
use crate::section::{Spec, spec};

/// Fields of text.
const TEXT: [u8; 9] = [37, 38, 39, 41, 42, 49, 59, 62, 63];
/// Fields of bytes, written in hexadecimal.
const BYTES: [u8; 3] = [52, 55, 64];

/// What a chip tells of a purchase: cryptogram, counter, verification results, amount, terminal.
const CHIP: &str = "9F260811223344556677889F2701809F10080706050403020100\
                    9F3704AABBCCDD9F36020001950500000000009A032611229C01009F02060000000060005F2A020156\
                    82027C009F1A0201569F03060000000000009F3303E0F0C8";
/// What a reversal tells of the chip.
const CHIP_UNDONE: &str = "950500000000009F1E0831323334353637389F10080706050403020100";
/// What a chip that paid by itself tells.
const CHIP_PAID: &str = "9F260811223344556677889F2701409F10080706050403020100\
                         9F3704AABBCCDD9F36020002950500000000009A032611229C01009F02060000000010005F2A020156\
                         82027C009F1A0201569F03060000000000009F3303E0F0C88A025931";

/// Builds the request of a line.
pub(crate) fn draft(world: &World, line: &Line<'_>) -> Draft {
    let spec = spec(line.name);
    let mut draft = if line.has("again") {
        world.record(line.terminal(), line.stan()).draft.clone()
    } else if line.is_undo {
        undo(world, line, &spec)
    } else {
        fresh(world, line, &spec)
    };
    bend(&mut draft, line);
    draft
}

/// Does what a line says of single fields.
fn bend(draft: &mut Draft, line: &Line<'_>) {
    for (name, value) in &line.named {
        match name.strip_prefix('f').and_then(|field| field.parse().ok()) {
            Some(field) => set(draft, field, value),
            None if name.starts_with('w') => {
                let bytes = const_hex::decode(value).unwrap();
                _ = draft.wire(name[1..].parse().unwrap(), &bytes);
            }
            None if *name == "mti" => draft.mti = const_hex::decode(value).unwrap(),
            None => {}
        }
    }
    line.without.iter().for_each(|&field| _ = draft.without(field));
    if line.has("cold") {
        draft.code = Code::Absent;
    }
}

/// Sets a field; `_` is a space.
fn set(draft: &mut Draft, field: u8, value: &str) {
    if TEXT.contains(&field) {
        draft.text(field, value.replace('_', " ").as_bytes());
    } else if BYTES.contains(&field) {
        draft.text(field, &const_hex::decode(value).unwrap());
    } else {
        draft.digits(field, value);
    }
}

fn fresh(world: &World, line: &Line<'_>, spec: &Spec) -> Draft {
    let setup = world.terminal(line.terminal());
    let mut draft = Draft::new(const_hex::decode(spec.mti).unwrap().try_into().unwrap());
    draft.signer = setup.name;
    draft.text(41, setup.name.as_bytes()).text(42, setup.merchant.as_bytes());
    draft.digits(60, &field_60(world, line, spec));
    if line.stan() > 0 {
        draft.digits(11, &format!("{:06}", line.stan()));
    }
    if spec.is_of_card() {
        of_card(world, line, spec, &mut draft);
        of_original(world, line, &mut draft);
    } else {
        draft.code = Code::Absent;
        of_terminal(world, line, spec, &mut draft);
    }
    draft
}

/// F60: kind, batch, network code; and for a card how it was read, whether a part will do, and the
/// points account.
fn field_60(world: &World, line: &Line<'_>, spec: &Spec) -> String {
    let batch = line
        .named
        .get("batch")
        .map_or_else(|| world.open_batch(line.terminal()), |batch| batch.parse().unwrap());
    let head = format!("{}{batch:06}", spec.kind);
    match spec.name {
        "account" => head,
        _ if !spec.is_of_card() => format!("{head}{}", spec.network),
        _ => {
            let part = u8::from(line.has("part"));
            let account = spec.account().unwrap_or_default();
            format!("{head}{}50{part}{account}", spec.network)
        }
    }
}

/// What every request of a card has, and what only some have.
fn of_card(world: &World, line: &Line<'_>, spec: &Spec, draft: &mut Draft) {
    draft.digits(3, spec.processing.unwrap_or("000000"));
    draft.digits(25, spec.condition.unwrap_or("00")).text(49, b"156");
    if let Some(amount) = line.amount() {
        draft.digits(4, &format!("{amount:012}"));
    }
    let is_by_hand = line.has("typed") || line.name.starts_with("mail");
    present(world, line, is_by_hand, draft);
    if let Some(pin) = line.named.get("pin") {
        enter_pin(world, line, pin, draft);
    }
    let fen = |name: &str| line.named.get(name).copied().unwrap_or("0").parse::<u64>().unwrap();
    match spec.name {
        "mail" => draft.text(62, b"91CVV2123            "),
        "verify" | "top-up" => draft.text(62, b"01310104199001011234  "),
        "adjust" | "tip" => draft.digits(48, &format!("{:012}", fen("tip"))).text(63, b"CUP"),
        "offline" => {
            draft.text(38, b"400123").digits(61, "00000000000000000048020000000").text(63, b"CUP")
        }
        "e-cash" => draft.text(55, &const_hex::decode(CHIP_PAID).unwrap()).text(63, b"CUP"),
        "refund" | "chip-refund" | "mail-refund" => draft.text(63, b"CUP"),
        "points-sale" => draft.text(62, &[b'1'; 60]),
        "instalment" => draft.text(62, &[b'1'; 62]),
        "reservation" => draft.text(62, b"9013800138000123456   "),
        "script" => draft.text(55, &const_hex::decode(CHIP_UNDONE).unwrap()),
        "pin-change" => new_pin(world, line, draft),
        _ => draft,
    };
}

/// How the card is there: swiped, in the reader, or typed in.
fn present(world: &World, line: &Line<'_>, is_by_hand: bool, draft: &mut Draft) {
    let Some(name) = line.card() else { return };
    let (pan, expiry) = world.number(name);
    let expiry = line.named.get("expiry").copied().unwrap_or(&expiry);
    let track = format!("{pan}D{expiry}201000000000");
    if is_by_hand {
        draft.digits(2, &pan).digits(14, expiry).digits(22, "012");
    } else if line.has("chip") {
        draft.digits(2, &pan).digits(14, expiry).digits(22, "052").digits(23, "001");
        draft.digits(35, &track).text(55, &const_hex::decode(CHIP).unwrap());
    } else {
        draft.digits(22, "022").digits(35, &track);
    }
}

fn keys_of<'w>(world: &'w World, line: &Line<'_>) -> &'w TerminalKeys {
    world.bench.keys_of(world.terminal(line.terminal()).name).unwrap()
}

fn block(world: &World, line: &Line<'_>, pin: &str) -> Vec<u8> {
    let (pan, _expiry) = world.number(line.card().unwrap());
    let bound = Pan12::from_pan(pan.as_bytes()).unwrap();
    let keys = keys_of(world, line);
    let block = keys.pin_block(pin.as_bytes(), PinFormat::WithPan, Some(&bound)).unwrap();
    block.as_bytes().to_vec()
}

/// The PIN, in F52; under SM4 in F63.
fn enter_pin(world: &World, line: &Line<'_>, pin: &str, draft: &mut Draft) {
    let (block, mode) = (block(world, line, pin), draft.fields[&22].clone());
    draft.wire(22, &[mode[0], 0x10]).digits(26, "12");
    if let Ok(short) = <[u8; 8]>::try_from(block.as_slice()) {
        draft.text(52, &short).digits(53, "2600000000000000");
    } else {
        draft.text(52, &[0; 8]).digits(53, "2300000000000000");
        draft.text(63, &[b"SM016", block.as_slice()].concat());
    }
}

fn new_pin<'d>(world: &World, line: &Line<'_>, draft: &'d mut Draft) -> &'d mut Draft {
    match line.named.get("new") {
        Some(pin) => draft.text(62, &block(world, line, pin)),
        None => draft,
    }
}

/// F37, F38 and F61 of what belongs to an earlier transaction.
fn of_original(world: &World, line: &Line<'_>, draft: &mut Draft) {
    let Some(of) = line.named.get("of") else { return };
    let (terminal, stan) = of.split_once(':').unwrap_or((line.terminal(), of));
    let original = world.record(terminal, stan.parse().unwrap());
    let Record { batch, date, heard, .. } = original;
    let slip = format!("{batch:06}{:0>6}", stan);
    if let (Some(rrn), false) = (heard.text(37), is_of_auth(line.name)) {
        draft.text(37, rrn.as_bytes());
    }
    if let Some(auth) = heard.text(38) {
        draft.text(38, auth.as_bytes());
    }
    match line.name {
        "addition" => {}
        "adjust" | "tip" => _ = draft.digits(61, &format!("{slip}{date}0048020000000")),
        _ if is_of_auth(line.name) || line.name.ends_with("refund") || line.name == "script" => {
            draft.digits(61, &format!("{slip}{date}"));
        }
        _ => _ = draft.digits(61, &slip),
    }
}

/// True for what is found by its authorisation code, and has no reference.
fn is_of_auth(name: &str) -> bool {
    matches!(name, "addition" | "pre-auth-void" | "completion" | "advice")
}

/// A settlement and what follows it.
fn of_terminal(world: &World, line: &Line<'_>, spec: &Spec, draft: &mut Draft) {
    match spec.name {
        "settle" => {
            let claim = line
                .named
                .get("claim")
                .map_or_else(|| world.totals(line.terminal()), |claim| (*claim).to_owned());
            let sums: Vec<u64> = claim.split('/').map(|sum| sum.parse().unwrap()).collect();
            let [debit, debits, credit, credits] = sums[..] else { panic!("{claim}") };
            let domestic = format!("{debit:012}{debits:03}{credit:012}{credits:03}0");
            draft.digits(48, &format!("{domestic}{}", "0".repeat(31)));
            draft.text(49, b"156").text(63, b"01 ");
        }
        "stripe" => {
            let details: Vec<_> = line.named["d"].split(',').collect();
            let rows = details.iter().map(|detail| {
                let (stan, fen) = detail.split_once(':').unwrap();
                format!("00{stan:0>6}{:020}{fen:0>12}", 0)
            });
            draft.digits(48, &format!("{:02}{}", details.len(), rows.collect::<String>()));
        }
        "end-207" | "end-202" => {
            let count = line.named.get("count").copied().unwrap_or("0");
            draft.digits(48, &format!("{count:0>4}"));
        }
        name if name.starts_with("detail-") => {
            present(world, line, false, draft);
            draft.without(35).digits(2, &world.number(line.card().unwrap()).0);
            draft.digits(4, &format!("{:012}", line.amount().unwrap())).text(49, b"156");
            draft.text(62, b"610000000000000000156");
        }
        _ => {}
    }
}

/// The reversal of a request that was sent, or of one that is told by card and amount and never
/// came.
fn undo(world: &World, line: &Line<'_>, spec: &Spec) -> Draft {
    let mut draft = if line.card().is_some() {
        fresh(world, line, spec)
    } else {
        world.record(line.terminal(), line.stan()).draft.clone()
    };
    draft.mti = vec![0x04, 0x00];
    if draft.fields.contains_key(&55) {
        draft.text(55, &const_hex::decode(CHIP_UNDONE).unwrap());
    }
    if !matches!(spec.name, "pin-change") {
        draft.without(62);
    }
    for field in [26, 35, 36, 37, 52, 53, 63] {
        draft.without(field);
    }
    draft.text(39, line.named.get("reason").unwrap_or(&"98").as_bytes());
    if draft.fields.contains_key(&61) && !line.has("keeps") {
        let batch = line
            .named
            .get("batch")
            .map_or_else(|| world.open_batch(line.terminal()), |batch| batch.parse().unwrap());
        draft.digits(61, &format!("{batch:06}{:06}0000", line.stan()));
    }
    draft
}
