//! What somebody did, as a list of waiting or refused work names it.

use super as text;
use shared_model::documents::Kind;

/// "Rex: weight". A verb that this build does not know, as one from a newer build, is just a change.
pub(crate) fn change(verb: &str, kind: Kind, about: &str) -> String {
    let what = match verb {
        "register_client" | "register_patient" => text::change_registered(),
        "edit_client" | "edit_patient" => text::change_details(),
        "record_weight" => text::change_weight(),
        "retract_weight" => text::change_weight_retracted(),
        "record_alert" => text::change_alert(),
        "retract_alert" => text::change_alert_retracted(),
        "report_death" => text::change_death(),
        "retract_death" => text::change_death_retracted(),
        "book_appointment" => text::change_booked(),
        "move_appointment" => text::change_moved(),
        "cancel_appointment" => text::change_cancelled(),
        "reinstate_appointment" => text::change_reinstated(),
        "check_in" => text::change_checked_in(),
        "undo_check_in" => text::change_check_in_undone(),
        "check_out" => text::change_checked_out(),
        "undo_check_out" => text::change_check_out_undone(),
        "start_visit" => text::change_visit_started(),
        "record_vitals" => text::change_vitals(),
        "write_in_section" => text::change_notes(),
        "finish_visit" => text::change_visit_finished(),
        "reopen_visit" => text::change_visit_reopened(),
        "choose_value" => text::change_chosen(),
        "set_clinic_profile" | "set_room" | "set_staff_member" | "set_appointment_type" => {
            text::change_settings()
        }
        _ => text::change_other(),
    };
    let about = if about.is_empty() {
        kind_of_record(kind)
    } else {
        about
    };
    text::change_of(about, what)
}

fn kind_of_record(kind: Kind) -> &'static str {
    match kind {
        Kind::ClinicProfile | Kind::ClinicSettings => text::record_clinic(),
        Kind::Client => text::record_client(),
        Kind::Patient => text::record_patient(),
        Kind::Appointment => text::record_appointment(),
        Kind::Visit => text::record_visit(),
        Kind::ClientNotes => text::record_client_notes(),
        Kind::VisitSummary => text::record_visit_summary(),
        Kind::Estimate => text::record_estimate(),
        Kind::Invoice => text::record_invoice(),
        Kind::Payment => text::record_payment(),
        Kind::Conversation => text::record_conversation(),
        Kind::StockLot => text::record_stock_lot(),
        Kind::ControlledDrugLedger => text::record_controlled_drug_ledger(),
        Kind::Consent => text::record_consent(),
        Kind::Certificate => text::record_certificate(),
    }
}
