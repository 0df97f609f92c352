//! Every sentence that a person sees. The functions are generated from `assets/translations/` when the client is
//! built; dates, numbers and units are formatted here, in the clinic's time zone.

mod asked_for;
mod change_way_in;
mod changes;
mod failures;
mod field_changes;
mod format;
mod trail;
mod words;

pub(crate) use asked_for::{asked_for, place, typed};
pub(crate) use change_way_in::{
    codes_to_make_anew, way_in_change_action, way_in_change_means, way_in_change_refused,
    way_in_change_title, way_in_changed, way_in_may_be_changed,
};
pub(crate) use changes::{change, kind_of_record};
pub(crate) use failures::{
    address_trouble, call_trouble, call_trouble_line, failure, invalid, link_trouble, not_done,
    passkey_trouble, pin_refused, refusal, storage, trouble_of_who_is_here, unlock_trouble,
};
pub(crate) use field_changes::{Spoken, said_of_changes};
pub(crate) use format::{
    age, clock, date_long, date_plain, date_short, initials, minutes, moment, month, month_short, number,
    time_of, time_with_seconds, weekday_short, weight, when,
};
pub(crate) use trail::{
    Piece, trail_device, trail_happening, trail_how, trail_line, trail_record, trail_sentence, trail_verb,
    trail_where, trail_who,
};
pub(crate) use words::{
    alert_kind, channel, person, role, role_may, roles, section, sex, species, vital_sign,
};

pub(crate) use sentences::*;

use std::fmt::{Display, Write as _};

/// What came of copying something.
pub(crate) fn whether_copied(copied: bool) -> &'static str {
    if copied { copied_it() } else { not_copied() }
}

#[allow(clippy::all, unused_qualifications, reason = "written by build.rs")]
mod sentences {
    include!(concat!(env!("OUT_DIR"), "/sentences.rs"));
}

/// Writes a sentence: its pieces with the values between them.
fn fill(sentence: &mut String, pieces: &[&str], values: &[&dyn Display]) {
    for (index, piece) in pieces.iter().enumerate() {
        sentence.push_str(piece);
        if let Some(value) = values.get(index) {
            // A string takes everything.
            write!(sentence, "{value}").ok();
        }
    }
}

/// The plural category of a count in English (CLDR).
fn plural(count: i64) -> &'static str {
    if count == 1 { "one" } else { "other" }
}
