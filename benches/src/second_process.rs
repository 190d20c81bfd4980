//! The clients in a process of their own, so that a server can be measured alone: this program
//! again, told what to do line by line; and servers in one of their own each.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, Stdio},
};

use tokio::sync::mpsc;

/// A part of a program that has a process of its own, by its number.
const PART: &str = "HYBI_BENCH_PART";

/// Prints the title and runs this program again for each of its parts, one after the other, since what
/// one has released would serve the next. In such a process: which part it is to do.
///
/// # Panics
///
/// When a part fails.
#[must_use]
pub fn part_of(parts: usize, title: &str) -> Option<usize> {
    if let Ok(part) = std::env::var(PART) {
        return Some(part.parse().expect("a number"));
    }
    println!("{title}");
    for part in 0..parts {
        let mut alone = Command::new(std::env::current_exe().expect("this program"));
        let status = alone.args(std::env::args().skip(1)).env(PART, part.to_string()).status();
        assert!(status.expect("a process").success());
    }
    None
}

/// By its presence a program knows that it is the second process.
const VARIABLE: &str = "HYBI_BENCH_CLIENTS";

/// The address of the server, when this is the second process.
#[must_use]
pub fn server_address() -> Option<String> {
    std::env::var(VARIABLE).ok()
}

/// In the second process: does as it is told until nobody tells it any more.
///
/// # Panics
///
/// When what it is told cannot be read.
pub fn obey(mut work: impl FnMut(&str) -> String) {
    for line in std::io::stdin().lines() {
        println!("{}", work(&line.expect("a command")));
    }
}

/// The second process, as the first sees it; it ends with this value.
#[derive(Debug)]
pub struct SecondProcess {
    child: Child,
    commands: ChildStdin,
    answers: mpsc::Receiver<String>,
}

impl SecondProcess {
    /// Starts it with the arguments that this program was given.
    ///
    /// # Panics
    ///
    /// When the system lets no process start.
    #[must_use]
    pub fn start(server_address: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(std::env::args().skip(1))
            .env(VARIABLE, server_address)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a second process");
        let commands = child.stdin.take().expect("its input");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let (sender, answers) = mpsc::channel(1);
        // Answers are waited for on another thread while this one serves.
        std::thread::spawn(move || {
            output.lines().map_while(Result::ok).all(|line| sender.blocking_send(line).is_ok())
        });
        Self { child, commands, answers }
    }

    /// Tells it `command` and waits for the answer.
    ///
    /// # Panics
    ///
    /// When it ended before it answered.
    pub async fn ask(&mut self, command: &str) -> String {
        writeln!(self.commands, "{command}").expect("the second process");
        self.answers.recv().await.expect("an answer")
    }
}

impl Drop for SecondProcess {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
