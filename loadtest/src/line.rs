//! A TCP line to a host, as a terminal holds it: one request, one answer.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Deref;
use std::time::{Duration, Instant};

use codec::{FrameError, Limits, cut};

/// The bytes of a frame. `Debug` shows how many, because there may be a card number among them.
#[derive(Clone, Eq, PartialEq)]
pub struct Frame(Vec<u8>);

impl From<Vec<u8>> for Frame {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for Frame {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({} bytes)", self.0.len())
    }
}

/// An open line.
pub struct Line {
    stream: TcpStream,
    timeout: Duration,
    unread: Vec<u8>,
}

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The host could not be reached, or the line broke.
    #[error("the line failed: {0}")]
    Io(#[from] io::Error),
    /// The host closed the line.
    #[error("the host closed the line")]
    Closed,
    /// No answer came in time.
    #[error("no answer came in time")]
    Timeout,
    /// What came is not a frame.
    #[error("what came is not a frame: {0}")]
    Frame(#[from] FrameError),
}

impl Line {
    /// Opens a line; `timeout` holds for the opening and for each answer.
    ///
    /// # Errors
    /// If the host cannot be reached in time.
    pub fn open(address: SocketAddr, timeout: Duration) -> Result<Self, LineError> {
        let stream = TcpStream::connect_timeout(&address, timeout)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(timeout))?;
        Ok(Self { stream, timeout, unread: Vec::new() })
    }

    /// Sends a frame, its length in front.
    ///
    /// # Errors
    /// If the line breaks.
    pub fn send(&mut self, frame: &[u8]) -> Result<(), LineError> {
        Ok(self.stream.write_all(frame)?)
    }

    /// Waits for a frame and returns it without its length.
    ///
    /// # Errors
    /// If none comes in time, the line closes or breaks, or what comes is not a frame.
    pub fn receive(&mut self) -> Result<Vec<u8>, LineError> {
        let deadline = Instant::now().checked_add(self.timeout);
        let mut room = [0; 2048];
        loop {
            if let Some(cut) = cut(&self.unread, &Limits::default())? {
                let (frame, consumed) = (cut.frame.to_vec(), cut.consumed);
                self.unread.drain(..consumed);
                return Ok(frame);
            }
            let left = deadline.and_then(|end| end.checked_duration_since(Instant::now()));
            let left = left.filter(|left| !left.is_zero()).ok_or(LineError::Timeout)?;
            self.stream.set_read_timeout(Some(left))?;
            match self.stream.read(&mut room) {
                Ok(0) => return Err(LineError::Closed),
                Ok(count) => self.unread.extend_from_slice(room.get(..count).unwrap_or_default()),
                Err(error) if is_timeout(&error) => return Err(LineError::Timeout),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// True if the host has closed the line, or broken it.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        let peeked = self.stream.set_nonblocking(true).and_then(|()| self.stream.peek(&mut [0]));
        let is_open = match peeked {
            Ok(count) => count > 0,
            Err(error) => is_timeout(&error),
        };
        let restored = self.stream.set_nonblocking(false);
        !is_open || restored.is_err()
    }

    /// Waits until an answer is there, and does not read it.
    ///
    /// # Errors
    /// If none comes in time, or the line closes or breaks.
    pub fn hear(&mut self) -> Result<(), LineError> {
        self.stream.set_read_timeout(Some(self.timeout))?;
        match self.stream.peek(&mut [0]) {
            Ok(0) => Err(LineError::Closed),
            Ok(_) => Ok(()),
            Err(error) if is_timeout(&error) => Err(LineError::Timeout),
            Err(error) => Err(error.into()),
        }
    }
}

/// What the system says of a read that took too long depends on the system.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
