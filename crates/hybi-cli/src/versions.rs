//! `hybi versions`: the table of the versions that this build speaks.

use std::io::Write as _;

use crate::exit::{Failure, Status, stdout_failed};
use crate::json::Object;
use crate::values::KNOWN;

/// Prints the table, or one JSON object for each version.
pub(crate) fn print(json: bool) -> Result<Status, Failure> {
    let mut text = String::new();
    if !json {
        text.push_str("NAME     SEC-WEBSOCKET-VERSION  ALIASES\n");
    }
    for (name, version, aliases) in KNOWN {
        let aliases = aliases.join(" ");
        if json {
            let number = version.number();
            let line = Object::event("version").string("name", name).number("number", number);
            text.push_str(&line.string("aliases", &aliases).finish());
            text.push('\n');
        } else {
            text.push_str(&format!("{name:<8} {:<22} {aliases}\n", version.number()));
        }
    }
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| stdout_failed(&error))?;
    Ok(Status::Done)
}
