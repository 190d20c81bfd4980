//! Running the program: servers on free ports, commands with their output, requests by hand.

use core::net::SocketAddr;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command};
use std::sync::mpsc;

use hybi_suite::peer::{Head, Peer, REQUEST, listen};
pub(crate) use hybi_suite::program::{Outcome, PATIENCE, finish, signal};
use hybi_suite::{events, program};
use serde_json::Value;

/// The program, in an environment that sends it nowhere.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hybi"));
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    command
}

/// The events of a log or an output, each line of which must be one of those named.
pub(crate) fn events(lines: &str, wanted: &[&str]) -> Vec<Value> {
    events::parse(lines.lines(), wanted).unwrap_or_else(|why| panic!("{why}"))
}

/// Runs the program to its end, with nothing on stdin.
pub(crate) fn hybi(args: &[&str]) -> Outcome {
    hybi_with(args, b"")
}

/// Runs the program to its end, with this on stdin.
pub(crate) fn hybi_with(args: &[&str], stdin: &[u8]) -> Outcome {
    let mut child = spawn(args);
    let mut input = child.stdin.take().expect("a pipe");
    let stdin = stdin.to_vec();
    // Beside reading the output, or both ends could wait for each other. A program that has
    // ended does not read any more.
    std::thread::spawn(move || drop(input.write_all(&stdin)));
    finish(child)
}

/// Starts the program with pipes.
pub(crate) fn spawn(args: &[&str]) -> Child {
    let mut command = program();
    command.args(args);
    program::spawn(command)
}

/// A file for one test, in the folder that cargo keeps for that.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let path =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.{}", std::process::id()));
    // Left over from an earlier process with this id.
    let _ = std::fs::remove_file(&path);
    path
}

/// A running `hybi serve`; killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Option<Child>,
    stdout: BufReader<ChildStdout>,
    /// What the first line announced.
    pub(crate) url: String,
}

impl Server {
    /// Starts on a free port unless the arguments listen elsewhere.
    #[track_caller]
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::start_as(program(), args)
    }

    /// Starts by a command that the arguments are added to.
    #[track_caller]
    pub(crate) fn start_as(mut command: Command, args: &[&str]) -> Self {
        command.arg("serve");
        if !args.contains(&"-l") {
            command.args(["-l", "127.0.0.1:0"]);
        }
        command.args(args);
        let mut child = program::spawn(command);
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a line");
        let Some(url) = line.trim_end().strip_prefix("listening ") else {
            panic!("{line:?}, {:?}", finish(child));
        };
        let url = url.to_owned();
        Self { child: Some(child), stdout, url }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.as_ref().expect("running").id()
    }

    /// The next line on stderr. What was not read is in the [outcome](Self::wait).
    #[track_caller]
    pub(crate) fn said(&mut self) -> String {
        let id = self.id();
        let (heard, waiting) = mpsc::channel::<()>();
        // A server that says nothing is killed, and the reading ends.
        std::thread::spawn(move || {
            if waiting.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                signal(id, "KILL");
            }
        });
        let stderr = self.child.as_mut().expect("running").stderr.as_mut().expect("a pipe");
        let mut line = Vec::new();
        while !line.ends_with(b"\n") {
            let mut byte = [0];
            stderr.read_exact(&mut byte).expect("a line");
            line.extend(byte);
        }
        drop(heard);
        String::from_utf8(line).expect("text")
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.url.rsplit('/').next().expect("an address").parse().expect("an address")
    }

    /// The URL of a path.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Opens a connection by hand.
    #[track_caller]
    pub(crate) fn open(&self, path: &str) -> Peer {
        let mut peer = Peer::connect(self.address());
        peer.send(request(path));
        peer.expect_accepted();
        peer
    }

    /// The status of the answer to a request, which must be a refusal in order.
    #[track_caller]
    pub(crate) fn refuses(&self, request: &str) -> u16 {
        let mut peer = Peer::connect(self.address());
        peer.send(request);
        peer.expect_refusal().0.status()
    }

    /// Asks for an orderly end.
    pub(crate) fn terminate(&self) {
        signal(self.id(), "TERM");
    }

    /// Waits for the end; stdout is what followed the first line.
    #[track_caller]
    pub(crate) fn wait(mut self) -> Outcome {
        let child = self.child.take().expect("running");
        let mut outcome = finish(child);
        self.stdout.read_to_string(&mut outcome.stdout).expect("text");
        outcome
    }

    /// Asks for an orderly end and waits for it.
    #[track_caller]
    pub(crate) fn stop(self) -> Outcome {
        self.terminate();
        self.wait()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A handshake request for a path, to a server on a loopback address.
pub(crate) fn request(path: &str) -> String {
    REQUEST.replace("/chat", path).replace("server.example.com", "localhost")
}

/// The same with more fields.
pub(crate) fn request_with(path: &str, fields: &str) -> String {
    request(path).replace("\r\n\r\n", &format!("\r\n{fields}\r\n\r\n"))
}

/// Runs `hybi connect` with nothing on stdin against a server that is played by hand.
#[track_caller]
pub(crate) fn against(args: &[&str], serve: impl FnOnce(&mut Peer) + Send + 'static) -> Outcome {
    let (listener, address) = listen();
    let played = std::thread::spawn(move || {
        let mut peer = Peer::answer(&listener, "");
        serve(&mut peer);
    });
    let url = format!("ws://{address}/");
    let outcome = hybi(&[&["connect"], args, &[&url]].concat());
    // A client that never came would be waited for without end.
    drop(TcpStream::connect(address));
    if played.join().is_err() {
        panic!("the server did not see what it expected: {outcome:?}");
    }
    outcome
}

/// What `hybi connect` with these options asks of a server at the URL that `url` makes of its
/// address. The server refuses.
#[track_caller]
pub(crate) fn asked(
    options: &[&str],
    url: impl FnOnce(SocketAddr) -> String,
) -> (SocketAddr, Head) {
    let (listener, address) = listen();
    let played = std::thread::spawn(move || {
        let mut peer = Peer::accept(&listener);
        let head = peer.read_head();
        peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        head
    });
    hybi(&[&["connect"], options, &[&url(address)]].concat()).expect(5, "403");
    (address, played.join().expect("a request"))
}
