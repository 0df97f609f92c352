//! The command line and its environment: every setting in one place.

use crate::at_rest::{MasterKey, MasterKeyError, MasterKeys};
use crate::identity::{
    Network, ProviderSetting, ProviderSettingError, RequestLimits, SIGN_IN_DAYS, read_providers,
};
use crate::mail::{MailWay, Post, PostSettingError};
use crate::storage::Storage;
use crate::storage::StorageError;
use crate::storage::postgres::PostgresStorage;
use crate::storage::sqlite::SqliteStorage;
use crate::telemetry::LogFormat;
use clap::{Args, Parser, Subcommand};
use shared_model::ids::ClinicId;
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
    /// Serve TLS with this certificate (PEM, followed by those that vouch for it); a renewed file is taken up by itself
    #[arg(long, env = "TLS_CERTIFICATE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, env = "TLS_KEY", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
    /// Pages of other servers that may open sockets here, as in "https://widgets.example.org"
    #[arg(long = "allowed-origin", env = "ALLOWED_ORIGIN", value_delimiter = ',')]
    pub allowed_origins: Vec<String>,
    /// Requests that one address may make at once before it has to wait; a hospital behind one address may need more
    #[arg(long, env = "REQUESTS_AT_ONCE", default_value_t = RequestLimits::default().address.at_once)]
    pub requests_at_once: u32,
    /// Days after which a device asks for the password or the provider anew, even if it is used every day; nothing on it is lost
    #[arg(
        long,
        env = "SIGN_IN_DAYS",
        default_value_t = SIGN_IN_DAYS,
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    pub sign_in_days: u16,
    #[command(flatten)]
    pub mail: Mail,
    #[command(flatten)]
    pub openid: OpenId,
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
    /// Look at the trail: who did what, when, on which device
    Audit(Audit),
    /// Write a fresh master key to a file
    MakeMasterKey(MakeMasterKey),
    /// Have all keys wrapped by the master key that is configured, with the former ones at hand
    RotateMasterKey,
    /// Create a clinic and invite its administrator
    CreateClinic(CreateClinic),
    /// Let somebody who has an account look after all clinics
    MakeSystemAdministrator {
        /// The account's e-mail address
        email: String,
    },
    /// Take the second factors of somebody away who has lost them all: they sign in without, or set up new ones
    ForgetSecondFactor(ForgetSecondFactor),
    /// Tell what there is of a person and, with --yes, erase it for good; records of clinics and pets stay
    ErasePerson(ErasePerson),
}

#[derive(Debug, Args)]
pub struct ErasePerson {
    /// The account's e-mail address, or its id
    pub person: String,
    /// Do it: it cannot be undone
    #[arg(long)]
    pub yes: bool,
}

#[derive(Debug, Args)]
pub struct ForgetSecondFactor {
    /// The account's e-mail address
    pub email: String,
    #[command(flatten)]
    pub mail: Mail,
}

#[derive(Debug, Args)]
pub struct MakeMasterKey {
    /// Where to; must not be there yet
    pub file: PathBuf,
}

#[derive(Debug, Args)]
pub struct CreateClinic {
    #[arg(long)]
    pub name: String,
    /// IANA name, as in "Europe/Prague"
    #[arg(long)]
    pub time_zone: String,
    /// E-mail address
    #[arg(long)]
    pub administrator: String,
    #[command(flatten)]
    pub mail: Mail,
}

/// How mails leave, and where their links lead.
#[derive(Debug, Args)]
pub struct Mail {
    /// Mail server, as in "smtps://user:password@mail.example.org" or "smtp://localhost:25"
    #[arg(long, env = "SMTP", hide_env_values = true)]
    pub smtp: Option<String>,
    /// Who mails are from
    #[arg(
        long,
        env = "MAIL_FROM",
        default_value = "Clinic records <no-reply@localhost.localdomain>"
    )]
    pub mail_from: String,
    /// Where people reach this server, as in "https://records.example.org"; links in mails begin with it
    #[arg(long, env = "PUBLIC_ADDRESS")]
    pub public_address: Option<String>,
}

impl Mail {
    /// Through the mail server that was named; else into a folder beside the embedded database; else nowhere.
    pub fn post(&self, data: &Data) -> Result<Post, PostSettingError> {
        let way = match (&self.smtp, &data.database_url) {
            (Some(server), _) => {
                let address = self.address("localhost");
                let host = address.split_once("://").map_or(&*address, |(_, host)| host);
                let name = host.split([':', '/']).next().unwrap_or(host);
                Post::by_smtp(server, name)?
            }
            (None, None) => MailWay::Folder(data.data.join("mail")),
            (None, Some(_)) => MailWay::Nowhere,
        };
        Post::new(way, &self.mail_from)
    }

    /// Without a slash at the end.
    pub fn address(&self, listening_at: &str) -> String {
        let named = self.public_address.as_deref();
        let address = named.map_or_else(|| listening_at.to_owned(), str::to_owned);
        address.trim_end_matches('/').to_owned()
    }
}

/// Who vouches for people beside their passwords.
#[derive(Args)]
pub struct OpenId {
    /// File with the sign-in providers (OpenID Connect), a JSON list; docs/accounts.md says what it has
    #[arg(long = "openid-file", env = "OPENID_FILE")]
    pub file: Option<PathBuf>,
    /// The same list itself, instead of a file
    #[arg(
        long = "openid",
        env = "OPENID",
        hide_env_values = true,
        conflicts_with = "file"
    )]
    pub list: Option<String>,
}

/// Without what is secret in the list.
impl std::fmt::Debug for OpenId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenId")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl OpenId {
    /// # Errors
    /// If the file cannot be read, or the list is not of the form that is expected.
    pub fn providers(&self) -> Result<Vec<ProviderSetting>, ProviderSettingError> {
        match (&self.list, &self.file) {
            (Some(list), _) => read_providers(list),
            (None, Some(file)) => {
                let read = std::fs::read_to_string(file);
                read_providers(&read.map_err(|error| ProviderSettingError::File {
                    file: file.display().to_string(),
                    error,
                })?)
            }
            (None, None) => Ok(Vec::new()),
        }
    }
}

#[derive(Debug, Args)]
pub struct Audit {
    #[command(subcommand)]
    pub task: AuditTask,
}

#[derive(Debug, Subcommand)]
pub enum AuditTask {
    /// Walk the trail of each clinic and name the first thing that somebody altered, took out or added
    Verify(VerifyAudit),
}

#[derive(Debug, Args)]
pub struct VerifyAudit {
    /// Only this clinic's
    #[arg(long)]
    pub clinic: Option<ClinicId>,
    /// File with what this command has printed earlier, kept where the database is not: the trail has to come by those ends
    #[arg(long)]
    pub noted: Option<PathBuf>,
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
    /// File of the master key, without which the database cannot be read; beside the embedded database by default
    #[arg(long, env = "MASTER_KEY_FILE", global = true)]
    pub master_key_file: Option<PathBuf>,
    /// The master key itself, in base64, instead of a file
    #[arg(
        long,
        env = "MASTER_KEY",
        hide_env_values = true,
        global = true,
        conflicts_with = "master_key_file"
    )]
    pub master_key: Option<MasterKey>,
    /// Files of former master keys, which open what has not been wrapped anew
    #[arg(long, env = "FORMER_MASTER_KEY_FILES", value_delimiter = ',', global = true)]
    pub former_master_key_files: Vec<PathBuf>,
}

/// Why the data cannot be worked with.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// The embedded database's own master key, in the same folder: whoever copies the file of the database alone has nothing.
const MASTER_KEY_FILE: &str = "master.key";

impl Data {
    /// Opens the database and brings it to this build's form.
    ///
    /// # Errors
    /// If there is no master key, it is another one than the database was sealed with, or the database cannot be opened.
    pub async fn open(&self) -> Result<Arc<dyn Storage>, OpenError> {
        let masters = self.master_keys()?;
        Ok(match &self.database_url {
            Some(url) => Arc::new(PostgresStorage::connect(url, masters).await?),
            None => Arc::new(SqliteStorage::open(&self.data.join("clinic.db"), masters)?),
        })
    }

    fn master_keys(&self) -> Result<MasterKeys, MasterKeyError> {
        let current = match (&self.master_key, &self.master_key_file) {
            (Some(key), _) => key.clone(),
            (None, Some(file)) => MasterKey::read(file)?,
            (None, None) if self.database_url.is_some() => return Err(MasterKeyError::Missing),
            (None, None) => {
                let file = self.data.join(MASTER_KEY_FILE);
                if file.exists() {
                    MasterKey::read(&file)?
                } else {
                    tracing::info!(
                        file = %file.display(),
                        "made a master key: without it the database cannot be read, so keep a copy, and not where copies of the database are"
                    );
                    MasterKey::create(&file)?
                }
            }
        };
        let former = self
            .former_master_key_files
            .iter()
            .map(|file| MasterKey::read(file))
            .collect::<Result<_, _>>()?;
        Ok(MasterKeys::new(current, former))
    }
}
