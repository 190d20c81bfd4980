//! TLS: certificates from files and made at start, and whom the client trusts.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::Stdio;

use crate::support::{Server, hybi, program, scratch};

/// A certificate for `localhost` and its key, as PEM files.
pub(crate) fn certificate(name: &str) -> (PathBuf, PathBuf, String) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).expect("a certificate");
    let (cert, key) = (scratch(&format!("{name}.cert")), scratch(&format!("{name}.key")));
    std::fs::write(&cert, made.cert.pem()).expect("a file");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("a file");
    let digest = ring::digest::digest(&ring::digest::SHA256, made.cert.der());
    let digest: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    (cert, key, digest.join(":"))
}

#[test]
fn a_certificate_from_files_is_trusted_by_whoever_names_it() {
    let (cert, key, _) = certificate("files");
    let (cert, key) = (cert.to_str().expect("text"), key.to_str().expect("text"));
    let server = Server::start(&["--tls-cert", cert, "--tls-key", key]);
    let port = server.address().port().to_string();
    assert!(server.url.starts_with("wss://127.0.0.1:"));
    let url = format!("wss://localhost:{port}/");
    let there = format!("127.0.0.1:{port}");
    let connect = |args: &[&str], url: &str| {
        hybi(
            &[&["connect", "--connect-to", &there, "-m", "secret", "-w", "0"], args, &[url]]
                .concat(),
        )
    };
    connect(&["--tls-ca", cert], &url).expect_stdout("secret\n");
    connect(&["-k"], &url).expect_stdout("secret\n");
    // Another name than the certificate's, unless that is what it is checked against.
    let by_address = server.at("/");
    connect(&["--tls-ca", cert], &by_address).expect(4, "hint: --tls-name");
    connect(&["--tls-ca", cert, "--tls-name", "localhost"], &by_address).expect_stdout("secret\n");
    let (other, _, _) = certificate("other");
    connect(&["--tls-ca", other.to_str().expect("text")], &url)
        .expect(4, "does not vouch for it, -k");
    connect(&[], &url).expect(4, "hint: --tls-ca FILE names a certificate to trust");
    // Each spoken to as the other.
    connect(&[], &url.replace("wss", "ws")).expect(6, "hint: try wss://");
    let plain = Server::start(&[]);
    hybi(&["connect", "-k", &plain.at("/").replace("ws:", "wss:")])
        .expect(4, "hint: the server may not speak TLS");
}

#[test]
fn a_key_that_does_not_fit_is_refused_at_start() {
    let (cert, _, _) = certificate("one");
    let (_, key, _) = certificate("two");
    let (cert, key) = (cert.to_str().expect("text"), key.to_str().expect("text"));
    hybi(&["serve", "--tls-cert", cert, "--tls-key", key])
        .expect(2, "the private key is not that of the certificate");
    hybi(&["serve", "--tls-cert", key, "--tls-key", key]).expect(2, "no PEM certificate");
    hybi(&["serve", "--tls-cert", cert, "--tls-key", cert]).expect(2, "no PEM private key");
}

#[test]
fn a_self_signed_certificate_is_made_and_its_digest_printed() {
    let server = Server::start(&["--tls-self-signed=a.example,localhost"]);
    let url = server.at("/");
    hybi(&["connect", "-k", "-m", "x", "-w", "0", &url]).expect_stdout("x\n");
    hybi(&["connect", "-m", "x", "--tls-name", "a.example", &url]).expect(4, "");
    let outcome = server.stop();
    let digest = outcome.stderr.split("SHA-256 ").nth(1).expect("a digest").trim();
    assert_eq!(digest.split(':').count(), 32, "{digest}");
    assert!(digest.split(':').all(|byte| u8::from_str_radix(byte, 16).is_ok()), "{digest}");
}

#[test]
fn the_roots_of_the_system_are_trusted_and_can_be_replaced_by_environment() {
    let (cert, key, _) = certificate("roots");
    let (cert, key) = (cert.to_str().expect("text"), key.to_str().expect("text"));
    let server = Server::start(&["--tls-cert", cert, "--tls-key", key]);
    let mut child = program()
        .args(["connect", "--tls-name", "localhost", "-m", "x", "-w", "0", &server.at("/")])
        .env("SSL_CERT_FILE", cert)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("a pipe");
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    assert!(child.wait().expect("an end").success());
    assert_eq!(line, "x\n");
}
