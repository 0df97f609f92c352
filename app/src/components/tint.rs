//! The seven colours that mean something. A colour never stands alone: a word or an icon says the same.

use shared_model::documents::Tone;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tint {
    #[default]
    Plain,
    Accent,
    Info,
    Ok,
    Warn,
    Danger,
    Violet,
}

impl Tint {
    /// The value of `data-tone`; nothing for the plain one.
    pub(crate) fn word(self) -> Option<&'static str> {
        Some(match self {
            Self::Plain => return None,
            Self::Accent => "accent",
            Self::Info => "info",
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Danger => "danger",
            Self::Violet => "violet",
        })
    }
}

impl From<Tone> for Tint {
    fn from(tone: Tone) -> Self {
        match tone {
            Tone::Teal => Self::Accent,
            Tone::Blue => Self::Info,
            Tone::Green => Self::Ok,
            Tone::Violet => Self::Violet,
            Tone::Red => Self::Danger,
        }
    }
}
