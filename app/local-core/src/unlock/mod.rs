//! Who may open this device's records, and with what: keys, PINs, and how often somebody may try.
//!
//! Place in the flow: before the store. The records are encrypted with one key, which is nowhere as it is: it is sealed
//! once for each way to unlock. Invariants: randomness and time arrive as arguments, and an attempt is counted on the
//! disk before it is judged.

mod attempts;
mod key;
mod keyring;
mod pin;

pub use attempts::{LONGEST_WAIT_MS, PIN_TRIES, Verdict};
pub use key::{Cost, DataKey, DeviceKey, Fresh, Wrapped};
pub use keyring::{Keyring, Outcome, PersonHere, Way};
pub use pin::{MIN_PIN, Pin, PinTrouble};
