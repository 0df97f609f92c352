//! What somebody did, as a list of waiting or refused work names it.

use super as text;
use shared_model::commands::Verb;
use shared_model::documents::Kind;

/// "Rex: weight". A verb that this build does not know, as one from a newer build, is just a change.
pub(crate) fn change(verb: &str, kind: Kind, about: &str) -> String {
    let what = Verb::from_word(verb).map_or(text::change_other(), what);
    let about = if about.is_empty() {
        kind_of_record(kind)
    } else {
        about
    };
    text::change_of(about, what)
}

fn what(verb: Verb) -> &'static str {
    match verb {
        Verb::RegisterClient | Verb::RegisterPatient => text::change_registered(),
        Verb::EditClient | Verb::EditPatient => text::change_details(),
        Verb::RecordWeight => text::change_weight(),
        Verb::RetractWeight => text::change_weight_retracted(),
        Verb::RecordAlert => text::change_alert(),
        Verb::RetractAlert => text::change_alert_retracted(),
        Verb::ReportDeath => text::change_death(),
        Verb::RetractDeath => text::change_death_retracted(),
        Verb::BookAppointment => text::change_booked(),
        Verb::MoveAppointment => text::change_moved(),
        Verb::CancelAppointment => text::change_cancelled(),
        Verb::ReinstateAppointment => text::change_reinstated(),
        Verb::CheckIn => text::change_checked_in(),
        Verb::UndoCheckIn => text::change_check_in_undone(),
        Verb::CheckOut => text::change_checked_out(),
        Verb::UndoCheckOut => text::change_check_out_undone(),
        Verb::StartVisit => text::change_visit_started(),
        Verb::RecordVitals => text::change_vitals(),
        Verb::WriteInSection => text::change_notes(),
        Verb::FinishVisit => text::change_visit_finished(),
        Verb::ReopenVisit => text::change_visit_reopened(),
        Verb::ChooseValue => text::change_chosen(),
        Verb::SetClinicProfile | Verb::SetRoom | Verb::SetStaffMember | Verb::SetAppointmentType => {
            text::change_settings()
        }
    }
}

pub(crate) fn kind_of_record(kind: Kind) -> &'static str {
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
