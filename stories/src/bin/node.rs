//! A server process for stories in which one is killed: sync-server's own parts, put together as its own program does.

use anyhow::{Result, bail};
use clap::Parser;
use std::io::Write;
use sync_server::config::{Cli, Role};
use sync_server::server::{Settings, serve};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    let Role::Serve(options) = cli.role else {
        bail!("it only serves")
    };
    let storage = cli.data.open().await?;
    let listener = TcpListener::bind(options.listen).await?;
    let mut out = std::io::stdout();
    writeln!(out, "Listening at http://{}", listener.local_addr()?)?;
    out.flush()?;
    serve(
        storage,
        Settings::new(options.web),
        listener,
        CancellationToken::new(),
    )
    .await?;
    Ok(())
}
