//! What every job is given and returns, and the one place where what it planned meets what it did.

use core::fmt::{self, Write as _};
use std::collections::BTreeMap;

/// What narrows a job down; each job reads its own and `ci` runs without any.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) cases: Option<String>,
    pub(crate) role: Option<String>,
    pub(crate) peer: Option<String>,
    /// How long each fuzz target runs, or the soak: a number and a unit.
    pub(crate) time: Option<String>,
    /// Which seeds are simulated: how many, or from which to which.
    pub(crate) seeds: Option<String>,
    /// The choices of the one conversation to simulate.
    pub(crate) choices: Option<String>,
    /// The one fuzz target, row of the simulation, or part of the code to change.
    pub(crate) target: Option<String>,
    /// Which of how many shards: `0/4` to `3/4`.
    pub(crate) shard: Option<String>,
    /// What is measured becomes what later runs are held against.
    pub(crate) bless: bool,
    /// A skipped job fails, unless the list in `jobs.rs` says why it may be.
    pub(crate) strict: bool,
}

impl Options {
    /// All of what a job knows as `what`, or the one that is asked for.
    ///
    /// # Errors
    ///
    /// There is none of that name; the text lists those that there are.
    pub(crate) fn chosen(&self, what: &str, known: &[String]) -> Result<Vec<String>, String> {
        match &self.target {
            None => Ok(known.to_vec()),
            Some(name) if known.contains(name) => Ok(vec![name.clone()]),
            Some(name) => Err(format!("no {what} is called `{name}`: {}", known.join(", "))),
        }
    }
}

/// How a job that nothing stopped ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It came to its end; [`Tally::verdict`] says whether that is a pass.
    Done(Tally),
    /// A tool is missing that this program cannot install; the text says why and names the line
    /// that installs it.
    Skipped(String),
}

/// What every job returns; the error is one or more lines for the reader.
pub(crate) type JobResult = Result<Outcome, String>;

/// What a job planned, known before it begins, and what it did: so many of each item.
///
/// A job passes if both are the same, so that none passes for having checked less than it should,
/// or nothing.
#[derive(Debug)]
pub(crate) struct Tally {
    /// What is counted: `cases`, `checks`, `connections`.
    unit: &'static str,
    items: BTreeMap<String, Count>,
    failures: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    planned: usize,
    done: usize,
}

impl Tally {
    pub(crate) fn of(unit: &'static str) -> Self {
        Self { unit, items: BTreeMap::new(), failures: Vec::new() }
    }

    /// Of a job that is one command: its status is the verdict on all there is.
    pub(crate) fn command(what: &str) -> Self {
        Self::of("commands").plan(what, 1).did(what, 1)
    }

    /// So many of this item are to be done.
    #[must_use]
    pub(crate) fn plan(mut self, item: impl fmt::Display, count: usize) -> Self {
        self.items.entry(item.to_string()).or_default().planned += count;
        self
    }

    /// So many of it were.
    #[must_use]
    pub(crate) fn did(mut self, item: impl fmt::Display, count: usize) -> Self {
        self.add(item, count);
        self
    }

    /// As [`Self::did`], where a job does one thing after the other.
    pub(crate) fn add(&mut self, item: impl fmt::Display, count: usize) {
        self.items.entry(item.to_string()).or_default().done += count;
    }

    /// A check failed. The job may go on: it has failed already.
    pub(crate) fn fail(&mut self, why: String) {
        self.failures.push(why);
    }

    /// Whether a check failed so far.
    pub(crate) fn has_failed(&self) -> bool {
        !self.failures.is_empty()
    }

    /// Takes in what came of an item: how many checks it passed, or why it failed.
    pub(crate) fn take(&mut self, item: impl fmt::Display, result: Result<usize, String>) {
        match result {
            Ok(count) => self.add(item, count),
            Err(why) => self.fail(why),
        }
    }

    /// What was done, in one line.
    ///
    /// # Errors
    ///
    /// Every failure, and every item of which more or less was done than planned. A plan of
    /// nothing is one too.
    pub(crate) fn verdict(&self) -> Result<String, String> {
        let mut complaints = self.failures.join("\n");
        if !self.items.values().any(|count| count.planned > 0) {
            let _ = write!(complaints, "\nnothing was planned");
        }
        for (item, Count { planned, done }) in &self.items {
            if planned != done {
                let _ = write!(complaints, "\n{item}: {done} of {planned} {}", self.unit);
            }
        }
        if complaints.is_empty() {
            let done: usize = self.items.values().map(|count| count.done).sum();
            return Ok(format!("{done} {}", self.unit));
        }
        Err(complaints.trim_start().to_owned())
    }
}

impl From<Tally> for Outcome {
    fn from(tally: Tally) -> Self {
        Self::Done(tally)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_planned_and_done_passes() {
        let tally = Tally::of("checks").plan("ws", 2).plan("wss", 1).did("ws", 2).did("wss", 1);
        assert_eq!(tally.verdict(), Ok("3 checks".into()));
    }

    #[test]
    fn nothing_planned_is_no_pass() {
        assert_eq!(Tally::of("checks").verdict(), Err("nothing was planned".into()));
        let none = Tally::of("checks").plan("ws", 0);
        assert_eq!(none.verdict(), Err("nothing was planned".into()));
    }

    #[test]
    fn less_and_more_than_planned_fail_by_name() {
        let planned = || Tally::of("checks").plan("ws", 2).plan("wss", 2).did("wss", 2);
        assert_eq!(planned().verdict(), Err("ws: 0 of 2 checks".into()));
        assert_eq!(planned().did("ws", 1).verdict(), Err("ws: 1 of 2 checks".into()));
        assert_eq!(planned().did("ws", 3).verdict(), Err("ws: 3 of 2 checks".into()));
        let unplanned = planned().did("ws", 2).did("tcp", 1);
        assert_eq!(unplanned.verdict(), Err("tcp: 1 of 0 checks".into()));
    }

    #[test]
    fn a_failure_is_told_before_what_it_kept_from_being_done() {
        let mut tally = Tally::of("checks").plan("ws", 2);
        tally.take("ws", Err(String::from("no answer")));
        assert_eq!(tally.verdict(), Err("no answer\nws: 0 of 2 checks".into()));
        let mut done = Tally::of("checks").plan("ws", 2).did("ws", 2);
        done.fail(String::from("no answer"));
        assert_eq!(done.verdict(), Err("no answer".into()));
    }

    #[test]
    fn a_target_that_is_not_known_is_refused_with_those_that_are() {
        let known = ["frames".to_owned(), "uri".to_owned()];
        let chosen = |asked: Option<&str>| {
            let options = Options { target: asked.map(str::to_owned), ..Options::default() };
            options.chosen("target", &known)
        };
        assert_eq!(chosen(None), Ok(known.to_vec()));
        assert_eq!(chosen(Some("uri")), Ok(vec!["uri".to_owned()]));
        assert!(chosen(Some("url")).is_err_and(|why| why.contains("frames, uri")));
    }
}
