//! The card number, which is never shown whole.

use std::fmt;

/// A primary account number (ISO/IEC 7812): 12 to 19 digits whose last is the Luhn check digit.
///
/// `Debug` shows the first six and last four digits, never more (PCI DSS 4.0, 3.4.1).
/// [`Pan::digits`] is the only way to the rest. It is not serialisable: what is stored is a
/// [`super::CardId`].
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Pan {
    digits: [u8; 19],
    length: u8,
}

/// The digits given are not a card number.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a card number")]
pub struct NotAPan;

impl Pan {
    /// Returns the card number of these ASCII digits.
    ///
    /// # Errors
    /// `NotAPan` if the length, a digit or the check digit is wrong. It does not say which:
    /// an attacker who probes card numbers learns nothing from our answer.
    pub fn parse(digits: &[u8]) -> Result<Self, NotAPan> {
        let mut pan = Self { digits: [0; 19], length: 0 };
        if !(12..=19).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
            return Err(NotAPan);
        }
        if !luhn_sum(digits).is_multiple_of(10) {
            return Err(NotAPan);
        }
        pan.digits.get_mut(..digits.len()).ok_or(NotAPan)?.copy_from_slice(digits);
        pan.length = u8::try_from(digits.len()).map_err(|_too_long| NotAPan)?;
        Ok(pan)
    }

    /// Returns the digits as ASCII. Whoever calls this answers for where they go.
    #[must_use]
    pub fn digits(&self) -> &[u8] {
        self.digits.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// Returns the number of this length that lies `steps` after this one, check digits left aside,
    /// or `None` if there is none.
    #[must_use]
    pub fn later(&self, steps: u64) -> Option<Self> {
        let mut later = *self;
        let (check, body) = later.digits.get_mut(..usize::from(self.length))?.split_last_mut()?;
        let mut rest = steps;
        for digit in body.iter_mut().rev() {
            let sum = u64::from(digit.wrapping_sub(b'0')).checked_add(rest)?;
            *digit = b'0'.wrapping_add((sum % 10) as u8);
            rest = sum.wrapping_div(10);
        }
        *check = Self::check_digit(body);
        (rest == 0).then_some(later)
    }

    /// Returns the check digit that completes `body` (ASCII digits without it).
    #[must_use]
    pub fn check_digit(body: &[u8]) -> u8 {
        let mut with_zero = [b'0'; 20];
        let length = body.len().min(19);
        if let (Some(to), Some(from)) = (with_zero.get_mut(..length), body.get(..length)) {
            to.copy_from_slice(from);
        }
        let sum = luhn_sum(with_zero.get(..=length).unwrap_or_default());
        // Nine times the sum is what it lacks to the next ten, modulo ten.
        b'0'.wrapping_add((sum.wrapping_mul(9) % 10) as u8)
    }
}

/// Sums the digits, every second one from the right doubled (ISO/IEC 7812-1, annex B).
fn luhn_sum(digits: &[u8]) -> u32 {
    digits.iter().rev().enumerate().fold(0_u32, |sum, (place, &digit)| {
        let value = u32::from(digit.wrapping_sub(b'0'));
        let value = if place % 2 == 0 { value } else { value.wrapping_mul(2) };
        sum.wrapping_add(if value > 9 { value.wrapping_sub(9) } else { value })
    })
}

impl fmt::Debug for Pan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last_four = usize::from(self.length).saturating_sub(4);
        self.digits().iter().enumerate().try_for_each(|(place, &digit)| {
            let shown = if place < 6 || place >= last_four { char::from(digit) } else { '*' };
            write!(f, "{shown}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_well_formed_numbers_are_taken() {
        assert!(Pan::parse(b"6212142000000000012").is_ok());
        for wrong in [
            &b"6212142000000000013"[..],
            b"62121420",
            b"621214200000000001x",
            b"62121420000000000120",
        ] {
            assert_eq!(Pan::parse(wrong), Err(NotAPan));
        }
    }

    #[test]
    fn debug_shows_six_and_four() {
        let pan = Pan::parse(b"6212142000000000012").unwrap();
        assert_eq!(format!("{pan:?}"), "621214*********0012");
    }

    #[test]
    fn later_numbers_count_on_and_end_with_their_length() {
        let first = pan_of("62250000000097");
        let later: Vec<_> = (0..4).map(|steps| first.later(steps).unwrap()).collect();
        let bodies: Vec<_> = later.iter().map(|pan| &pan.digits()[..14]).collect();
        let expected = [b"62250000000097", b"62250000000098", b"62250000000099", b"62250000000100"];
        assert_eq!(bodies, expected);
        assert!(later.iter().all(|pan| Pan::parse(pan.digits()) == Ok(*pan)));
        let last = pan_of("99999999999");
        assert_eq!((last.later(0), last.later(1), last.later(u64::MAX)), (Some(last), None, None));
    }

    fn pan_of(body: &str) -> Pan {
        let digits = [body.as_bytes(), &[Pan::check_digit(body.as_bytes())]].concat();
        Pan::parse(&digits).unwrap()
    }

    #[test]
    fn the_check_digit_completes_the_number() {
        assert_eq!(Pan::check_digit(b"621214200000000001"), b'2');
        assert_eq!(Pan::check_digit(b"622500000000001"), b'4');
    }
}
