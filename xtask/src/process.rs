//! Running other programs: to the end with their output in view, for their output, or as a
//! service whose lines are awaited; every wait has an end.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Instant;

/// A command without the variables by which `cargo run` describes this program itself; they would
/// make the cargo commands of a job rebuild what others built.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let own = name.to_string_lossy();
        if own.starts_with("CARGO_PKG_") || own.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// Prints the command, runs it in the open, and wants status 0.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    println!("$ {}", line(command));
    let status = command.status().map_err(|error| not_started(command, &error))?;
    if status.success() { Ok(()) } else { Err(format!("`{}`: {status}", line(command))) }
}

/// Runs a command as [`run`] does, and keeps what it writes to either output: the lines of its
/// standard output first.
pub(crate) fn run_watched(command: &mut Command) -> Result<Vec<String>, String> {
    println!("$ {}", line(command));
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| not_started(command, &error))?;
    let pipes = (child.stdout.take(), child.stderr.take());
    let (Some(stdout), Some(stderr)) = pipes else { return Err("no pipes".to_owned()) };
    let errors = thread::spawn(move || {
        let lines = BufReader::new(stderr).lines().map_while(Result::ok);
        lines.inspect(|line| eprintln!("{line}")).collect::<Vec<_>>()
    });
    let lines = BufReader::new(stdout).lines().map_while(Result::ok);
    let mut lines: Vec<_> = lines.inspect(|line| println!("{line}")).collect();
    lines.extend(errors.join().map_err(|_| "a thread of this program panicked")?);
    let status = child.wait().map_err(|error| format!("`{}`: {error}", line(command)))?;
    if status.success() { Ok(lines) } else { Err(format!("`{}`: {status}", line(command))) }
}

/// Runs a command that prints little and ends soon; its standard output if the status is 0.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    command.stderr(Stdio::inherit());
    let output = command.output().map_err(|error| not_started(command, &error))?;
    if !output.status.success() {
        return Err(format!("`{}`: {}", line(command), output.status));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("`{}`: {error}", line(command)))
}

/// Runs a command whose output matters only if its status is not 0.
pub(crate) fn run_quietly(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| not_started(command, &error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{}`: {}\n{}", line(command), output.status, said.trim_end()))
}

/// Whether the command can be started and ends with status 0; what it prints is dropped.
pub(crate) fn works(command: &mut Command) -> bool {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// The command as one would type it: variables, program, arguments.
pub(crate) fn line(command: &Command) -> String {
    let set = command.get_envs().filter_map(|(name, value)| {
        value.map(|value| format!("{}={:?}", name.to_string_lossy(), value.to_string_lossy()))
    });
    let words = core::iter::once(command.get_program()).chain(command.get_args()).map(|word| {
        let word = word.to_string_lossy();
        if word.contains([' ', '*', '?', '&', ';']) { format!("'{word}'") } else { word.into() }
    });
    set.chain(words).collect::<Vec<_>>().join(" ")
}

fn not_started(command: &Command, error: &std::io::Error) -> String {
    format!("cannot start `{}`: {error}", line(command))
}

/// An address whose port was free just now, for a program that cannot choose one by itself.
pub(crate) fn free_port(host: IpAddr) -> Result<SocketAddr, String> {
    let free = TcpListener::bind((host, 0)).and_then(|port| port.local_addr());
    free.map_err(|error| format!("no free port: {error}"))
}

/// A program that runs beside this one. Its standard output is read line by line, its standard
/// error goes to a file. It is ended, by its own handle, when this value goes.
#[derive(Debug)]
pub(crate) struct Running {
    name: String,
    child: Child,
    lines: Receiver<String>,
    log: PathBuf,
}

impl Running {
    /// Starts `command`; its standard error becomes `folder/name.log`.
    pub(crate) fn start(name: &str, folder: &Path, command: &mut Command) -> Result<Self, String> {
        let log = folder.join(format!("{name}.log"));
        let errors = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        command.stdout(Stdio::piped()).stderr(errors);
        let mut child = command.spawn().map_err(|error| not_started(command, &error))?;
        let (sender, lines) = mpsc::channel();
        let stdout = child.stdout.take().ok_or("no pipe for standard output")?;
        thread::spawn(move || {
            for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    break;
                }
            }
        });
        Ok(Self { name: name.to_owned(), child, lines, log })
    }

    /// The next line of standard output.
    pub(crate) fn next_line(&self, within: Duration) -> Result<String, String> {
        self.lines.recv_timeout(within).map_err(|error| {
            self.complaint(match error {
                RecvTimeoutError::Timeout => "printed no line in time",
                RecvTimeoutError::Disconnected => "ended",
            })
        })
    }

    /// The rest of the first line that begins with `prefix`.
    pub(crate) fn line_after(&self, prefix: &str, within: Duration) -> Result<String, String> {
        let deadline = Instant::now() + within;
        loop {
            let line = self.next_line(deadline.saturating_duration_since(Instant::now()))?;
            if let Some(rest) = line.strip_prefix(prefix) {
                return Ok(rest.trim().to_owned());
            }
        }
    }

    /// Waits until somebody listens at `address`, for a program that does not say when it does.
    pub(crate) fn listens(&self, address: SocketAddr, within: Duration) -> Result<(), String> {
        let deadline = Instant::now() + within;
        while TcpStream::connect(address).is_err() {
            if Instant::now() > deadline {
                return Err(self.complaint("does not listen"));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Waits for the end of the program; its status and the lines not yet taken.
    pub(crate) fn finish(&mut self, within: Duration) -> Result<(ExitStatus, Vec<String>), String> {
        let deadline = Instant::now() + within;
        let mut lines = Vec::new();
        // The pipe ends with the program, so this waits for both without polling.
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => lines.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => return Err(self.complaint("did not end in time")),
            }
        }
        let status = self.child.wait().map_err(|error| format!("{}: {error}", self.name))?;
        Ok((status, lines))
    }

    /// Asks the program to end, as a service manager does.
    pub(crate) fn terminate(&self) -> Result<(), String> {
        let pid = self.child.id();
        run_quietly(command("sh").args(["-c", &format!("kill -TERM {pid}")]))
    }

    /// An error text for `what` went wrong, with the end of the program's log.
    pub(crate) fn complaint(&self, what: &str) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(10)..].join("\n  ");
        let stderr = if tail.is_empty() { String::new() } else { format!("; it said:\n  {tail}") };
        format!("{} {what}{stderr}", self.name)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only on a program that has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
