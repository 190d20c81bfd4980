//! `mux` among the extensions: its parameters, and what they make of the choices about channels.
//!
//! It is none of those that make something else of payloads, so it stands apart from them: what is named
//! before it is for the channels, and nothing is for the connection around them.

use hybi::{
    Role,
    extension::{ExtensionOffer, ExtensionParam},
    mux::Config,
};

use super::spec::shown;
use crate::values::count;

/// The name in `--ext`, whatever is sent for it.
pub(crate) const MUX: &str = "mux";

/// The quota that a channel is given: what `hybi-mux` takes.
const QUOTAS: core::ops::RangeInclusive<u64> = 256..=u32::MAX as u64;

/// The most channels beside the first that a client may have at a time.
const CHANNELS: core::ops::RangeInclusive<u64> = 1..=100_000;

/// Reads the parameters of `mux`.
pub(super) fn config(element: &ExtensionOffer, role: Role) -> Result<Config, String> {
    let params = element.params();
    let mut config = Config::default();
    for (index, param) in params.iter().enumerate() {
        if params[..index].iter().any(|earlier| earlier.name() == param.name()) {
            return Err(format!("{} is given twice", param.name()));
        }
        config = apply(config, param, role)?;
    }
    Ok(config)
}

fn apply(config: Config, param: &ExtensionParam, role: Role) -> Result<Config, String> {
    let value = param.value().unwrap_or_default();
    let not = |why: String| format!("{MUX} has not {}: {why}", shown(param));
    match param.name() {
        "token" => config.token(value).map_err(|error| not(error.to_string())),
        "quota" => Ok(config.window(count(value, QUOTAS).map_err(not)?)),
        "channels" if role == Role::Server => {
            Ok(config.max_channels(count(value, CHANNELS).map_err(not)?))
        }
        "channels" => Err(not("a client opens as many as --channels says".to_owned())),
        _ => {
            let channels = if role == Role::Server { ", channels=N" } else { "" };
            let has = format!("it has token=NAME, quota=OCTETS{channels}");
            Err(format!("{MUX} has no parameter {}; {has}", shown(param)))
        }
    }
}
