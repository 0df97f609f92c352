//! The parts that screens are built from. Each knows how it behaves; how it looks is in `assets/theme/components.css`.

mod alert;
mod call_dialog;
mod choices;
mod combobox;
mod dialog;
mod drawer;
mod element_id;
mod empty_state;
mod field;
mod half_typed;
mod held_open;
#[cfg(feature = "web")]
mod held_place;
mod icon;
mod keyboard;
mod leaving;
mod logo;
mod marks;
mod matched;
mod menu;
mod page_link;
mod popover;
mod server_says;
mod shortcuts;
mod standing;
mod tint;
mod title;
mod toasts;

pub(crate) use alert::Alert;
pub(crate) use call_dialog::{
    CallDialog, ConfirmDialog, Question, Sending, TroubleLine, seconds_to_wait, use_sending, use_slowed,
};
pub(crate) use choices::{Segmented, Switch, TabPanel, Tabs, neighbour};
pub(crate) use combobox::{ComboOption, Combobox};
pub(crate) use dialog::{Dialog, Modal};
pub(crate) use drawer::{Drawer, DrawerButton, DrawerClose, Drawers, NavButton, use_drawers};
pub(crate) use element_id::use_element_id;
pub(crate) use empty_state::EmptyState;
pub(crate) use field::{FieldKind, Framed, PasswordField, SelectField, TextArea, TextField, WhosePassword};
pub(crate) use half_typed::HalfTypedFields;
pub(crate) use held_open::{HeldOpen, use_held_open, use_hold_open};
#[cfg(feature = "web")]
pub(crate) use held_place::HeldPlace;
pub(crate) use icon::{icon, icon_lg, icon_sm, icon_xl};
pub(crate) use keyboard::{KeyBoard, use_page_key};
pub(crate) use leaving::use_leaving;
pub(crate) use logo::logo;
pub(crate) use marks::{Avatar, Badge, Pill, Size, SpeciesMark};
pub(crate) use matched::matched;
pub(crate) use menu::{Menu, MenuButton, MenuItem};
pub(crate) use page_link::PageLink;
pub(crate) use popover::Popover;
pub(crate) use server_says::{Asking, ServerSays, use_asked, use_is_online};
pub(crate) use shortcuts::{Dialogs, OpenDialog, use_dialogs, use_shortcuts};
pub(crate) use standing::{
    provide_clinic, use_clinic, use_is_staff, use_may, use_me, use_minute, use_status, use_today, use_zone,
};
pub(crate) use tint::Tint;
pub(crate) use title::{use_title, use_title_of};
pub(crate) use toasts::{ToastRegion, Toasts, use_toasts};
