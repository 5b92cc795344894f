//! From bytes to what is meant, and back.

pub mod matrix;
pub mod reply;
pub mod request;
pub mod response;
