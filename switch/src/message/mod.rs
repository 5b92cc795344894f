//! From bytes to what is meant, and back.

pub mod errand;
pub mod matrix;
pub mod reply;
pub mod request;
pub mod response;
