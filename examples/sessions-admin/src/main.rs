//! Lists, inspects and ends the sessions of any store: for the person on call. The README says how.

mod command;
mod run;
mod show;

use std::process::ExitCode;

use session_core::adapter::SystemClock;
use session_stores::{Drivers, SessionConfig, SettingError, StoreConfig};

use command::{Command, Usage};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match work().await {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("sessions-admin: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn work() -> Result<String, Box<dyn std::error::Error>> {
    let Usage { store, show_values, command } = Usage::parse(std::env::args().skip(1))?;
    if matches!(command, Command::Help) {
        return Ok(command::HELP.to_owned());
    }
    let store = Drivers::new().open(&configuration(store.as_deref())?).await?;
    Ok(run::run(store.as_ref(), &command, show_values, &SystemClock).await?)
}

/// The store of the URL or else of the environment, opened as it is: nothing is created for somebody who only looks.
fn configuration(url: Option<&str>) -> Result<StoreConfig, SettingError> {
    let environment = SessionConfig::from_env()?;
    let mut store = match url {
        None => environment.store()?,
        Some(url) => {
            let mut store = StoreConfig::from_url(url)?;
            // Checked by the configuration above.
            if let Ok(prefix) = std::env::var("SESSION_PREFIX") {
                prefix.trim_end_matches(':').clone_into(&mut store.prefix);
            }
            if let (Ok(table), false) = (std::env::var("SESSION_TABLE"), url.starts_with("dynamodb:")) {
                store.table = table;
            }
            store
        }
    };
    store.prepare = false;
    Ok(store)
}
