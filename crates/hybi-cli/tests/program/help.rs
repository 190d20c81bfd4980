//! Help and version: what is printed, where, and with which status.

use crate::support::hybi;

#[test]
fn help_and_version_are_results() {
    let version = hybi(&["--version"]).expect(0, "").stdout;
    assert!(version.starts_with("hybi ") && version.contains("hixie-75"), "{version}");
    let help = hybi(&["serve", "--help"]).expect(0, "").stdout;
    for option in ["--listen", "--max-message", "--tls-self-signed", "--drain-timeout"] {
        assert!(help.contains(option), "{option}");
    }
}

#[test]
fn help_of_a_command_has_two_spellings() {
    for name in ["serve", "connect", "versions", "key"] {
        let option = hybi(&[name, "--help"]).expect(0, "").stdout;
        let command = hybi(&["help", name]).expect(0, "").stdout;
        assert!(command.contains("Usage: hybi") && command == option, "{name}: {command}");
    }
    assert_eq!(hybi(&["help"]).expect(0, "").stdout, hybi(&["--help"]).stdout);
    hybi(&["help", "conect"]).expect(2, "hybi: error: usage: ").expect(2, "conect");
}

#[test]
fn help_says_what_is_in_no_option() {
    let serve = hybi(&["help", "serve"]).expect(0, "").stdout;
    assert!(serve.contains("listening ws://127.0.0.1:8080"), "{serve}");
    let connect = hybi(&["help", "connect"]).expect(0, "").stdout;
    for part in ["slash commands", "carriage return", "Exit status:", "  10  ", "  130  "] {
        assert!(connect.contains(part), "{part}: {connect}");
    }
}

#[test]
fn without_a_command_the_help_is_shown_and_nothing_passes_for_done() {
    let outcome = hybi(&[]).expect(2, "Usage: hybi");
    for name in ["serve", "connect", "versions", "key", "help"] {
        assert!(outcome.stderr.contains(&format!("\n  {name} ")), "{name}: {outcome:?}");
    }
    assert!(!outcome.stderr.contains("hybi: error") && outcome.stdout.is_empty(), "{outcome:?}");
}
