//! A target under libFuzzer, which looks at what its inputs reach: `HYBI_FUZZ_TARGET` names the target, the
//! arguments are libFuzzer's. It has to be built with the flags of `xtask/src/fuzz.rs`.
#![no_main]

use std::sync::LazyLock;

use hybi_suite::fuzz::{self, Target};
use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("HYBI_FUZZ_TARGET").unwrap_or_default();
    fuzz::find(&name).unwrap_or_else(|| panic!("HYBI_FUZZ_TARGET: no target is called `{name}`"))
});

fuzz_target!(|data: &[u8]| (TARGET.run)(data));
