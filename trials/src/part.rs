//! A part of a trial: this program again, in a process of its own, which does as it is told line by line.

use core::time::Duration;
use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
};

/// The longest that a part is waited for: a bound on hangs, never a time that passes.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A part, as whoever started it sees it; it ends with this value.
#[derive(Debug)]
pub struct Part {
    child: Child,
    commands: ChildStdin,
    answers: Receiver<String>,
}

impl Part {
    /// Starts this program with these arguments, which say what it is to be.
    ///
    /// # Panics
    ///
    /// When the system lets no process start.
    #[must_use]
    pub fn start<A: AsRef<str>>(arguments: &[A]) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut command = Command::new(program);
        command.args(arguments.iter().map(AsRef::as_ref));
        Self::of(command)
    }

    /// The same with a command of the caller's, which leads to this program in the end.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    #[must_use]
    pub fn of(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a process");
        let commands = child.stdin.take().expect("its input");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let (answered, answers) = mpsc::channel();
        thread::spawn(move || {
            output.lines().map_while(Result::ok).try_for_each(|line| answered.send(line))
        });
        Self { child, commands, answers }
    }

    /// Its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Tells it `command`, and waits for its answer.
    ///
    /// # Panics
    ///
    /// When it ended before, or says nothing.
    #[must_use]
    pub fn ask(&mut self, command: &str) -> String {
        writeln!(self.commands, "{command}").expect("a part that reads");
        self.answers.recv_timeout(PATIENCE).expect("an answer")
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In a part: does as it is told until nobody tells it any more.
///
/// # Panics
///
/// When what it is told cannot be read.
#[expect(clippy::print_stdout, reason = "this is how a part answers")]
pub fn obey(mut work: impl FnMut(&str) -> String) {
    for line in std::io::stdin().lines() {
        println!("{}", work(&line.expect("a command")));
    }
}
