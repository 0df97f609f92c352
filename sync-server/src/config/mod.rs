//! The command line and its environment: every setting in one place.

use crate::identity::Network;
use crate::storage::Storage;
use crate::storage::StorageError;
use crate::storage::postgres::PostgresStorage;
use crate::storage::sqlite::SqliteStorage;
use crate::telemetry::LogFormat;
use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug, Parser)]
#[command(
    name = "sync-server",
    version,
    about = "Keeps a veterinary clinic's devices in sync"
)]
pub struct Cli {
    #[command(subcommand)]
    pub role: Role,
    #[command(flatten)]
    pub data: Data,
    /// How log lines are written
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value = "text", global = true)]
    pub log_format: LogFormat,
    /// Which log lines are written, as in "info,sync_server=debug"
    #[arg(long, env = "LOG", default_value = "info,sqlx=warn", global = true)]
    pub log: String,
}

#[derive(Debug, Subcommand)]
pub enum Role {
    /// Serve devices and the web client
    Serve(Serve),
    /// Bring the database to this build's form, and end
    Migrate,
    /// Look after clinics
    Admin(Admin),
}

#[derive(Debug, Args)]
pub struct Serve {
    /// Address to listen at
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// The web client's files
    #[arg(long, env = "WEB", default_value = "dist/web")]
    pub web: PathBuf,
    /// Addresses or networks of proxies whose X-Forwarded-For is believed, as in "10.0.0.2,172.16.0.0/12"
    #[arg(long = "trusted-proxy", env = "TRUSTED_PROXY", value_delimiter = ',')]
    pub trusted_proxies: Vec<Network>,
    /// Days for which single changes are kept; a device that was away for longer gets the documents that changed, whole
    #[arg(long, env = "KEEP_CHANGES_DAYS", default_value_t = 7)]
    pub keep_changes_days: u16,
}

#[derive(Debug, Args)]
pub struct Admin {
    #[command(subcommand)]
    pub task: AdminTask,
}

#[derive(Debug, Subcommand)]
pub enum AdminTask {
    /// Create a demonstration clinic
    Demo(Demo),
}

#[derive(Debug, Args)]
pub struct Demo {
    /// How many animals it has
    #[arg(long, default_value_t = 2_000)]
    pub patients: usize,
    /// The same seed gives the same clinic
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Years of history
    #[arg(long, default_value_t = ::demonstration::YEARS)]
    pub years: u16,
}

/// Where the data lies: Postgres if its address is given, else a file.
#[derive(Debug, Args)]
pub struct Data {
    /// Folder of the embedded database
    #[arg(long, env = "DATA", default_value = "data", global = true)]
    pub data: PathBuf,
    /// Address of a Postgres database, used instead of the embedded one
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true)]
    pub database_url: Option<String>,
}

impl Data {
    /// Opens the database and brings it to this build's form.
    pub async fn open(&self) -> Result<Arc<dyn Storage>, StorageError> {
        Ok(match &self.database_url {
            Some(url) => Arc::new(PostgresStorage::connect(url).await?),
            None => Arc::new(SqliteStorage::open(&self.data.join("clinic.db"))?),
        })
    }
}
