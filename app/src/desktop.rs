//! The desktop window: its frame, its looks and the files that these name, all inside the program.

use crate::host;
use crate::text;
use dioxus::desktop::wry::http::Response;
use dioxus::desktop::{AssetRequest, Config, LogicalSize, WindowBuilder, use_asset_handler};
use dioxus::prelude::*;
use std::borrow::Cow;

const THEME: &str = include_str!(concat!(env!("OUT_DIR"), "/theme.css"));

/// Keeps what is typed fast; the file says why.
const TYPING: &str = include_str!("desktop.js");

/// Address, media type and content.
const FILES: &[(&str, &str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

pub(crate) fn launch(root: fn() -> Element) {
    // A tablet's width at least: what is narrower is a phone's layout.
    let window = WindowBuilder::new()
        .with_title(text::app_name())
        .with_inner_size(LogicalSize::new(1280.0, 860.0))
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
         <title>{}</title><style>{THEME}</style><script>{TYPING}</script></head><body><div id=\"main\"></div></body></html>",
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

/// Answers the window's requests for fonts and drawings.
pub(crate) fn use_files() {
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
