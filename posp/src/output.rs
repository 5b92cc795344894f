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

/// Writes an error and what caused it to standard error, on one line.
pub(crate) fn complain(error: &anyhow::Error) {
    let mut said = String::new();
    for cause in error.chain() {
        let text = cause.to_string();
        // An error that only passes another on says the same.
        if !said.ends_with(&text) {
            said = if said.is_empty() { text } else { format!("{said}: {text}") };
        }
    }
    // Nobody is left to tell if this cannot be written.
    drop(writeln!(io::stderr(), "error: {said}"));
}
