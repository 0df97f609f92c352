#![no_main]
#![allow(unsafe_code, reason = "libFuzzer calls the target by its name")]

libfuzzer_sys::fuzz_target!(init: fuzz::quiet(), |data: &[u8]| fuzz::documents(data));
