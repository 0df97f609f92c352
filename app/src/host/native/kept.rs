//! What this person's program keeps beside the records: small files, each with one thing.
//!
//! Place in the flow: read before there is a core, or without one. Invariant: only what the clinic does not need to
//! know; whatever a file holds, reading it gives something sensible.

use super::clinic_address::ClinicAddress;
use crate::host::{AddressTrouble, LinkTrouble, MailLink};
use local_core::StorageTrouble;
use std::io::ErrorKind;
use std::path::PathBuf;

/// Where this user's records are kept.
pub(crate) fn data_folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("VET_CLINIC_DATA") {
        return Some(folder.into());
    }
    directories::ProjectDirs::from("", "", "Vet Clinic").map(|folders| folders.data_dir().to_owned())
}

pub(super) fn trouble(error: &std::io::Error) -> StorageTrouble {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StorageTrouble::Full,
        ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::NotADirectory
        | ErrorKind::AlreadyExists => StorageTrouble::ReadOnly,
        _ => StorageTrouble::Other,
    }
}

fn read(name: &str) -> Option<String> {
    std::fs::read_to_string(data_folder()?.join(name)).ok()
}

fn keep(name: &str, what: &str) -> Result<(), StorageTrouble> {
    let folder = data_folder().ok_or(StorageTrouble::ReadOnly)?;
    std::fs::write(folder.join(name), what).map_err(|error| trouble(&error))
}

/// "light", "dark" or "system".
pub(crate) fn remembered_theme() -> String {
    read("theme").unwrap_or_else(|| "system".to_owned())
}

pub(super) fn keep_theme(theme: &str) {
    // Forgetting a colour preference is no reason to bother anybody.
    keep("theme", theme).ok();
}

/// Of the inside, in the screen's own points.
pub(crate) fn window_size() -> Option<(u32, u32)> {
    let kept = read("window-size")?;
    let (width, height) = kept.trim().split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

pub(crate) fn keep_window_size(width: u32, height: u32) {
    // The window opens in its first size again: nothing that a closing program could tell anybody.
    keep("window-size", &format!("{width}x{height}")).ok();
}

/// The address that whoever set up this computer has decided on.
fn decided() -> Option<String> {
    std::env::var("VET_CLINIC_SERVER").ok()
}

/// Whether the person says where their clinic is.
pub(crate) fn asks_for_address() -> bool {
    decided().is_none()
}

/// As it was typed last; empty if it never was.
pub(crate) fn remembered_address() -> String {
    read("clinic-address").map_or_else(String::new, |kept| kept.trim().to_owned())
}

pub(crate) fn keep_address(typed: &str) -> Result<(), AddressTrouble> {
    let address = ClinicAddress::parse(typed).map_err(AddressTrouble::Invalid)?;
    if address.shown() == remembered_address() {
        return Ok(());
    }
    keep("clinic-address", address.shown()).map_err(AddressTrouble::NotKept)
}

/// A link of a mail that was pasted. It says where the clinic is; but where records of a clinic are, open or locked, it stays
/// that one.
pub(crate) fn take_link(pasted: &str, has_a_clinic: bool) -> Result<MailLink, LinkTrouble> {
    let (origin, link) = MailLink::parse(pasted).ok_or(LinkTrouble::NotOne)?;
    match server() {
        Some(server) if server == origin => {}
        Some(_) if has_a_clinic || !asks_for_address() => return Err(LinkTrouble::Elsewhere(origin)),
        _ => keep_address(&origin).map_err(|_| LinkTrouble::Elsewhere(origin))?,
    }
    Ok(link)
}

/// The clinic's server, without a slash at the end; `None` if nobody has named one yet.
pub(super) fn server() -> Option<String> {
    let address = decided().unwrap_or_else(remembered_address);
    ClinicAddress::parse(&address)
        .ok()
        .map(|address| address.origin())
}
