//! The server's binary: one for every role it can play.

use clap::Parser;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use sync_server::administer::{FirstClinic, create_clinic, forget_second_factor, make_system_administrator};
use sync_server::at_rest::MasterKey;
use sync_server::config::{
    Admin, AdminTask, AuditTask, Cli, CreateClinic, Data, Demo, ErasePerson, Role, Serve, VerifyAudit,
};
use sync_server::erase_person::{describe, erase, find};
use sync_server::identity::SignInLife;
use sync_server::mail::{MailWay, Post};
use sync_server::server::{self, Settings};
use sync_server::storage::{Storage, StorageError};
use sync_server::tls::TlsFiles;
use sync_server::trail::{Astray, BROKEN, Noted, Verdict, read_noted, verify_roll, verify_trail};
use sync_server::{import_demonstration, telemetry};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Gives memory back: the system's allocator keeps the 19 MiB of every thread that ever hashed a password.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Certificates are renewed weeks before they end.
const LOOK_FOR_CERTIFICATES_EVERY: Duration = Duration::from_secs(60);

type Outcome = Result<(), Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    telemetry::start(cli.log_format, &cli.log);
    match run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "ended");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Outcome {
    if let Role::Admin(Admin {
        task: AdminTask::MakeMasterKey(options),
    }) = &cli.role
    {
        MasterKey::create(&options.file)?;
        return say(&format!(
            "{} holds a fresh master key. Keep a copy where copies of the database are not: a database that was sealed \
             with it cannot be read without.\n",
            options.file.display()
        ));
    }
    let storage = cli.data.open().await?;
    match cli.role {
        Role::Serve(options) => serve(storage, &cli.data, options).await,
        Role::Migrate => say("The database has this build's form.\n"),
        Role::Admin(admin) => match admin.task {
            AdminTask::Demo(options) => demo(&storage, options).await,
            AdminTask::Audit(audit) => match audit.task {
                AuditTask::Verify(options) => verify(&storage, options).await,
            },
            AdminTask::MakeMasterKey(_) => Ok(()),
            AdminTask::RotateMasterKey => {
                let count = storage.wrap_keys_anew().await?;
                say(&format!(
                    "{count} keys are wrapped by the master key in force now. Once every node has it, the former one opens \
                     nothing in this database; copies of the database from before still need it.\n"
                ))
            }
            AdminTask::CreateClinic(options) => first_clinic(&storage, &cli.data, options).await,
            AdminTask::MakeSystemAdministrator { email } => {
                let account = make_system_administrator(&storage, &email).await?;
                say(&format!("{account} is a system administrator.\n"))
            }
            AdminTask::ErasePerson(options) => erase_person(&storage, &options).await,
            AdminTask::ForgetSecondFactor(options) => {
                let (address, post) = (
                    options.mail.address("http://localhost:8080"),
                    options.mail.post(&cli.data)?,
                );
                let account = forget_second_factor(&storage, &address, &post, &options.email).await?;
                say(&format!(
                    "{account} has no second factor any more, and is told so by mail if the server sends any.\n"
                ))
            }
        },
    }
}

/// Without a yes it tells, and does nothing.
async fn erase_person(storage: &Arc<dyn Storage>, options: &ErasePerson) -> Outcome {
    let person = find(storage, &options.person).await?;
    say(&describe(&person))?;
    if options.yes {
        say(erase(storage, &person).await?)
    } else {
        say("\nNothing was done. With --yes it is done, for good.\n")
    }
}

/// One line a clinic; an error if any trail is broken.
async fn verify(storage: &Arc<dyn Storage>, options: VerifyAudit) -> Outcome {
    let noted = match &options.noted {
        Some(file) => read_noted(&std::fs::read_to_string(file)?)?,
        None => Vec::new(),
    };
    let mut clinics = storage.clinics().await?;
    let mut astray = verify_roll(storage.as_ref()).await?;
    for (clinic, _) in &noted {
        let gone = Astray::Gone(*clinic);
        if !clinics.contains(clinic) && !astray.contains(&gone) {
            astray.push(gone);
        }
    }
    for wrong in &astray {
        say(&format!("{wrong}\n"))?;
    }
    let mut broken = astray.len();
    if let Some(wanted) = options.clinic {
        clinics.retain(|clinic| *clinic == wanted);
        if clinics.is_empty() {
            return Err("there is no such clinic".into());
        }
    }
    for clinic in clinics {
        let of_clinic = noted.iter().filter(|(of, _)| *of == clinic);
        let of_clinic: Vec<Noted> = of_clinic.map(|(_, noted)| noted.clone()).collect();
        match verify_trail(storage.as_ref(), clinic, &of_clinic).await {
            Ok(Verdict::Whole(whole)) => say(&format!("{clinic}: {whole}\n"))?,
            Ok(Verdict::Broken(row)) => {
                broken += 1;
                say(&format!("{clinic}: {BROKEN}: {row}\n"))?;
            }
            // What cannot be read hides nothing of the other clinics.
            Err(StorageError::Failed(why)) => {
                broken += 1;
                say(&format!("{clinic}: {BROKEN}: it cannot be read: {why}\n"))?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    match broken {
        0 => Ok(()),
        count => Err(format!("what is here is not what it was: {count} found").into()),
    }
}

async fn serve(storage: Arc<dyn Storage>, data: &Data, options: Serve) -> Outcome {
    let post = options.mail.post(data)?;
    let providers = options.openid.providers()?;
    let listener = TcpListener::bind(options.listen)
        .await
        .map_err(|error| format!("cannot listen at {}: {error}", options.listen))?;
    let address = listener.local_addr()?;
    let stopping = CancellationToken::new();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = stopping.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.cancel();
        tracing::info!("stopping");
    });
    if !options.web.join("index.html").exists() {
        tracing::warn!(web = %options.web.display(), "the web client has not been built");
    }
    tracing::info!(%address, "serving");
    let tls = options.tls_certificate.zip(options.tls_key);
    let here = format!("{}://{address}", if tls.is_some() { "https" } else { "http" });
    say(&format!(
        "Listening at {here}\n{}{}",
        where_mails_go(&post),
        sign_ins(&storage).await?
    ))?;
    let mut settings = Settings::new(options.web);
    settings.public_address = options.mail.address(&here);
    settings.tls = tls.map(|(certificate, key)| TlsFiles {
        certificate,
        key,
        look_every: LOOK_FOR_CERTIFICATES_EVERY,
    });
    if !address.ip().is_loopback() && !settings.public_address.starts_with("https://") {
        tracing::warn!(
            "what devices send is not encrypted here: name a certificate (TLS_CERTIFICATE, TLS_KEY), or have a proxy in \
             front do it at an https address that PUBLIC_ADDRESS names"
        );
    }
    settings.allowed_origins = options.allowed_origins;
    settings.post = post;
    settings.providers = providers;
    settings.sign_in_life = SignInLife::of_days(options.sign_in_days);
    settings.request_limits.address.at_once = options.requests_at_once;
    settings.trusted_proxies = options.trusted_proxies;
    settings.keep_changes.at_least = Duration::from_secs(u64::from(options.keep_changes_days) * 24 * 3_600);
    server::serve(storage, settings, listener, stopping).await?;
    Ok(())
}

/// Nothing if they reach people.
fn where_mails_go(post: &Post) -> String {
    match &post.way {
        MailWay::Smtp(_) => String::new(),
        MailWay::Folder(folder) => {
            format!(
                "No mail server is named (--smtp): mails are written into {}\n",
                folder.display()
            )
        }
        MailWay::Nowhere => {
            "No mail server is named (--smtp): nobody can be invited, and no password can be chosen anew\n"
                .to_owned()
        }
    }
}

async fn first_clinic(storage: &Arc<dyn Storage>, data: &Data, options: CreateClinic) -> Outcome {
    let wanted = FirstClinic {
        name: &options.name,
        time_zone: &options.time_zone,
        administrator: &options.administrator,
    };
    let address = options.mail.address("http://localhost:8080");
    let created = create_clinic(storage, &address, &options.mail.post(data)?, wanted).await?;
    match created.link {
        Some(link) => say(&format!(
            "{} is there. Its administrator accepts the invitation at\n{link}\n",
            options.name
        )),
        None => say(&format!(
            "{} is there. Its administrator is invited by mail once the server runs.\n",
            options.name
        )),
    }
}

async fn demo(storage: &Arc<dyn Storage>, options: Demo) -> Outcome {
    if !storage.demonstration_accounts().await?.is_empty() {
        return Err("this database has a demonstration clinic already: choose another --data".into());
    }
    let started = Instant::now();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let clinic = demonstration::clinic_with(demonstration::Options {
        seed: options.seed,
        patients: options.patients,
        years: options.years,
        now: shared_model::time::Timestamp(i64::try_from(now.as_millis())?),
    });
    let generated = started.elapsed();
    let imported = import_demonstration(storage, clinic).await?;
    let seconds = (started.elapsed() - generated).as_secs_f64();
    say(&format!(
        "{} documents with {} changes in {seconds:.1} s ({:.0} changes/s)\n{}",
        imported.documents,
        imported.changes,
        imported.changes as f64 / seconds,
        sign_ins(storage).await?
    ))
}

/// The sign-ins of a demonstration clinic; nothing for a real one.
async fn sign_ins(storage: &Arc<dyn Storage>) -> Result<String, Box<dyn std::error::Error>> {
    let mut text = String::new();
    for account in storage.demonstration_accounts().await? {
        let roles: Vec<&str> = account.roles.iter().map(|role| role.word()).collect();
        writeln!(
            text,
            "  {:<40} {:<28} {}  ({})",
            account.email,
            account.password,
            account.full_name,
            roles.join(", ")
        )?;
    }
    if !text.is_empty() {
        text.insert_str(0, "This is a demonstration clinic. Sign in with:\n");
    }
    Ok(text)
}

fn say(text: &str) -> Outcome {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}
