//! The screens. Each draws one query's view and sends commands; none knows which host it runs on.

mod booking;
mod browse;
mod client_page;
mod day;
mod doubtful_weight;
mod first_sync;
mod gallery;
mod me;
mod my_pets;
mod needs_attention;
mod new_client;
mod no_store;
mod not_found;
mod outbox;
mod patient_page;
mod pet_fields;
mod receipt;
mod refused_fields;
mod search_palette;
mod shell;
mod sign_in;
mod visit_page;

pub(crate) use browse::{ClientsPage, PatientsPage};
pub(crate) use client_page::ClientPage;
pub(crate) use gallery::GalleryPage;
pub(crate) use me::MePage;
pub(crate) use needs_attention::NeedsAttentionPage;
pub(crate) use no_store::NoStorePage;
pub(crate) use not_found::NotFoundPage;
pub(crate) use outbox::WaitingPage;
pub(crate) use patient_page::PatientPage;
pub(crate) use shell::{DayOnPage, HomePage, OpeningPage, Shell};
pub(crate) use sign_in::SignInPage;
pub(crate) use visit_page::{VisitPage, settle_all_notes};
