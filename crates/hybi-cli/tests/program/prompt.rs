//! `hybi connect` at a terminal: what a person sees who types.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::Child;
use std::sync::mpsc;

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::support::{PATIENCE, Server, finish, program};

/// The program with a terminal on stdin, stdout and stderr.
struct Terminal {
    keyboard: File,
    screen: mpsc::Receiver<String>,
    seen: String,
    child: Child,
}

impl Terminal {
    fn start(args: &[&str]) -> Self {
        let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&near).and_then(|()| unlockpt(&near)).expect("unlocked");
        let name = ptsname(&near, Vec::new()).expect("its name");
        let far = open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("its far end");
        let copy = || far.try_clone().expect("a copy");
        // The command and with it the far end is dropped here: only the program holds it then.
        let child = program().args(args).stdin(copy()).stdout(copy()).stderr(far).spawn();
        let mut output = File::from(near);
        let keyboard = output.try_clone().expect("a copy");
        let (shown, screen) = mpsc::channel();
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            // The far end is closed with an error.
            while let Ok(len @ 1..) = output.read(&mut chunk) {
                if shown.send(String::from_utf8_lossy(&chunk[..len]).into_owned()).is_err() {
                    return;
                }
            }
        });
        Self { keyboard, screen, seen: String::new(), child: child.expect("the program") }
    }

    /// Reads on until this is shown; what was shown before it is forgotten.
    #[track_caller]
    fn expect(&mut self, part: &str) -> &mut Self {
        loop {
            if let Some(at) = self.seen.find(part) {
                self.seen.drain(..at + part.len());
                return self;
            }
            let Ok(more) = self.screen.recv_timeout(PATIENCE) else {
                panic!("{part:?} is missing: {:?}", self.seen);
            };
            self.seen.push_str(&more);
        }
    }

    fn types(&mut self, line: &str) -> &mut Self {
        self.presses(&format!("{line}\n"))
    }

    fn presses(&mut self, keys: &str) -> &mut Self {
        self.keyboard.write_all(keys.as_bytes()).expect("typed");
        self
    }

    /// Waits for the end; answers the exit code and what was shown last.
    fn end(self) -> (Option<i32>, String) {
        let code = finish(self.child).code;
        (code, self.seen + &self.screen.iter().collect::<String>())
    }
}

#[test]
fn messages_commands_and_mistakes() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::start(&["connect", &server.url]);
    terminal.expect("/help").expect("> ");
    terminal.types("hello").expect("< hello\r\n");
    terminal.types("/bin 00ff").expect("< [binary] 00ff\r\n");
    terminal.types("/ping are you there").expect("< [pong] are you there\r\n");
    terminal.types("//slash").expect("< /slash\r\n");
    terminal.types("/nothing").expect("there is no /nothing");
    terminal.types("/close 3000 bye").expect("closed by local: 3000");
    let (code, last) = terminal.end();
    assert_eq!((code, last.contains("> ")), (Some(0), false), "{last:?}");
}

#[test]
fn lines_are_messages_in_binary_too_and_the_end_of_input_is_the_end() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::start(&["connect", "-b", &server.url]);
    terminal.expect("> ").types("hello").expect("< [binary] 68656c6c6f\r\n");
    terminal.presses("\x04").expect("closed by local: 1000");
    assert_eq!(terminal.end().0, Some(0));
    // Whoever has typed nothing wants to go as well.
    let mut terminal = Terminal::start(&["connect", &server.url]);
    terminal.expect("> ").presses("\x04").expect("closed by local: 1000");
    assert_eq!(terminal.end().0, Some(0));
}

#[test]
fn json_has_no_prompt() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::start(&["connect", "--json", &server.url]);
    terminal.types("hello").expect("\"text\":\"hello\"");
    terminal.types("/quit").expect("\"event\":\"close\"");
    let (code, last) = terminal.end();
    assert_eq!((code, last.contains("> ")), (Some(0), false), "{last:?}");
}

#[test]
fn a_command_that_the_version_lacks_says_so_and_does_nothing() {
    let server = Server::start(&["--versions", "all"]);
    let mut terminal = Terminal::start(&["connect", "-p", "hixie-76", &server.url]);
    terminal.expect("version hixie-76").expect("> ");
    terminal.types("/ping x").expect("hixie-76 has no pings and pongs");
    terminal.types("/pong x").expect("hixie-76 has no pings and pongs");
    terminal.types("/bin 00").expect("hixie-76 has no binary messages");
    terminal.types("/close 3000 x").expect("hixie-76 has no close codes and reasons");
    terminal.types("still here").expect("< still here\r\n");
    terminal.types("/close").expect("closed by local: 1005 (clean)");
    assert_eq!(terminal.end().0, Some(0));

    let mut terminal = Terminal::start(&["connect", "-p", "hybi-04", &server.url]);
    terminal.expect("> ").types("/ping x").expect("< [pong] x\r\n");
    terminal.types("/bin 00").expect("< [binary] 00\r\n");
    terminal.types("/close 1000 x").expect("hybi-04 has no close codes and reasons");
    terminal.types("/quit").expect("closed by local: 1005 (clean)");
    assert_eq!(terminal.end().0, Some(0));
}
