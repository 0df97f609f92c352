//! The native host: a program with a window of its own.

mod clinic_address;
mod core_thread;
mod folder;
mod journey;
mod kept;
mod page;
mod session;
mod text_file;

pub(super) use core_thread::{Link, now, start};
#[cfg(test)]
pub(super) use folder::Folder;
pub(super) use journey::Station;
pub(crate) use journey::returned;
pub(crate) use kept::{
    asks_for_address, data_folder, keep_address, keep_window_size, remembered_address, remembered_theme,
    take_link, window_size,
};
pub(crate) use page::{
    FormerFocus, KEEPS_TITLES, activate_new_build, arrive_at, copy_address, copy_to_clipboard, device, focus,
    focus_first_in, focus_into, focus_last_in, followed_link, has_apple_keys, has_focus_within, has_passkeys,
    leave_field, listen_active, listen_hidden, listen_keys, make_passkey, page_events, print_page, reload,
    scroll_into_view, select_text, set_theme, set_title, show_passkey, sleep, system_zone, text_selection,
};
pub(crate) use session::session_locks;
pub(crate) use text_file::TextFile;
