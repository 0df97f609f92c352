//! The web host: a page has the views, and one page's dedicated Worker has the core with SQLite on the origin-private
//! file system; the other pages of the browser work through it. All of them run the same bundle.

mod io;
mod journey;
mod kept;
mod link;
mod page;
mod pages;
mod passkeys;
mod pool;
mod reload;
mod tabs;
mod text_file;
mod worker;

pub(super) use io::now;
pub(super) use journey::Station;
pub(crate) use journey::returned;
pub(crate) use kept::{
    asks_for_address, keep_address, remembered_address, remembered_theme, set_theme, take_link,
};
pub(super) use link::{Link, start};
pub(crate) use page::{
    FormerFocus, KEEPS_TITLES, PlaceInHistory, activate_new_build, arrive_at, copy_address,
    copy_to_clipboard, device, focus, focus_first_in, focus_into, focus_last_in, followed_link,
    has_apple_keys, has_focus_within, leave_field, listen_active, listen_hidden, listen_history, listen_keys,
    listen_leaving, page_events, print_page, reload, scroll_into_view, select_text, set_title, sleep,
    system_zone, text_selection,
};
pub(crate) use passkeys::{has_passkeys, make_passkey, show_passkey};
pub(crate) use text_file::TextFile;
pub(crate) use worker::{run_worker, worker_scope};
