//! Bytes for serde: hexadecimal digits in formats that people read, plain bytes in others.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) fn serialize<S: Serializer>(
    bytes: impl AsRef<[u8]>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        serializer.serialize_str(&const_hex::encode(bytes))
    } else {
        bytes.as_ref().serialize(serializer)
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: TryFrom<Vec<u8>>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let bytes = if deserializer.is_human_readable() {
        const_hex::decode(String::deserialize(deserializer)?)
            .map_err(|_| Error::custom("hexadecimal digits expected"))?
    } else {
        Vec::deserialize(deserializer)?
    };
    T::try_from(bytes).map_err(|_| Error::custom("another number of bytes expected"))
}
