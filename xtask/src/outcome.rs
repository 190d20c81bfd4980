//! What every job is given and returns.

/// What narrows a job down; each job reads its own and `ci` runs without any.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) cases: Option<String>,
    pub(crate) role: Option<String>,
    pub(crate) peer: Option<String>,
}

/// How a job that did not fail ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    Passed,
    /// A tool is missing that this program cannot install; the text says why and names the line
    /// that installs it.
    Skipped(String),
}

/// What every job returns; the error is one or more lines for the reader.
pub(crate) type JobResult = Result<Outcome, String>;
