//! The table of limits, `LIMITS.md`, held against the options and the library.

use core::time::Duration;

use clap::{Command, CommandFactory as _};
use hybi::{Config, handshake::HeadLimits};

use super::Cli;
use crate::values::{duration_or_off, size, time};

const TABLE: &str = include_str!("../../LIMITS.md");

/// Options beside the limits that set none.
const NO_LIMITS: [&str; 5] =
    ["deflate-level", "deflate-min-size", "slow-peer", "reconnect", "reconnect-delay"];

/// What the table says of one limit: library, `serve`, `connect`, and why they differ.
fn rows() -> impl Iterator<Item = [&'static str; 4]> {
    let rows = TABLE.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix('|'));
    rows.skip(1).map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        cells[1..].try_into().expect("four cells behind the limit")
    })
}

/// A cell is a value, in front of which the name of what sets it may stand.
fn parts(cell: &str) -> (Option<&str>, &str) {
    match cell.strip_prefix('`').and_then(|rest| rest.split_once('`')) {
        Some((name, value)) => (Some(name), value.trim()),
        None => (None, cell),
    }
}

/// The library's default with one value set as the table has it, printed.
fn set(name: &str, value: &str) -> String {
    let config = Config::default();
    let bytes = || size(value).expect("a size");
    let moment = || time(value).expect("a duration");
    let or_off = || -> Option<Duration> { duration_or_off(value).expect("a duration or off").0 };
    let head = HeadLimits::default();
    let config = match name {
        "Config::max_message" => config.max_message(bytes()),
        "Config::max_frame" => {
            let limits = config.limits();
            assert_eq!((value, limits.max_frame()), ("as a message", limits.max_message() as u64));
            config
        }
        "Config::max_fragments" => config.max_fragments(value.parse().expect("a number")),
        "HeadLimits::with_max_bytes" => config.head_limits(head.with_max_bytes(bytes())),
        "HeadLimits::with_max_fields" => config.head_limits(head.with_max_fields(bytes())),
        "Config::outbox_limit" => config.outbox_limit(bytes()),
        "Config::handshake_timeout" => config.handshake_timeout(moment()),
        "Config::ping_interval" => config.ping_interval(or_off()),
        "Config::ping_timeout" => config.ping_timeout(moment()),
        "Config::idle_timeout" => config.idle_timeout(or_off()),
        "Config::write_timeout" => config.write_timeout(or_off()),
        "Config::close_timeout" => config.close_timeout(moment()),
        "Config::end_timeout" => config.end_timeout(moment()),
        _ => panic!("the table names {name}"),
    };
    format!("{config:?}")
}

/// The default of an option, as the argument parser or the help has it.
fn default_of(command: &Command, option: &str) -> String {
    let long = option.strip_prefix("--").expect("a long option");
    let argument = command.get_arguments().find(|argument| argument.get_long() == Some(long));
    let argument = argument.unwrap_or_else(|| panic!("the table names {option}"));
    match argument.get_default_values() {
        [value] => value.to_str().expect("text").to_owned(),
        _ => {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            let (_, value) = help.split_once("[default: ").expect("a default in the help");
            value.trim_end_matches(']').replace("as message", "as a message")
        }
    }
}

#[test]
fn the_table_has_the_defaults_of_the_library_and_of_the_options() {
    let cli = Cli::command();
    let untouched = format!("{:?}", Config::default());
    for [library, serve, connect, why] in rows() {
        let (name, of_library) = parts(library);
        if let Some(name) = name {
            assert_eq!(set(name, of_library), untouched, "{library}");
        }
        for (command, cell) in [("serve", serve), ("connect", connect)] {
            let (option, value) = parts(cell);
            if let Some(option) = option {
                let command = cli.find_subcommand(command).expect("a command");
                assert_eq!(default_of(command, option), value, "{cell}");
            }
            let differs = !value.is_empty() && !of_library.is_empty() && value != of_library;
            assert!(!differs || !why.is_empty(), "{library} and {cell}: nothing says why");
        }
    }
}

#[test]
fn every_limit_is_in_the_table() {
    let cli = Cli::command();
    for (command, column) in [("serve", 1), ("connect", 2)] {
        let command = cli.find_subcommand(command).expect("a command");
        let limits = command
            .get_arguments()
            .filter(|argument| argument.get_help_heading() == Some("Limits and time"))
            .filter_map(|argument| argument.get_long());
        for long in limits.filter(|long| !NO_LIMITS.contains(long)) {
            let named = format!("--{long}");
            let found = rows().any(|row| parts(row[column]).0 == Some(&*named));
            assert!(found, "{named} is not in the table");
        }
    }
}
