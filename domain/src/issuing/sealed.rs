//! Ciphertext that is kept beside what it belongs to.

use std::fmt;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// What fits without an allocation of its own: a sealed card number has 39 bytes.
const SHORT: usize = 46;

/// A card number, sealed. There are millions of these, so a short one lies where it is used.
///
/// `Debug` shows only the length.
#[derive(Clone)]
pub struct Sealed(Kept);

#[derive(Clone)]
enum Kept {
    Short { length: u8, bytes: [u8; SHORT] },
    Long(Box<[u8]>),
}

impl From<&[u8]> for Sealed {
    fn from(from: &[u8]) -> Self {
        let mut bytes = [0; SHORT];
        Self(match (bytes.get_mut(..from.len()), u8::try_from(from.len())) {
            (Some(to), Ok(length)) => {
                to.copy_from_slice(from);
                Kept::Short { length, bytes }
            }
            (None, _) | (_, Err(_)) => Kept::Long(from.into()),
        })
    }
}

impl<const N: usize> From<[u8; N]> for Sealed {
    fn from(from: [u8; N]) -> Self {
        from.as_slice().into()
    }
}

impl From<Vec<u8>> for Sealed {
    fn from(from: Vec<u8>) -> Self {
        from.as_slice().into()
    }
}

impl Deref for Sealed {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kept::Short { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Kept::Long(bytes) => bytes,
        }
    }
}

impl PartialEq for Sealed {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Sealed {}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.len())
    }
}

impl Serialize for Sealed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self)
    }
}

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(Bytes)
    }
}

struct Bytes;

impl<'de> Visitor<'de> for Bytes {
    type Value = Sealed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Sealed, E> {
        Ok(bytes.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Sealed, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = seq.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_ones_keep_what_they_were_given() {
        for length in [0, 39, SHORT, SHORT + 1, 300] {
            let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(length).collect();
            let sealed = Sealed::from(bytes.clone());
            assert_eq!(*sealed, *bytes);
            let stored = postcard::to_stdvec(&sealed).unwrap();
            let boxed: Box<[u8]> = bytes.into();
            assert_eq!(stored, postcard::to_stdvec(&boxed).unwrap(), "the form of plain bytes");
            assert_eq!(postcard::from_bytes::<Sealed>(&stored).unwrap(), sealed);
        }
    }
}
