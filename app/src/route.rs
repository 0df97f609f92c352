//! Every address of the program. Owners and staff share them; what an address shows depends on who is signed in.

use crate::views::{
    ClientPage, ClientsPage, ClinicsPage, DayOnPage, GalleryPage, HomePage, LateWorkPage, MePage, MemberPage,
    NeedsAttentionPage, NotFoundPage, PatientPage, PatientsPage, Shell, StaffPage, TrailPage, VisitPage,
    WaitingPage, Wanted,
};
use dioxus::prelude::*;
use jiff::civil::Date;
use shared_model::ids::{AccountId, ClientId, PatientId, VisitId};

#[derive(Clone, Debug, PartialEq, Routable)]
pub(crate) enum Route {
    #[layout(Shell)]
    #[route("/", HomePage)]
    Day {},
    #[route("/day/:date", DayOnPage)]
    DayOn { date: Date },
    #[route("/patients", PatientsPage)]
    Patients {},
    #[route("/patients/:id", PatientPage)]
    Patient { id: PatientId },
    #[route("/clients", ClientsPage)]
    Clients {},
    #[route("/clients/:id", ClientPage)]
    Client { id: ClientId },
    #[route("/visits/:id", VisitPage)]
    Visit { id: VisitId },
    #[route("/needs-attention", NeedsAttentionPage)]
    NeedsAttention {},
    #[route("/handed-in", LateWorkPage)]
    LateWork {},
    #[route("/waiting", WaitingPage)]
    Waiting {},
    #[route("/me", MePage)]
    Me {},
    #[route("/staff", StaffPage)]
    Staff {},
    #[route("/staff/:account", MemberPage)]
    Member { account: AccountId },
    #[route("/trail?:..wanted", TrailPage)]
    Trail { wanted: Wanted },
    #[route("/clinics", ClinicsPage)]
    Clinics {},
    #[route("/gallery", GalleryPage)]
    Gallery {},
    #[route("/:..path", NotFoundPage)]
    NotFound { path: Vec<String> },
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::ids::DocumentId;
    use uuid::Uuid;

    #[test]
    fn what_is_looked_for_in_the_trail_stands_in_its_address() {
        let record = Wanted::of(DocumentId(Uuid::from_u128(7)));
        let address = Route::Trail { wanted: record }.to_string();
        assert_eq!(address, "/trail?record=00000000-0000-0000-0000-000000000007");
        for (address, wanted) in [(address.as_str(), record), ("/trail", Wanted::default())] {
            assert_eq!(
                address.parse::<Route>().ok(),
                Some(Route::Trail { wanted }),
                "{address}"
            );
        }
    }
}
