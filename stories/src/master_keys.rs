//! What the stories' databases are sealed with, in this process and in servers that it starts.

use sync_server::at_rest::MasterKeys;

/// As `MASTER_KEY` has it.
pub const MASTER_KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

pub fn master_keys() -> MasterKeys {
    MasterKeys::new(MASTER_KEY.parse().expect("it is one"), Vec::new())
}
