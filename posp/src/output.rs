//! What commands print.

use std::io::{self, ErrorKind, Write};

/// Writes to standard output. That its reader has seen enough and gone is no error.
///
/// # Errors
/// Output that cannot be written.
pub(crate) fn print(text: impl AsRef<[u8]>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_ref()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
