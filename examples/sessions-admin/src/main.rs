//! Lists, inspects, ends and moves the sessions of any store: for the person on call. The README says how.

mod command;
mod failure;
mod keys;
mod migrate;
mod report;
mod run;
mod show;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory, Parser};
use session_core::adapter::SystemClock;
use session_core::store::{MigratingStore, SessionStore};
use session_stores::{Drivers, SessionConfig, SettingError, StoreConfig};

use command::{Command, Migrate, Usage};
use failure::Failure;
use report::Report;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // Help, version and what is wrong with the words: clap says it and ends the program.
    let usage = Usage::parse();
    if let Command::Completions { shell } = usage.command {
        clap_complete::generate(shell, &mut Usage::command(), "sessions-admin", &mut std::io::stdout());
        return ExitCode::SUCCESS;
    }
    let (is_json, show_values) = (usage.json, usage.show_values);
    match work(usage).await {
        Ok(report) => {
            // `anstream` takes the colours away where nobody sees them. A closed pipe has seen enough.
            let _ = match is_json {
                true => writeln!(std::io::stdout(), "{}", report.to_json(show_values)),
                false => write!(anstream::stdout(), "{}", report.to_text(show_values)),
            };
            ExitCode::SUCCESS
        }
        Err(failure) => {
            let (red, reset) = (show::RED, anstyle::Reset);
            let _ = writeln!(anstream::stderr(), "{red}sessions-admin:{reset} {failure}");
            let mut cause = std::error::Error::source(&failure);
            while let Some(error) = cause {
                let _ = writeln!(anstream::stderr(), "  because {error}");
                cause = error.source();
            }
            ExitCode::from(failure.code())
        }
    }
}

async fn work(usage: Usage) -> Result<Report, Failure> {
    let clock = &SystemClock;
    match &usage.command {
        Command::Keys(keys) => keys::run(*keys, &SessionConfig::from_env()?),
        Command::Migrate(asked) => {
            let store = both(usage.store.as_deref(), asked).await?;
            migrate::run(&store, asked, clock).await
        }
        command => {
            let environment = SessionConfig::from_env()?;
            let store = open(configuration(usage.store.as_deref(), &environment)?).await?;
            // During a migration both stores are one, so that a session is found and ended wherever it is.
            let old = if usage.store.is_none() { environment.old_store()? } else { None };
            let Some(old) = old else { return run::run(store.as_ref(), command, clock).await };
            let both = MigratingStore::shared(store, open(old).await?);
            let mut report = run::run(&both, command, clock).await?;
            if let Report::Top { left, .. } = &mut report {
                *left = Some((both.from().name(), migrate::left(&both, clock).await?));
            }
            Ok(report)
        }
    }
}

async fn both(url: Option<&str>, asked: &Migrate) -> Result<MigratingStore, Failure> {
    let environment = SessionConfig::from_env()?;
    let old = match &asked.from {
        Some(from) => with_companions(StoreConfig::from_url(from)?, from),
        None => environment.old_store()?.ok_or(Failure::NoOldStore)?,
    };
    let mut new = configuration(url, &environment)?;
    // Sessions are about to be written to it.
    new.prepare = true;
    Ok(MigratingStore::shared(Drivers::new().open(&new).await?, open(old).await?))
}

/// Opens a store as it is: nothing is created for somebody who only looks.
async fn open(mut config: StoreConfig) -> Result<Arc<dyn SessionStore>, SettingError> {
    config.prepare = false;
    Drivers::new().open(&config).await
}

/// The store of the URL or else of the environment.
fn configuration(url: Option<&str>, environment: &SessionConfig) -> Result<StoreConfig, SettingError> {
    match url {
        None => environment.store(),
        Some(url) => Ok(with_companions(StoreConfig::from_url(url)?, url)),
    }
}

/// What a URL does not say; checked when the environment was read.
fn with_companions(mut store: StoreConfig, url: &str) -> StoreConfig {
    if let Ok(prefix) = std::env::var("SESSION_PREFIX") {
        prefix.trim_end_matches(':').clone_into(&mut store.prefix);
    }
    if let (Ok(table), false) = (std::env::var("SESSION_TABLE"), url.starts_with("dynamodb:")) {
        store.table = table;
    }
    store
}
