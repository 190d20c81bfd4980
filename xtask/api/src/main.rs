//! Writes the public API in a file of `rustdoc --output-format json` as text, one item a line, sorted by path.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(file) = std::env::args_os().nth(1) else {
        eprintln!("which file?");
        return ExitCode::from(2);
    };
    // What every type has says nothing of a type.
    let api = public_api::Builder::from_rustdoc_json(&file).omit_blanket_impls(true).build();
    match api {
        Ok(api) => {
            api.items().for_each(|item| println!("{item}"));
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{}: {why}", file.display());
            ExitCode::FAILURE
        }
    }
}
