#![no_main]

#[path = "../checks/pdu.rs"]
mod pdu;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pdu::check(bytes));
