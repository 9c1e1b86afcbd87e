//! The settings that bind sessions to devices, and what the builder makes of them.

use session_core::SessionsBuilder;

use crate::config::SessionConfig;
use crate::error::{Problem, SettingError};
use crate::value::Value;

/// Whether sessions are bound to the device that signs in (`device_binding`).
///
/// ```
/// use session_stores::{DeviceBindingMode, SessionConfig};
///
/// let config = SessionConfig::from_vars([("SESSION_DEVICE_BINDING", "observe")])?;
/// assert_eq!(config.device_binding, DeviceBindingMode::Observe);
/// # Ok::<(), session_stores::SettingError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceBindingMode {
    /// Sessions are not bound.
    #[default]
    Off,
    /// Sessions are bound, and requests without proof are reported only.
    Observe,
    /// Requests of bound sessions must be proven, for `device_binding_paths` or everywhere.
    Require,
}

pub(crate) fn mode(value: &Value) -> Result<DeviceBindingMode, Problem> {
    match value.text()? {
        "off" => Ok(DeviceBindingMode::Off),
        "observe" => Ok(DeviceBindingMode::Observe),
        "require" => Ok(DeviceBindingMode::Require),
        _ => Err(Problem::Refused),
    }
}

pub(crate) fn paths(value: &Value) -> Result<Vec<String>, Problem> {
    let paths = value.list()?;
    if paths.iter().all(|path| path.starts_with('/')) { Ok(paths) } else { Err(Problem::Refused) }
}

impl SessionConfig {
    /// Applies the settings of device binding.
    #[cfg(feature = "dbsc")]
    pub(crate) fn bind(&self, builder: SessionsBuilder) -> Result<SessionsBuilder, SettingError> {
        use session_core::DeviceBinding;

        let binding = match self.device_binding {
            DeviceBindingMode::Off => return Ok(builder),
            DeviceBindingMode::Observe => DeviceBinding::observe(),
            DeviceBindingMode::Require if self.device_binding_paths.is_empty() => DeviceBinding::require(),
            DeviceBindingMode::Require => DeviceBinding::require_for(self.device_binding_paths.clone()),
        };
        let binding = binding.refresh_every(self.device_binding_refresh.as_duration());
        #[cfg(feature = "dbsc-rs256")]
        let binding = if self.device_binding_rs256 { binding.allow_rs256() } else { binding };
        #[cfg(not(feature = "dbsc-rs256"))]
        if self.device_binding_rs256 {
            return Err(without("device_binding_rs256 (SESSION_DEVICE_BINDING_RS256)", "true", "dbsc-rs256"));
        }
        Ok(builder.bind_to_device(binding))
    }

    /// Refuses the settings of device binding, unless they are off.
    #[cfg(not(feature = "dbsc"))]
    pub(crate) fn bind(&self, builder: SessionsBuilder) -> Result<SessionsBuilder, SettingError> {
        let value = match self.device_binding {
            DeviceBindingMode::Off => return Ok(builder),
            DeviceBindingMode::Observe => "observe",
            DeviceBindingMode::Require => "require",
        };
        Err(without("device_binding (SESSION_DEVICE_BINDING)", value, "dbsc"))
    }
}

#[cfg(not(feature = "dbsc-rs256"))]
fn without(key: &str, value: &str, feature: &'static str) -> SettingError {
    SettingError::FeatureOff { key: key.to_owned(), value: value.to_owned(), feature }
}
