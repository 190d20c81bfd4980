//! The log: lines on stderr, from the level that was asked for.

use core::fmt;
use core::sync::atomic::{AtomicU8, Ordering};
use std::io::Write as _;

/// How much is worth a line; each level includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Level {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

static CHOSEN: AtomicU8 = AtomicU8::new(Level::Warn as u8);

/// Sets the level for the rest of the program.
pub(crate) fn set(level: Level) {
    CHOSEN.store(level as u8, Ordering::Relaxed);
}

/// Whether lines of this level are written.
pub(crate) fn enabled(level: Level) -> bool {
    level as u8 <= CHOSEN.load(Ordering::Relaxed)
}

pub(crate) fn error(line: fmt::Arguments<'_>) {
    write(Level::Error, "error", line);
}

pub(crate) fn warn(line: fmt::Arguments<'_>) {
    write(Level::Warn, "warn", line);
}

pub(crate) fn info(line: fmt::Arguments<'_>) {
    write(Level::Info, "info", line);
}

pub(crate) fn debug(line: fmt::Arguments<'_>) {
    write(Level::Debug, "debug", line);
}

/// A fact that the user asked for; at every level but `off`.
pub(crate) fn notice(line: fmt::Arguments<'_>) {
    write(Level::Error, "notice", line);
}

fn write(level: Level, name: &str, line: fmt::Arguments<'_>) {
    if enabled(level) {
        let text = line.to_string();
        // A log that cannot be written must not end what it reports on.
        let _ = writeln!(
            std::io::stderr(),
            "{} {name} {}",
            crate::clock::now(),
            crate::escape::controls(&text)
        );
    }
}
