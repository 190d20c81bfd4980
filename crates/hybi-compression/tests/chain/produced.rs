//! The error that a server's answer to an extension produces.

use hybi_compression::Extensions;
use hybi_handshake::{HandshakeError, Version};
use hybi_suite::produced;

use crate::support::confirm;
use crate::user_extension::{Place, sum};

#[test]
fn by_servers() {
    let extensions = Extensions::from(sum(Place::Message));
    produced! {
        HandshakeError::ExtensionAnswer(_) => {
            confirm(&extensions, "x-sum; start=9", Version::RFC6455).expect_err("not as offered")
        },
    }
}
