//! The words that scripts are made of.

use domain::issuing::{AcceptanceRule, CardStatus, Ceiling, Limits, Right};
use domain::ledger::Purse;
use domain::shard::Detail;
use domain::terms::{Amount, BatchNo, BusinessDate, MerchantId, Stan, TerminalId};
use domain::txn::{Difference, Totals, TxnKind};

use crate::fixtures;

pub(super) fn terminal(name: &str) -> TerminalId {
    fixtures::terminal(name.strip_prefix('T').unwrap().parse().unwrap())
}

pub(super) fn merchant(name: &str) -> MerchantId {
    fixtures::merchant(name.strip_prefix('M').unwrap().parse().unwrap())
}

pub(super) fn stan(text: &str) -> Stan {
    Stan::new(text.parse().unwrap()).unwrap()
}

pub(super) fn batch(text: &str) -> BatchNo {
    BatchNo::new(text.parse().unwrap()).unwrap()
}

/// Finds a kind by its name, written with hyphens.
pub(super) fn kind(name: &str) -> TxnKind {
    known_kind(name).unwrap_or_else(|| panic!("no kind {name}"))
}

pub(super) fn known_kind(name: &str) -> Option<TxnKind> {
    TxnKind::ALL.into_iter().find(|kind| kind.name().replace('_', "-") == name)
}

pub(super) fn date(text: &str) -> BusinessDate {
    let mut parts = text.split('-').map(|part| part.parse::<u16>().unwrap());
    let (year, month, day) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    BusinessDate::new(year, month.try_into().unwrap(), day.try_into().unwrap()).unwrap()
}

/// Reads `stan:amount,stan:amount`.
pub(super) fn details(text: &str) -> Vec<(Stan, Amount)> {
    let pairs = text.split(',').map(|pair| pair.split_once(':').unwrap());
    pairs.map(|(s, fen)| (stan(s), Amount::from_fen(fen.parse().unwrap()))).collect()
}

/// Reads `debit/count/credit/count`.
pub(super) fn totals(text: &str) -> Totals {
    let mut numbers = text.split('/').map(|number| number.parse::<i64>().unwrap());
    let mut next = || numbers.next().unwrap();
    Totals {
        debit: Amount::from_fen(next()),
        debit_count: next().try_into().unwrap(),
        credit: Amount::from_fen(next()),
        credit_count: next().try_into().unwrap(),
    }
}

/// Finds a right by its name.
pub(super) fn right(name: &str) -> Right {
    match name {
        "sale" => Right::Sale,
        "inquiry" => Right::Inquiry,
        "refund" => Right::Refund,
        "preauth" => Right::PreAuth,
        "topup" => Right::TopUp,
        "points" => Right::Points,
        "mail" => Right::MailOrder,
        "offline" => Right::Offline,
        "ecash" => Right::ECash,
        "activation" => Right::Activation,
        "pinchange" => Right::PinChange,
        "partial" => Right::Partial,
        other => panic!("no right {other}"),
    }
}

/// Reads `category:5411`, `!goods:7` and the like.
pub(super) fn rule(text: &str) -> AcceptanceRule {
    let (name, number) = text.split_once(':').unwrap();
    let number: u32 = number.parse().unwrap();
    let short = u16::try_from(number).unwrap_or(0);
    match name {
        "category" => AcceptanceRule::Category(short),
        "!category" => AcceptanceRule::NotCategory(short),
        "brand" => AcceptanceRule::Brand(short),
        "region" => AcceptanceRule::Region(number),
        "goods" => AcceptanceRule::Goods(short),
        "!goods" => AcceptanceRule::NotGoods(short),
        other => panic!("no rule {other}"),
    }
}

/// Reads `day amount/day count/month amount/month count`.
pub(super) fn limits(text: &str) -> Limits {
    let mut numbers = text.split('/').map(|number| number.parse::<u32>().unwrap());
    let mut ceiling = || Ceiling {
        amount: Amount::from_fen(numbers.next().unwrap().into()),
        count: numbers.next().unwrap(),
    };
    Limits { day: ceiling(), month: ceiling() }
}

pub(super) fn status(name: &str) -> CardStatus {
    match name {
        "Sold" => CardStatus::Sold,
        "Active" => CardStatus::Active,
        "Frozen" => CardStatus::Frozen,
        "Lost" => CardStatus::Lost,
        "Cancelled" => CardStatus::Cancelled,
        other => panic!("no status {other}"),
    }
}

/// Writes a detail as a script does: `balanced`, `missing:2,amount:3`, `available/ledger`.
pub(super) fn detail(detail: &Detail) -> String {
    match detail {
        Detail::Plain => "plain".into(),
        Detail::Approval { parts, .. } => {
            format!("{}+{}", parts.of(Purse::Main).fen(), parts.of(Purse::Bonus).fen())
        }
        Detail::Balance { available, ledger } => format!("{}/{}", available.fen(), ledger.fen()),
        Detail::Points(points) => format!("points:{}", points.fen()),
        Detail::Room(room) => format!("room:{}", room.fen()),
        Detail::Batch(number) => format!("batch:{}", number.number()),
        Detail::Closed(closing) if closing.is_balanced() => "balanced".into(),
        Detail::Closed(_) => "unbalanced".into(),
        Detail::Uploaded(count) => format!("uploaded:{count}"),
        Detail::Ended(differences) => {
            let shown = differences.iter().map(|difference| match difference {
                Difference::Missing(stan) => format!("missing:{}", stan.number()),
                Difference::Foreign(stan) => format!("foreign:{}", stan.number()),
                Difference::Amount(stan) => format!("amount:{}", stan.number()),
            });
            shown.collect::<Vec<_>>().join(",")
        }
    }
}
