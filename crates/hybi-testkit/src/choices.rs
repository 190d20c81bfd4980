//! What a run chooses: by a seed, written down, and made smaller when the run fails.

use core::cell::{Cell, RefCell};
use core::fmt;
use core::ops::Range;
use core::panic::AssertUnwindSafe;
use std::panic;
use std::rc::Rc;
use std::sync::Once;

/// The choices of one run. Clones draw from the same row of numbers.
///
/// Zero is the plainest choice everywhere, so that a run which is made smaller becomes plainer.
///
/// ```
/// use hybi_testkit::choices::Choices;
///
/// let choices = Choices::from_seed(7);
/// let len = choices.of(&[0, 1, 125, 126, 65_536]);
/// let again = Choices::again(choices.drawn());
/// assert_eq!(again.of(&[0, 1, 125, 126, 65_536]), len);
/// ```
#[derive(Clone, Debug)]
pub struct Choices(Rc<Row>);

#[derive(Debug)]
struct Row {
    source: Source,
    drawn: RefCell<Vec<u32>>,
}

#[derive(Debug)]
enum Source {
    Seed(Cell<u64>),
    /// Behind its end everything is plain.
    Again(Vec<u32>),
}

impl Choices {
    fn new(source: Source) -> Self {
        Self(Rc::new(Row { source, drawn: RefCell::default() }))
    }

    /// The choices that come of this seed.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self::new(Source::Seed(Cell::new(seed)))
    }

    /// These choices, and the plainest behind them.
    #[must_use]
    pub fn again(drawn: Vec<u32>) -> Self {
        Self::new(Source::Again(drawn))
    }

    /// What was chosen so far.
    #[must_use]
    pub fn drawn(&self) -> Vec<u32> {
        self.0.drawn.borrow().clone()
    }

    /// A number below `end`.
    ///
    /// # Panics
    ///
    /// When `end` is 0, as there is none.
    #[must_use]
    pub fn below(&self, end: usize) -> usize {
        assert!(end > 0, "there is no number below 0");
        let drawn = &mut *self.0.drawn.borrow_mut();
        let end = u32::try_from(end).unwrap_or(u32::MAX);
        let number = match &self.0.source {
            Source::Seed(state) => (mix(state) % u64::from(end)) as u32,
            Source::Again(row) => row.get(drawn.len()).copied().unwrap_or_default().min(end - 1),
        };
        drawn.push(number);
        number as usize
    }

    /// One of these, of which the first is the plainest.
    ///
    /// # Panics
    ///
    /// When there are none.
    #[must_use]
    pub fn of<T: Copy>(&self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// True once in `many` times.
    #[must_use]
    pub fn one_in(&self, many: usize) -> bool {
        self.below(many) + 1 == many
    }
}

/// The next number of SplitMix64.
fn mix(state: &Cell<u64>) -> u64 {
    state.set(state.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
    let mut mixed = state.get();
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A run that failed, and the smallest that was found to fail.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The seed it was found by; `None` if it was given choice by choice.
    pub seed: Option<u64>,
    /// What is wrong with the smallest run.
    pub why: String,
    /// The choices of the smallest run, for [`Choices::again`].
    pub choices: Vec<u32>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, why, choices } = self;
        write!(f, "{why} (")?;
        if let Some(seed) = seed {
            write!(f, "seed {seed}, ")?;
        }
        let choices: Vec<_> = choices.iter().map(u32::to_string).collect();
        write!(f, "choices {})", choices.join("."))
    }
}

impl core::error::Error for Failure {}

/// Runs `run` with the choices of each seed; the first that fails is made smaller.
///
/// A run fails when it returns an error, and when it panics.
///
/// ```
/// use hybi_testkit::choices::explore;
///
/// let failure = explore(0..1_000, |choices| {
///     let lens: Vec<_> = (0..choices.below(10)).map(|_| choices.below(1_000)).collect();
///     if lens.iter().any(|&len| len > 125) { Err(format!("{lens:?}")) } else { Ok(()) }
/// })
/// .expect_err("some are longer");
/// assert_eq!(failure.why, "[126]");
/// ```
///
/// # Errors
///
/// What failed, and how to see it again.
pub fn explore(
    seeds: Range<u64>,
    run: impl Fn(&Choices) -> Result<(), String>,
) -> Result<(), Failure> {
    for seed in seeds {
        let choices = Choices::from_seed(seed);
        if let Err(why) = attempt(&run, &choices) {
            let failure =
                smaller(&run, Failure { seed: Some(seed), why, choices: choices.drawn() });
            return Err(failure);
        }
    }
    Ok(())
}

/// Runs `run` with these choices, and makes them no smaller.
///
/// # Errors
///
/// As [`explore`].
pub fn replay(drawn: &[u32], run: impl Fn(&Choices) -> Result<(), String>) -> Result<(), Failure> {
    let choices = Choices::again(drawn.to_vec());
    attempt(&run, &choices).map_err(|why| Failure { seed: None, why, choices: choices.drawn() })
}

thread_local! {
    /// Panics on this thread are taken down, and not printed.
    static QUIET: Cell<bool> = const { Cell::new(false) };
    static SAID: RefCell<String> = const { RefCell::new(String::new()) };
}

/// One run, as an error also where it panics.
fn attempt(run: impl Fn(&Choices) -> Result<(), String>, choices: &Choices) -> Result<(), String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if QUIET.get() {
                SAID.set(info.to_string());
            } else {
                before(info);
            }
        }));
    });
    QUIET.set(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| run(choices)));
    QUIET.set(false);
    outcome.unwrap_or_else(|_| Err(SAID.take()))
}

/// Most runs that making a failure smaller may take.
const ATTEMPTS: usize = 2_000;

/// Takes choices away, and makes those that stay plainer, as long as it still fails.
fn smaller(run: impl Fn(&Choices) -> Result<(), String>, mut failure: Failure) -> Failure {
    let mut left = ATTEMPTS;
    let mut try_one = |failure: &mut Failure, row: Vec<u32>| {
        if left == 0 || row == failure.choices {
            return false;
        }
        left -= 1;
        let choices = Choices::again(row);
        let Err(why) = attempt(&run, &choices) else { return false };
        let mut drawn = choices.drawn();
        // What follows the last choice that is not plain says nothing.
        drawn.truncate(drawn.iter().rposition(|&number| number > 0).map_or(0, |last| last + 1));
        let is_smaller = (drawn.len(), drawn.iter().map(|&n| u64::from(n)).sum::<u64>())
            < (failure.choices.len(), failure.choices.iter().map(|&n| u64::from(n)).sum());
        if is_smaller {
            (failure.choices, failure.why) = (drawn, why);
        }
        is_smaller
    };
    loop {
        let before = failure.choices.clone();
        // Blocks away, from long ones to single choices.
        let mut block = failure.choices.len() / 2;
        while block > 0 {
            let mut at = failure.choices.len();
            while at > 0 {
                at = at.saturating_sub(block).min(failure.choices.len());
                let end = (at + block).min(failure.choices.len());
                let mut row = failure.choices.clone();
                row.drain(at..end);
                if !try_one(&mut failure, row) {
                    let mut row = failure.choices.clone();
                    row[at..end].fill(0);
                    try_one(&mut failure, row);
                }
            }
            block /= 2;
        }
        // Numbers down: halves, then by one.
        for at in 0..failure.choices.len() {
            for down in [|number: u32| number / 2, |number: u32| number.saturating_sub(1)] {
                while let Some(&number) = failure.choices.get(at) {
                    let mut row = failure.choices.clone();
                    row[at] = down(number);
                    if !try_one(&mut failure, row) {
                        break;
                    }
                }
            }
        }
        if failure.choices == before {
            return failure;
        }
    }
}
