//! hybi-frame needs no std, proven by a program that cannot have one.

use crate::outcome::{JobResult, Options, Tally};
use crate::process::{command, line, run};
use crate::workspace::{Workspace, read, write};

/// Brings its own panic handler and allocator: with a std anywhere in the graph there would be
/// two of each, which the compiler refuses.
const PROGRAM: &str = r#"#![no_std]

use core::alloc::{GlobalAlloc, Layout};

struct NoMemory;

unsafe impl GlobalAlloc for NoMemory {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }
    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: NoMemory = NoMemory;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

#[unsafe(no_mangle)]
pub extern "C" fn frames_in(chunk: &mut [u8; 64]) -> usize {
    use hybi_frame::{FrameDecoder, FrameRules, Limits, MessageAssembler, Role};
    let (rules, limits) = (FrameRules::RFC6455, Limits::default());
    let mut decoder = FrameDecoder::new(Role::Server, rules, limits);
    let mut assembler = MessageAssembler::new(rules, limits);
    let (mut rest, mut frames) = (&mut chunk[..], 0);
    while let Ok((taken, Some(part))) = decoder.decode(rest) {
        frames += usize::from(assembler.push(part).is_ok());
        rest = &mut rest[taken..];
    }
    frames
}
"#;

/// The function of the program: without it, nothing of the crate is linked in.
const ENTRY: &str = "frames_in";

pub(crate) fn run_job(workspace: &Workspace, _: &Options) -> JobResult {
    let folder = workspace.cache("no-std")?;
    let source = folder.join("src");
    std::fs::create_dir_all(&source).map_err(|error| format!("{}: {error}", source.display()))?;
    write(&source.join("lib.rs"), PROGRAM)?;
    write(&folder.join("Cargo.lock"), &read(&workspace.root.join("Cargo.lock"))?)?;
    write(
        &folder.join("Cargo.toml"),
        &format!(
            "[workspace]\n\n[package]\nname = \"no-std\"\nedition = \"2024\"\n\n\
             [lib]\ncrate-type = [\"staticlib\"]\n\n[features]\nstd = [\"hybi-frame/std\"]\n\n\
             [dependencies]\nhybi-frame = {{ path = {:?}, default-features = false }}\n\n\
             [profile.dev]\npanic = \"abort\"\n",
            workspace.root.join("crates/hybi-frame")
        ),
    )?;
    let mut build = command("cargo");
    build.args(["build", "-q"]).env("CARGO_TARGET_DIR", folder.join("target")).current_dir(&folder);
    run(&mut build)?;
    let library = folder.join("target/debug/libno_std.a");
    let code =
        std::fs::read(&library).map_err(|error| format!("{}: {error}", library.display()))?;
    if !code.windows(ENTRY.len()).any(|window| window == ENTRY.as_bytes()) {
        return Err(format!("{} has no `{ENTRY}`", library.display()));
    }

    // The proof proves something only if a std would have been noticed.
    let refused = build.args(["--features", "std"]).output();
    let refused = refused.map_err(|error| format!("`{}`: {error}", line(&build)))?;
    let said = String::from_utf8_lossy(&refused.stderr);
    if refused.status.success() || !said.contains("panic_impl") {
        return Err(format!("with the feature `std` this must not build, but:\n{said}"));
    }
    let tally = Tally::of("builds").plan("without std", 1).plan("with std, refused", 1);
    Ok(tally.did("without std", 1).did("with std, refused", 1).into())
}
