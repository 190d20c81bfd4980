//! Conversations by seed: `simulate` lists the rows, `simulate ROW FIRST END` runs seeds, `simulate ROW
//! CHOICES` (numbers joined by dots) runs one conversation again.

use std::process::ExitCode;

use hybi_suite::simulation::{explore, replay, rows};

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program")]
fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        rows().iter().for_each(|row| println!("{}", row.name));
        return ExitCode::SUCCESS;
    };
    let Some(row) = rows().into_iter().find(|row| row.name == *name) else {
        eprintln!("no row is called `{name}`");
        return ExitCode::FAILURE;
    };
    let number = |text: &str| text.parse().map_err(|error| format!("`{text}`: {error}"));
    let outcome = match rest {
        [first, end] => number(first)
            .and_then(|first| Ok(first..number(end)?))
            .and_then(|seeds: core::ops::Range<u64>| explore(&row, seeds)),
        [choices] => {
            let numbers = choices.split('.').map(|text| number(text).map(|number| number as u32));
            numbers.collect::<Result<Vec<_>, _>>().and_then(|drawn| replay(&row, &drawn))
        }
        _ => Err("simulate ROW FIRST END, or simulate ROW CHOICES".into()),
    };
    match outcome {
        Ok(()) => {
            println!("{name}: nothing is wrong");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
