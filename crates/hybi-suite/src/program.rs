//! Programs as their users run them: started with pipes, what they print, how they end.

use core::time::Duration;
use std::{
    io::{BufRead as _, BufReader},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
};

/// The longest that a program is waited for: a bound on hangs, never a time that passes.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What a program that has ended left behind.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

impl Outcome {
    /// Asserts the exit code and that stderr says `part`.
    ///
    /// # Panics
    ///
    /// When either is another.
    #[track_caller]
    pub fn expect(self, code: i32, part: &str) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.stderr.contains(part), "{part:?} is missing: {self:?}");
        self
    }

    /// Asserts success and what stdout says.
    ///
    /// # Panics
    ///
    /// When either is another.
    #[track_caller]
    pub fn expect_stdout(self, stdout: &str) -> Self {
        assert_eq!((self.code, self.stdout.as_str()), (Some(0), stdout), "{self:?}");
        self
    }
}

/// Starts a program with pipes.
///
/// # Panics
///
/// When it cannot be started.
#[must_use]
pub fn spawn(mut command: Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the program starts")
}

/// Waits for the end of a program.
///
/// # Panics
///
/// When it does not end; it is killed then.
#[track_caller]
#[must_use]
pub fn finish(child: Child) -> Outcome {
    let id = child.id();
    let (done, ended) = mpsc::channel();
    thread::spawn(move || done.send(child.wait_with_output()));
    let Ok(output) = ended.recv_timeout(PATIENCE) else {
        signal(id, "KILL");
        panic!("the program does not end");
    };
    let output = output.expect("the program's output");
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Sends a signal, such as `TERM`.
///
/// # Panics
///
/// When no process has this id.
pub fn signal(id: u32, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &id.to_string()]).status();
    assert!(sent.expect("kill").success());
}

/// A program that prints lines and does not end; killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    /// Starts it, with nothing on stdin. What it complains about goes where that of the test goes.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[must_use]
    pub fn start(mut command: Command) -> Self {
        Self::of(command.stdin(Stdio::null()))
    }

    /// The same with something on stdin: what is written there.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    #[must_use]
    pub fn start_with_input(mut command: Command) -> (Self, ChildStdin) {
        let mut running = Self::of(command.stdin(Stdio::piped()));
        let input = running.child.stdin.take().expect("a pipe");
        (running, input)
    }

    fn of(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let (heard, lines) = mpsc::channel();
        thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| heard.send(line))
        });
        Self { child, lines }
    }

    /// Its process, to [signal](signal()) it.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line that it prints.
    ///
    /// # Panics
    ///
    /// When it prints none.
    #[track_caller]
    #[must_use]
    pub fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line of the program")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
