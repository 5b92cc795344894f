//! Response codes (F39): one table, with what terminals show of them and what they mean.

use std::fmt;

use domain::terms::Refusal;

/// A response code as F39 carries it.
#[derive(Clone, Copy, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct ResponseCode(pub [u8; 2]);

impl fmt::Display for ResponseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.0).unwrap_or("??"))
    }
}

impl fmt::Debug for ResponseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $shown:literal, $zh:literal, $en:literal;)*) => {
        impl ResponseCode {
            $($(#[$doc])* pub const $name: Self = Self(*$code);)*
        }

        /// Every code this system answers: what a terminal shows of it (F63, at most 20 characters),
        /// and its meaning in Chinese and in English.
        pub static TABLE: &[(ResponseCode, &str, &str, &str)] =
            &[$((ResponseCode::$name, $shown, $zh, $en),)*];
    };
}

codes! {
    /// Done.
    APPROVED = b"00", "", "交易成功", "approved";
    /// The merchant is unknown, or not that of the terminal.
    INVALID_MERCHANT = b"03", "BAD MERCHANT", "商户无效", "invalid merchant";
    /// Done in part: there was less on the card than asked.
    APPROVED_IN_PART = b"10", "", "部分金额批准", "approved in part";
    /// The transaction does not exist, or does not fit its original.
    INVALID_TRANSACTION = b"12", "BAD TRANSACTION", "无效交易", "invalid transaction";
    /// The amount is zero.
    INVALID_AMOUNT = b"13", "BAD AMOUNT", "金额无效", "invalid amount";
    /// No such card, or not the card of the original.
    INVALID_CARD = b"14", "BAD CARD", "无效卡号", "invalid card number";
    /// No issuer has cards that begin like this.
    NO_ISSUER = b"15", "NO ISSUER", "无此发卡方", "no such issuer";
    /// The card is not activated.
    NOT_ACTIVATED = b"21", "CARD NOT ACTIVE", "卡未激活", "card not activated";
    /// The original was undone or used up before.
    ALREADY_UNDONE = b"22", "ORIGINAL UNDONE", "原交易已撤销、冲正或完成", "original already voided, reversed or used up";
    /// There is no such original.
    NOT_FOUND = b"25", "NO ORIGINAL", "无原始交易", "original not found";
    /// The message cannot be read.
    FORMAT_ERROR = b"30", "FORMAT ERROR", "报文格式错", "format error";
    /// The transaction exists, but not here.
    NOT_SUPPORTED = b"40", "NOT SUPPORTED", "不支持的交易", "function not supported";
    /// The card is lost.
    LOST_CARD = b"41", "CARD LOST", "挂失卡", "lost card";
    /// There is less on the card than asked.
    INSUFFICIENT_FUNDS = b"51", "EL2 BALANCE TOO LOW", "余额不足", "insufficient funds";
    /// The card has expired.
    EXPIRED = b"54", "CARD EXPIRED", "卡已过期", "expired card";
    /// The PIN is wrong, or missing, or a new one will not do.
    WRONG_PIN = b"55", "WRONG PIN", "密码错", "wrong PIN";
    /// The card may not do this.
    NOT_PERMITTED_TO_CARD = b"57", "NOT FOR THIS CARD", "此卡不允许此交易", "not permitted to card";
    /// The terminal may not do this.
    NOT_PERMITTED_TO_TERMINAL = b"58", "NOT AT THIS TERMINAL", "终端不允许此交易", "not permitted to terminal";
    /// Above a limit of amount.
    AMOUNT_LIMIT = b"61", "ABOVE LIMIT", "超出金额限制", "exceeds amount limit";
    /// The card is frozen.
    RESTRICTED_CARD = b"62", "CARD RESTRICTED", "受限制的卡", "restricted card";
    /// The amount is not that of the original.
    AMOUNT_DIFFERS = b"64", "AMOUNT DIFFERS", "与原交易金额不符", "amount differs from original";
    /// More often than allowed.
    COUNT_LIMIT = b"65", "TOO OFTEN", "超出次数限制", "exceeds count limit";
    /// Too many wrong PINs.
    PIN_TRIES_EXCEEDED = b"75", "PIN LOCKED", "密码错误次数超限", "PIN tries exceeded";
    /// The batch is not the one that takes slips: settle, or sign on again.
    BATCH_DIFFERS = b"77", "SETTLE OR SIGN ON", "批次不符, 请结算或重新签到", "batch differs: settle or sign on again";
    /// The issuer is switched off.
    ISSUER_DOWN = b"91", "ISSUER DOWN", "发卡方状态异常", "issuer not operational";
    /// There is no line to the issuer.
    NO_LINE = b"92", "NO ISSUER LINE", "线路异常", "issuer line not available";
    /// The same trace number with other content.
    DUPLICATE = b"94", "DUPLICATE", "重复交易", "duplicate transaction";
    /// The switch cannot do it at this moment.
    MALFUNCTION = b"96", "TRY LATER", "系统异常, 请稍后再试", "system malfunction, try later";
    /// The terminal is unknown.
    UNKNOWN_TERMINAL = b"97", "UNKNOWN TERMINAL", "终端未登记", "terminal not registered";
    /// The message code is wrong or missing, or there are no keys: sign on again.
    MAC_WRONG = b"A0", "SIGN ON AGAIN", "MAC校验失败, 请重新签到", "MAC wrong, sign on again";
}

impl ResponseCode {
    /// Returns what the code means, in Chinese and in English.
    #[must_use]
    pub fn meaning(self) -> (&'static str, &'static str) {
        TABLE
            .iter()
            .find(|(code, ..)| *code == self)
            .map_or(("", ""), |&(_, _, chinese, english)| (chinese, english))
    }

    /// Returns what a terminal shows of a refusal.
    #[must_use]
    pub fn shown(self) -> &'static str {
        TABLE.iter().find(|(code, ..)| *code == self).map_or("", |&(_, shown, ..)| shown)
    }

    /// True if it tells the terminal that the transaction is done, if only in part.
    #[must_use]
    pub fn is_approval(self) -> bool {
        self == Self::APPROVED || self == Self::APPROVED_IN_PART
    }
}

impl From<Refusal> for ResponseCode {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::UnknownCard | Refusal::CardDiffers | Refusal::CardCancelled => {
                Self::INVALID_CARD
            }
            Refusal::CardNotActive => Self::NOT_ACTIVATED,
            Refusal::CardLost => Self::LOST_CARD,
            Refusal::CardFrozen => Self::RESTRICTED_CARD,
            Refusal::CardExpired => Self::EXPIRED,
            Refusal::PinTriesExceeded => Self::PIN_TRIES_EXCEEDED,
            Refusal::WrongPin | Refusal::PinMissing | Refusal::UnfitPin => Self::WRONG_PIN,
            Refusal::InvalidAmount => Self::INVALID_AMOUNT,
            Refusal::AmountLimit | Refusal::BalanceCap => Self::AMOUNT_LIMIT,
            Refusal::InsufficientFunds => Self::INSUFFICIENT_FUNDS,
            Refusal::OriginalNotFound => Self::NOT_FOUND,
            Refusal::OriginalRefused
            | Refusal::OriginalOutOfReach
            | Refusal::OriginalRefunded
            | Refusal::RefundTooLate
            | Refusal::CardIsActive
            | Refusal::ClockDiffers => Self::INVALID_TRANSACTION,
            Refusal::OriginalReversed
            | Refusal::OriginalVoided
            | Refusal::OriginalUsed
            | Refusal::OriginalExpired => Self::ALREADY_UNDONE,
            Refusal::AmountDiffers | Refusal::AboveOriginal => Self::AMOUNT_DIFFERS,
            Refusal::MerchantDiffers | Refusal::TerminalMayNot => Self::NOT_PERMITTED_TO_TERMINAL,
            Refusal::DuplicateDiffers => Self::DUPLICATE,
            Refusal::UnknownTerminal => Self::UNKNOWN_TERMINAL,
            Refusal::BatchDiffers => Self::BATCH_DIFFERS,
            Refusal::UploadTooLong => Self::FORMAT_ERROR,
            Refusal::CardMayNot | Refusal::MerchantNotAccepted => Self::NOT_PERMITTED_TO_CARD,
            Refusal::CountLimit => Self::COUNT_LIMIT,
        }
    }
}

/// Returns the code of a refused reversal. What a void calls invalid, a reversal calls invalid
/// too, but an original that was voided, refunded or used up is not "already undone" to it: the
/// terminal saw that outcome, so the reversal does not belong.
#[must_use]
pub fn of_reversal(refusal: Refusal) -> ResponseCode {
    let was_seen = matches!(
        refusal,
        Refusal::OriginalVoided | Refusal::OriginalUsed | Refusal::OriginalExpired
    );
    if was_seen { ResponseCode::INVALID_TRANSACTION } else { refusal.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_both_texts_and_stands_once() {
        for (place, (code, shown, chinese, english)) in TABLE.iter().enumerate() {
            assert!(!chinese.is_empty() && !english.is_empty(), "{code}");
            assert_eq!(shown.is_empty(), code.is_approval(), "{code}");
            assert!(shown.len() <= 20 && shown.is_ascii(), "{code}");
            assert!(!TABLE.iter().skip(place + 1).any(|(other, ..)| other == code), "{code}");
        }
    }
}
