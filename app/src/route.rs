//! Every address of the program. Owners and staff share them; what an address shows depends on who is signed in.

use crate::views::{
    ClientPage, ClientsPage, ClinicsPage, DayOnPage, GalleryPage, HomePage, LateWorkPage, MePage, MemberPage,
    NeedsAttentionPage, NotFoundPage, PatientPage, PatientsPage, Shell, StaffPage, VisitPage, WaitingPage,
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
    #[route("/clinics", ClinicsPage)]
    Clinics {},
    #[route("/gallery", GalleryPage)]
    Gallery {},
    #[route("/:..path", NotFoundPage)]
    NotFound { path: Vec<String> },
}
