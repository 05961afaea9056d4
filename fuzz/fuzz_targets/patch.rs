#![no_main]

#[path = "../checks/patch.rs"]
mod patch;

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    if let Ok(body) = serde_json::from_slice(body) {
        patch::check(&body);
    }
});
