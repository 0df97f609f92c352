//! The pages of the trail that have been fetched: the first one is asked for as every question is, the others on demand.

use super::days::{Fetched, line_count};
use crate::components::{Asking, use_asked};
use crate::host::{Call, CallTrouble, Host, use_host};
use dioxus::prelude::*;
use jiff::tz::TimeZone;
use shared_model::trail::{PAGE, TrailPage};

/// How fetching more of it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum More {
    Idle,
    Asked,
    /// So many lines.
    Came(i64),
    Failed(CallTrouble),
}

#[derive(Clone, Copy, PartialEq)]
pub(super) struct Pages {
    /// `None` until the first page is there.
    pub(super) fetched: Signal<Option<Fetched>>,
    pub(super) more: Signal<More>,
    query: Signal<String>,
    host: CopyValue<Host>,
}

/// `query` may not change while the component lives.
pub(super) fn use_pages(query: &str) -> (Pages, Asking) {
    let (first, asking) = use_asked::<TrailPage>(Call::trail(query));
    let host = use_host();
    let pages = Pages {
        fetched: use_signal(|| None),
        more: use_signal(|| More::Idle),
        query: use_signal(|| query.to_owned()),
        host: use_hook(|| CopyValue::new(host)),
    };
    let (mut fetched, mut more) = (pages.fetched, pages.more);
    use_effect(use_reactive!(|first| {
        match first {
            Some(page) => {
                fetched.write().get_or_insert_default().refresh(page);
                // The clinic answers again.
                if matches!(*more.peek(), More::Failed(_)) {
                    more.set(More::Idle);
                }
            }
            // It is not for who asks any more.
            None if fetched.peek().is_some() => fetched.set(None),
            None => {}
        }
    }));
    (pages, asking)
}

impl Pages {
    /// The lines that come are counted as they are seen in a zone.
    pub(super) fn fetch_more(self, zone: TimeZone) {
        let (mut fetched, mut more) = (self.fetched, self.more);
        let Some(cursor) = fetched.peek().as_ref().and_then(|fetched| fetched.next.clone()) else {
            return;
        };
        if *more.peek() == More::Asked {
            return;
        }
        more.set(More::Asked);
        let (host, query) = (*self.host.peek(), self.query.peek().clone());
        spawn(async move {
            let call = Call::earlier_trail(&query, Some(&cursor), PAGE);
            match host.call(call).await {
                Ok(page) => {
                    let mut came = None;
                    if let Some(fetched) = &mut *fetched.write() {
                        let before = line_count(&fetched.entries, &zone);
                        if fetched.append(&cursor, page) {
                            came = Some(line_count(&fetched.entries, &zone).saturating_sub(before));
                        }
                    }
                    let count = came.map(|count| i64::try_from(count).unwrap_or(i64::MAX));
                    more.set(count.map_or(More::Idle, More::Came));
                }
                Err(why) => more.set(More::Failed(why)),
            }
        });
    }
}
