//! Recovery codes that were made and that nobody has kept: they went off the screen before, or never came to it. Their person
//! is offered new ones.
//!
//! Place in the flow: beside it. Invariant: no code is here, only that there were some. What stood on a screen that was left
//! alone until it locked is not shown again: it is made anew, so that whoever has seen it has nothing.

use super::Host;
use dioxus::prelude::*;
use shared_model::ids::AccountId;
use shared_model::second_factor::Factors;
use shared_model::time::Timestamp;

/// So far apart may the clocks of a device and of the clinic be, with what lies between asking and doing.
const NEAR_MS: i64 = 10 * 60_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnkeptCodes {
    /// `None` if somebody was on their way in: who, the clinic knows.
    pub(crate) whose: Option<AccountId>,
    /// When they came or were asked for, by this device's clock.
    pub(crate) since: Timestamp,
    pub(crate) were_seen: bool,
    /// Their person has been told, and has not made new ones yet.
    pub(crate) is_told: bool,
}

impl UnkeptCodes {
    /// Whether whoever has set these up has lost something with them.
    pub(crate) fn are_of(&self, factors: &Factors) -> bool {
        match self.whose {
            Some(_) => factors.totp_since.is_some() || !factors.passkeys.is_empty(),
            None => factors
                .totp_since
                .is_some_and(|at| (at.0 - self.since.0).abs() <= NEAR_MS),
        }
    }
}

impl Host {
    /// They are not on the screen any more, or are not going to be.
    pub(crate) fn note_unkept_codes(mut self, whose: Option<AccountId>, since: Timestamp, were_seen: bool) {
        self.unkept_codes.set(Some(UnkeptCodes {
            whose,
            since,
            were_seen,
            is_told: false,
        }));
    }

    /// Of whoever works at this window now, as far as this device can tell.
    pub(crate) fn codes_to_make_anew(self) -> Option<UnkeptCodes> {
        let person = self.person()?;
        let unkept = *self.unkept_codes.read();
        unkept.filter(|codes| codes.whose.is_none_or(|whose| whose == person))
    }

    pub(crate) fn told_of_unkept_codes(mut self) {
        if let Some(codes) = &mut *self.unkept_codes.write() {
            codes.is_told = true;
        }
    }

    /// Somebody has kept theirs: former ones do not matter any more.
    pub(crate) fn codes_are_kept(mut self) {
        if self.codes_to_make_anew().is_some() {
            self.unkept_codes.set(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const AT: Timestamp = Timestamp(1_795_950_000_000);

    fn factors(totp_since: Option<Timestamp>) -> Factors {
        Factors {
            totp_since,
            recovery_codes: 10,
            passkeys: Vec::new(),
            demanded: true,
            offers_passkeys: true,
        }
    }

    fn unkept(whose: Option<AccountId>) -> UnkeptCodes {
        UnkeptCodes {
            whose,
            since: AT,
            were_seen: true,
            is_told: false,
        }
    }

    #[test]
    fn whoever_has_nothing_set_up_has_lost_nothing() {
        let theirs = unkept(Some(AccountId(Uuid::nil())));
        assert!(!theirs.are_of(&factors(None)));
        assert!(theirs.are_of(&factors(Some(Timestamp(0)))));
    }

    #[test]
    fn somebody_on_the_way_in_is_known_by_when_they_set_it_up() {
        let on_the_way = unkept(None);
        for (minutes, is_it) in [(-9, true), (0, true), (9, true), (-11, false), (11, false)] {
            let theirs = factors(Some(AT.plus_minutes(minutes)));
            assert_eq!(on_the_way.are_of(&theirs), is_it, "{minutes}");
        }
        assert!(!on_the_way.are_of(&factors(None)), "somebody else");
    }
}
