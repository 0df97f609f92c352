//! `cargo xtask docs`: writes the pages that are made from code. The tests that compare them do the writing, so that
//! what is written is what is compared.

use anyhow::Result;

use crate::command::{cargo, run};

pub(crate) fn docs() -> Result<()> {
    run(cargo()
        .args(["test", "--package", "shared-model", "--test", "permissions_page"])
        .env("WRITE_DOCS", "1"))
}
