#![no_main]

#[allow(dead_code, reason = "every target holds one law")]
#[path = "../src/laws.rs"]
mod laws;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| laws::tlv(bytes));
