//! The owner's frame: one column made for a phone, and two places.

use super::banners::Banners;
use crate::components::{PageLink, icon, use_status};
use crate::route::Route;
use crate::text;
use crate::views::first_sync::FirstSyncPage;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCircleUser, LdPawPrint};

#[component]
pub(super) fn OwnerFrame() -> Element {
    let status = use_status();
    let me = matches!(use_route::<Route>(), Route::Me {});
    let arriving = use_memo(move || {
        let first = status.read().as_ref().and_then(|status| status.first_sync);
        first.filter(|first| !first.usable)
    });
    rsx! {
        div { class: "owner",
            main { class: "owner__page", id: "content", tabindex: "-1",
                Banners {}
                if let Some(progress) = arriving() {
                    FirstSyncPage { progress }
                } else {
                    Outlet::<Route> {}
                }
            }
            nav { class: "tabbar", "aria-label": text::nav_places(),
                PageLink { to: Route::Day {}, class: "tabbar__link", current: !me,
                    {icon(LdPawPrint)}
                    {text::nav_pets()}
                }
                PageLink { to: Route::Me {}, class: "tabbar__link", current: me,
                    {icon(LdCircleUser)}
                    {text::nav_me()}
                }
            }
        }
    }
}
