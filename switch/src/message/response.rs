//! Response codes (F39): one table, with what they say in Chinese and in English.

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
    ($($(#[$doc:meta])* $name:ident = $code:literal, $zh:literal, $en:literal;)*) => {
        impl ResponseCode {
            $($(#[$doc])* pub const $name: Self = Self(*$code);)*
        }

        /// Every code this system answers, with its meaning in Chinese and in English.
        pub static TABLE: &[(ResponseCode, &str, &str)] =
            &[$((ResponseCode::$name, $zh, $en),)*];
    };
}

codes! {
    /// Done.
    APPROVED = b"00", "交易成功", "approved";
    /// The merchant is unknown, or not that of the terminal.
    INVALID_MERCHANT = b"03", "商户无效", "invalid merchant";
    /// The transaction does not exist, or does not fit its original.
    INVALID_TRANSACTION = b"12", "无效交易", "invalid transaction";
    /// The amount is zero.
    INVALID_AMOUNT = b"13", "金额无效", "invalid amount";
    /// No such card, or not the card of the original.
    INVALID_CARD = b"14", "无效卡号", "invalid card number";
    /// No issuer has cards that begin like this.
    NO_ISSUER = b"15", "无此发卡方", "no such issuer";
    /// The card is not activated.
    NOT_ACTIVATED = b"21", "卡未激活", "card not activated";
    /// The original was undone before.
    ALREADY_UNDONE = b"22", "原交易已撤销或冲正", "original already voided or reversed";
    /// There is no such original.
    NOT_FOUND = b"25", "无原始交易", "original not found";
    /// The message cannot be read.
    FORMAT_ERROR = b"30", "报文格式错", "format error";
    /// The transaction exists, but not here.
    NOT_SUPPORTED = b"40", "不支持的交易", "function not supported";
    /// The card is lost.
    LOST_CARD = b"41", "挂失卡", "lost card";
    /// There is less on the card than asked.
    INSUFFICIENT_FUNDS = b"51", "余额不足", "insufficient funds";
    /// The card has expired.
    EXPIRED = b"54", "卡已过期", "expired card";
    /// The PIN is wrong, or missing.
    WRONG_PIN = b"55", "密码错", "wrong PIN";
    /// The card may not do this.
    NOT_PERMITTED_TO_CARD = b"57", "此卡不允许此交易", "not permitted to card";
    /// The terminal may not do this.
    NOT_PERMITTED_TO_TERMINAL = b"58", "终端不允许此交易", "not permitted to terminal";
    /// Above a limit of amount.
    AMOUNT_LIMIT = b"61", "超出金额限制", "exceeds amount limit";
    /// The card is frozen.
    RESTRICTED_CARD = b"62", "受限制的卡", "restricted card";
    /// The amount is not that of the original.
    AMOUNT_DIFFERS = b"64", "与原交易金额不符", "amount differs from original";
    /// Too many wrong PINs.
    PIN_TRIES_EXCEEDED = b"75", "密码错误次数超限", "PIN tries exceeded";
    /// The batch is not the one that takes slips: settle, or sign on again.
    BATCH_DIFFERS = b"77", "批次不符, 请结算或重新签到", "batch differs: settle or sign on again";
    /// The issuer is switched off.
    ISSUER_DOWN = b"91", "发卡方状态异常", "issuer not operational";
    /// There is no line to the issuer.
    NO_LINE = b"92", "线路异常", "issuer line not available";
    /// The same trace number with other content.
    DUPLICATE = b"94", "重复交易", "duplicate transaction";
    /// The switch cannot do it at this moment.
    MALFUNCTION = b"96", "系统异常, 请稍后再试", "system malfunction, try later";
    /// The terminal is unknown.
    UNKNOWN_TERMINAL = b"97", "终端未登记", "terminal not registered";
    /// The message code is wrong or missing, or there are no keys: sign on again.
    MAC_WRONG = b"A0", "MAC校验失败, 请重新签到", "MAC wrong, sign on again";
}

impl ResponseCode {
    /// Returns what the code means, in Chinese and in English.
    #[must_use]
    pub fn meaning(self) -> (&'static str, &'static str) {
        TABLE
            .iter()
            .find(|(code, _, _)| *code == self)
            .map_or(("", ""), |&(_, chinese, english)| (chinese, english))
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
            Refusal::WrongPin | Refusal::PinMissing => Self::WRONG_PIN,
            Refusal::InvalidAmount => Self::INVALID_AMOUNT,
            Refusal::AmountLimit | Refusal::BalanceCap => Self::AMOUNT_LIMIT,
            Refusal::InsufficientFunds => Self::INSUFFICIENT_FUNDS,
            Refusal::OriginalNotFound => Self::NOT_FOUND,
            Refusal::OriginalRefused
            | Refusal::OriginalOutOfReach
            | Refusal::OriginalRefunded
            | Refusal::RefundTooLate => Self::INVALID_TRANSACTION,
            Refusal::OriginalReversed | Refusal::OriginalVoided => Self::ALREADY_UNDONE,
            Refusal::AmountDiffers => Self::AMOUNT_DIFFERS,
            Refusal::MerchantDiffers | Refusal::TerminalMayNot => Self::NOT_PERMITTED_TO_TERMINAL,
            Refusal::DuplicateDiffers => Self::DUPLICATE,
            Refusal::UnknownTerminal => Self::UNKNOWN_TERMINAL,
            Refusal::BatchDiffers => Self::BATCH_DIFFERS,
            Refusal::UploadTooLong => Self::FORMAT_ERROR,
        }
    }
}

/// Returns the code of a refused reversal. What a void calls invalid, a reversal calls invalid
/// too, but a voided or refunded original is not "already undone" to it: the terminal saw that
/// outcome, so the reversal does not belong.
#[must_use]
pub fn of_reversal(refusal: Refusal) -> ResponseCode {
    if refusal == Refusal::OriginalVoided {
        ResponseCode::INVALID_TRANSACTION
    } else {
        refusal.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_both_texts_and_stands_once() {
        for (place, (code, chinese, english)) in TABLE.iter().enumerate() {
            assert!(!chinese.is_empty() && !english.is_empty(), "{code}");
            assert!(!TABLE.iter().skip(place + 1).any(|(other, _, _)| other == code), "{code}");
        }
    }
}
