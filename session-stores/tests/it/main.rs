//! What the facade promises: settings, stores opened by URL, and the sweeper.

mod page;
mod peers;
mod sessions;
mod settings;
mod stores;
mod sweeper;
mod sweeper_stores;
