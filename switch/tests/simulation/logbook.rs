//! What a world logs, so that it can be looked through.

use std::cell::RefCell;
use std::io;

use tracing_subscriber::fmt::MakeWriter;

thread_local! {
    static PAGES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes into the book of this thread.
pub struct Pen;

impl io::Write for Pen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        PAGES.with_borrow_mut(|pages| pages.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Pen {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

/// Keeps everything that is logged from now on, of whatever level.
pub fn open() {
    let book = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
    book.with_ansi(false).without_time().with_writer(|| Pen).init();
}

/// Returns what this thread has logged since the last time.
pub fn take() -> Vec<u8> {
    PAGES.take()
}
