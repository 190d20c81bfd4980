//! The error of an adapter without TLS.

use hybi_async_std::{Client, Error};
use hybi_suite::produced;

#[test]
fn by_callers() {
    let secure = async_std::task::block_on(hybi_async_std::connect_with(
        &Client::default(),
        "wss://localhost/",
    ));
    produced! {
        Error::TlsNotCompiledIn { .. } => secure.expect_err("no TLS is here"),
    }
}
