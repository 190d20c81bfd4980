//! What is wrong with a file of a user's, by variant of the error.

use hybi_suite::produced;
use hybi_tls::{Chosen, PemError};

use crate::pair;

#[test]
fn by_files() {
    let [one, other] = ["localhost"; 2].map(pair);
    let (chain, key) = (one.cert.pem(), one.signing_key.serialize_pem());
    let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let roots = |file: &str| Chosen::default().roots_pem(file.as_bytes()).expect_err("a mistake");
    let both = |chain: &str, key: &str| {
        let chosen = Chosen::default().client_certificate_pem(chain.as_bytes(), key.as_bytes());
        chosen.expect_err("a mistake")
    };
    produced! {
        PemError::NoCertificate => roots("not PEM"),
        PemError::NoKey => both(&chain, &chain),
        PemError::Malformed(_) => roots(&chain[..chain.len() - 30]),
        PemError::Certificate(_) => roots(nonsense),
        PemError::Mismatch => both(&chain, &other.signing_key.serialize_pem()),
    }
    // The files in each other's place, an empty one, and one of half a pair.
    for error in [both(&key, &chain), roots(""), roots(&key), both("", &key)] {
        assert_eq!(error.to_string(), "there is no certificate in the PEM file");
    }
    assert_eq!(both(&chain, "").to_string(), "there is no private key in the PEM file");
    let error = both(&chain, &other.signing_key.serialize_pem());
    assert_eq!(error.to_string(), "the private key is not that of the certificate");
    assert!(matches!(both(nonsense, &key), PemError::Certificate(_)));
}
