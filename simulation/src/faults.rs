//! What goes wrong in a run: classes of faults, and how often each strikes.

use crate::dice::{Concern, Dice};

macro_rules! classes {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $most:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Class { $($(#[$doc])* $name),* }

        impl Class {
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }

            /// How often in a thousand steps at most.
            fn most(self) -> u32 {
                match self { $(Self::$name => $most),* }
            }
        }
    };
}

classes! {
    /// A connection ends; both sides, one side or nobody hears of it, frames on the way are lost or still arrive.
    Cut = "cut", 60;
    /// One direction of a connection goes silent.
    HalfOpen = "half-open", 30;
    /// A device has no network for a while.
    Partition = "partition", 40;
    /// Requests for fresh tokens, or their answers, are lost or change places.
    LostAnswer = "lost-answer", 300;
    /// A device dies between two events, or between two effects of one.
    KillDevice = "kill-device", 30;
    /// A device dies inside a transaction.
    TornTransaction = "torn-transaction", 20;
    /// A device's disk is full for a while.
    FullDisk = "full-disk", 20;
    /// A node dies between two things it does, or is told to stop.
    KillNode = "kill-node", 20;
    /// A node dies before, within or after the commit of an accept.
    KillAccept = "kill-accept", 25;
    /// The database is away for a while, or fails a commit without saying whether it happened.
    DatabaseAway = "database-away", 25;
    /// Clocks of devices and of the server are wrong and jump.
    Clock = "clock", 20;
    /// Roles of people change, their sign-ins are ended.
    Roles = "roles", 15;
    /// Patients get and lose owners, appointments other clients.
    Audience = "audience", 30;
    /// Some devices run an older build until it is updated.
    Schema = "schema", 30;
    /// A colleague signs in on somebody's device, whatever waits there.
    SharedTablet = "shared-tablet", 15;
    /// A second window wants a device's store.
    TwoWindows = "two-windows", 10;
    /// Sessions that speak the protocol with bad intent.
    Hostile = "hostile", 20;
}

impl Class {
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|class| class.word() == word)
    }
}

/// What a run is made of.
#[derive(Clone, Debug)]
pub struct Plan {
    pub steps: usize,
    pub devices: usize,
    /// Access tokens live so long, in milliseconds.
    pub token_life: i64,
    /// Of a thousand steps, how many carry a command.
    pub work: u32,
    /// How far one step may let time pass, in milliseconds.
    pub longest_wait: i64,
    rates: Vec<(Class, u32)>,
}

impl Plan {
    /// Some runs are quiet, some brutal, most have a few classes. Classes that are switched off change nothing else of
    /// the plan.
    pub fn draw(seed: u64, without: &[Class]) -> Self {
        let mut dice = Dice::new(seed, Concern::Plan);
        let mood = dice.below(10);
        let mut rates = Vec::new();
        for class in Class::ALL {
            let share = dice.between(1, 4);
            let here = match mood {
                0 => false,
                1 => true,
                2..=4 => dice.permille(150),
                _ => dice.permille(350),
            };
            let rate = u32::try_from(i64::from(class.most()) * share / 4)
                .unwrap_or(0)
                .max(1);
            if here && !without.contains(class) {
                rates.push((*class, rate));
            }
        }
        Self {
            steps: usize::try_from(dice.between(100, 700)).unwrap_or(100),
            devices: 2 + dice.below(4),
            token_life: dice.between(90_000, 600_000),
            work: u32::try_from(dice.between(60, 300)).unwrap_or(100),
            longest_wait: *[200, 2_000, 20_000, 90_000].get(dice.below(4)).unwrap_or(&200),
            rates,
        }
    }

    pub fn rate(&self, class: Class) -> u32 {
        self.rates
            .iter()
            .find(|(of, _)| *of == class)
            .map_or(0, |(_, rate)| *rate)
    }

    pub fn rates(&self) -> &[(Class, u32)] {
        &self.rates
    }
}
