// The uses of a singleton with a mistake are not told too.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "settings:", persistent)]
pub struct Settings {
    #[garde(skip)]
    pub theme: String,
}

pub fn key() -> SettingsKey {
    Settings::key()
}
