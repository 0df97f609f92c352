//! Every sentence that a person sees. The functions are generated from `assets/translations/` when the client is
//! built; dates, numbers and units are formatted here, in the clinic's time zone.

mod format;

pub(crate) use format::*;

include!(concat!(env!("OUT_DIR"), "/sentences.rs"));

/// The plural category of a count in English (CLDR).
fn plural(count: i64) -> &'static str {
    if count == 1 { "one" } else { "other" }
}
