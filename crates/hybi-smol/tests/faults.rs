//! Whichever call of a stream goes wrong below the adapter, with TLS between and without: both ends come to an end, and
//! each knows why.

use hybi_smol::SmolIo;
use hybi_suite::suite::{bounded, streams};

#[test]
fn whichever_call_goes_wrong_both_ends_know_why() {
    bounded("whichever_call_goes_wrong_both_ends_know_why", || {
        streams::whichever_call_goes_wrong_both_ends_know_why(SmolIo::new);
    });
}

#[test]
fn whichever_call_below_tls_goes_wrong_both_ends_know_why() {
    bounded("whichever_call_below_tls_goes_wrong_both_ends_know_why", || {
        streams::whichever_call_below_tls_goes_wrong_both_ends_know_why(SmolIo::new);
    });
}
