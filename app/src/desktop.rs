//! The desktop window: its frame, its looks and the files that these name, all inside the program; how it closes, and
//! where links lead that leave the program.
//!
//! Place in the flow: around the views, where a browser is on the web. Invariant: the window closes only when everything
//! that was typed in it is saved.

use crate::components::use_toasts;
use crate::host::{self, Host};
use crate::text;
use crate::views::{others_have_unsaved_notes, settle_all_notes};
use dioxus::desktop::tao::event::{Event, WindowEvent};
use dioxus::desktop::wry::http::Response;
use dioxus::desktop::{
    AssetRequest, Config, DesktopContext, LogicalSize, WindowBuilder, WindowCloseBehaviour,
    use_asset_handler, use_wry_event_handler,
};
use dioxus::prelude::*;
use futures_channel::mpsc::unbounded;
use futures_util::StreamExt;
use shared_model::time::Timestamp;
use std::borrow::Cow;
use tracing_subscriber::filter::LevelFilter;

const THEME: &str = include_str!(concat!(env!("OUT_DIR"), "/theme.css"));

/// What the page does without asking the program.
const SCRIPT: &str = include_str!("desktop.js");

/// Address, media type and content.
const FILES: &[(&str, &str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// Log lines go where the program was started from. That nobody is there any more, or that the disk is full, is no reason to
/// break off: a line that cannot be written is dropped.
fn begin_log() {
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::INFO)
        .log_internal_errors(false)
        .init();
}

pub(crate) fn launch(root: fn() -> Element) {
    begin_log();
    let (width, height) = host::window_size().unwrap_or((1280, 860));
    let window = WindowBuilder::new()
        .with_title(text::app_name())
        .with_inner_size(LogicalSize::new(width, height))
        .with_min_inner_size(LogicalSize::new(390.0, 560.0));
    let mut config = Config::new()
        .with_window(window)
        .with_custom_index(index())
        .with_menu(None);
    if let Some(folder) = host::data_folder() {
        // What the web view keeps for itself stays beside the records.
        config = config.with_data_directory(folder.join("window"));
    }
    LaunchBuilder::new().with_cfg(config).launch(root);
}

fn index() -> String {
    format!(
        "<!doctype html><html lang=\"en\" data-theme=\"{}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{}</title><style>{THEME}.heard {{ display: contents; }}</style><script>{SCRIPT}</script></head><body><div id=\"main\"></div></body></html>",
        theme(),
        text::app_name()
    )
}

/// Only a word that the style sheet knows: the file may hold anything.
fn theme() -> &'static str {
    match host::remembered_theme().as_str() {
        "light" => "light",
        "dark" => "dark",
        _ => "system",
    }
}

/// What the window needs from the program as long as it is there. Once, at the root of the views.
pub(crate) fn use_window(host: Host) {
    use_files();
    use_closing(host);
    use_session(host);
    use_links_outside();
}

/// Whoever locks the computer's screen, or sends it to sleep, locks the records too.
fn use_session(host: Host) {
    use_future(move || async move {
        let mut locks = host::session_locks();
        while locks.next().await.is_some() {
            host.lock();
        }
    });
}

/// Tells the page how many keys the program has heard of, along with what it answers to them.
#[component]
pub(crate) fn Heard(children: Element) -> Element {
    let mut heard = use_signal(|| 0_u64);
    rsx! {
        div { class: "heard", "data-heard": "{heard}", oninput: move |_| heard += 1, {children} }
    }
}

/// Whoever closes the window again within so many milliseconds has read that not everything is saved, and means it.
const INSISTS: i64 = 60_000;

/// Closing waits for what is typed. Where that cannot be saved, the window comes back and says so.
fn use_closing(host: Host) {
    let window = dioxus::desktop::use_window();
    let toasts = use_toasts();
    let asked = use_hook(|| {
        window.set_close_behavior(WindowCloseBehaviour::WindowHides);
        let (asked, mut closing) = unbounded::<()>();
        let window = window.clone();
        spawn(async move {
            let mut came_back = None;
            while closing.next().await.is_some() {
                host::leave_field().await;
                let saved = settle_all_notes(host).await
                    && !others_have_unsaved_notes(host)
                    && host.has_saved().await;
                let insists = came_back.is_some_and(|at: Timestamp| host::now().0 - at.0 < INSISTS);
                if saved || insists {
                    window.set_close_behavior(WindowCloseBehaviour::WindowCloses);
                    window.close();
                } else {
                    came_back = Some(host::now());
                    window.set_visible(true);
                    toasts.say(text::desktop_close_again());
                }
            }
        });
        asked
    });
    use_wry_event_handler(move |event, _| {
        let Event::WindowEvent { event, window_id, .. } = event else {
            return;
        };
        if *event == WindowEvent::CloseRequested && *window_id == window.id() {
            keep_size(&window);
            // A program that ends has no need to be asked.
            drop(asked.unbounded_send(()));
        }
    });
}

fn keep_size(window: &DesktopContext) {
    // A window that fills the screen has no size of its own.
    if !window.is_maximized() && window.fullscreen().is_none() {
        let size = window.inner_size().to_logical::<u32>(window.scale_factor());
        host::keep_window_size(size.width, size.height);
    }
}

/// Telephone numbers, addresses of mail and of the web are for the system's own programs.
fn use_links_outside() {
    let toasts = use_toasts();
    use_future(move || async move {
        let mut links =
            document::eval("await new Promise(() => { window.openOutside = href => dioxus.send(href) })");
        while let Ok(link) = links.recv::<String>().await {
            if open::that_detached(&link).is_err() {
                toasts.say(text::desktop_no_program_for_link());
            }
        }
    });
}

/// Answers the window's requests for fonts and drawings.
fn use_files() {
    use_asset_handler("assets", |request: AssetRequest, answer| {
        let found = FILES
            .iter()
            .find(|(address, ..)| *address == request.uri().path());
        let response = match found {
            Some((_, kind, content)) => Response::builder()
                .header("content-type", *kind)
                .header("access-control-allow-origin", "*")
                .body(Cow::Borrowed(*content)),
            None => Response::builder().status(404).body(Cow::Borrowed(&b""[..])),
        };
        answer.respond(response.expect("these headers are well formed"));
    });
}
