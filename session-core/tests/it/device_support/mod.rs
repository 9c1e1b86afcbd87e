//! A site whose sessions are bound to devices, over an application with a logged store and a manual clock.

use std::ops::Deref;
use std::time::Duration;

use session_core::{error::*, *};
pub(crate) use session_testkit::{DeviceBrowser as Browser, DeviceReply as Response};
use session_testkit::{DeviceSite, TestDevice};

use crate::driver_support::{App, OnTokio, app_in_cookie, app_with};

/// How long one proof lasts.
pub(crate) const REFRESH: u64 = 300;

pub(crate) fn binding() -> DeviceBinding {
    DeviceBinding::require().refresh_every(Duration::from_secs(REFRESH))
}

pub(crate) struct Site {
    pub(crate) app: App,
    site: DeviceSite,
}

impl Site {
    pub(crate) fn new(binding: DeviceBinding) -> Self {
        Self::of(app_with(|builder| builder.bind_to_device(binding)))
    }

    pub(crate) fn in_cookie(binding: DeviceBinding) -> Self {
        Self::of(app_in_cookie(|builder, _| builder.bind_to_device(binding)))
    }

    pub(crate) fn of(app: App) -> Self {
        Self { site: DeviceSite::new(app.sessions.clone(), &OnTokio), app }
    }

    /// Signs in and registers, of which the logs say nothing.
    pub(crate) async fn bound(&self, browser: &mut Browser, device: &TestDevice) {
        self.site.bound(browser, device).await;
        self.app.calls();
        self.app.events.take();
    }

    /// The reason for the newest refusal since the last time.
    pub(crate) fn refusal(&self) -> Option<ProofError> {
        self.app.events.take().into_iter().find_map(|event| match event {
            Event::RefusedProof(reason) => Some(reason),
            _ => None,
        })
    }
}

impl Deref for Site {
    type Target = DeviceSite;

    fn deref(&self) -> &DeviceSite {
        &self.site
    }
}

/// Nothing that helps whoever sent it.
pub(crate) fn grants_nothing(response: &Response) {
    assert_ne!(response.status, 200, "{response:?}");
    assert_eq!(response.header("set-cookie"), None, "{response:?}");
}
