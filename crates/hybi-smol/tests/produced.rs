//! The error of an adapter without TLS.

use hybi_smol::{Client, Error};
use hybi_suite::produced;

#[test]
fn by_callers() {
    let secure = smol::block_on(hybi_smol::connect_with(&Client::default(), "wss://localhost/"));
    produced! {
        Error::TlsNotCompiledIn { .. } => secure.expect_err("no TLS is here"),
    }
}
