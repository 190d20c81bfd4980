//! A client that goes through a proxy, over the adapter that its first argument names; then come the proxy, the URI, and
//! a certificate in PEM to trust, if any. It offers compression, has a text and a message of 1 MiB echoed, and closes.
//!
//! It prints a line for each step; what kept it from a connection, or ended one, is the last, with status 1.

#![expect(clippy::print_stdout, reason = "this is how it tells")]

use core::{error::Error, time::Duration};
use std::{env, process::ExitCode, sync::Arc};

use hybi_tokio::{
    Client, CloseCode, Config, Deflate, Message,
    opening::{self, Dial},
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring::default_provider,
        pki_types::{CertificateDer, pem::PemObject as _},
    },
};

/// For all on the way; on loopback that is long.
const WITHIN: Duration = Duration::from_secs(20);

const TEXT: &str = "Grüße, 世界";
const LONG: usize = 1 << 20;

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let mut argument = |what: &str| arguments.next().unwrap_or_else(|| panic!("{what} is missing"));
    let [adapter, proxy, uri] = ["an adapter", "a proxy", "a URI"].map(&mut argument);
    match run(&adapter, &proxy, &uri, arguments.next().as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(adapter: &str, proxy: &str, uri: &str, authority: Option<&str>) -> Outcome {
    let client = Client::builder()
        .extensions(Deflate::default())
        .proxy(proxy)
        .config(Config::default().handshake_timeout(WITHIN))
        .build()?;
    let tls = tls(authority)?;
    match adapter {
        "tokio" => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let connector = hybi_tokio::Connector::new().rustls(tls);
            runtime.block_on(talk(&connector, &client, uri))
        }
        "smol" => smol::block_on(talk(&hybi_smol::Connector::new().rustls(tls), &client, uri)),
        "async-std" => {
            let connector = hybi_async_std::Connector::new().rustls(tls);
            async_std::task::block_on(talk(&connector, &client, uri))
        }
        "blocking" => hybi_blocking::block_on(talk(
            &hybi_blocking::Connector::new().rustls(tls),
            &client,
            uri,
        )),
        other => Err(format!("no adapter: {other}").into()),
    }
}

async fn talk<D: Dial>(dial: &D, client: &Client, uri: &str) -> Outcome {
    let (mut ws, _response) = opening::connect(dial, client, uri).await?;
    let extensions: Vec<_> = ws.extensions().map(|extension| extension.name().to_owned()).collect();
    println!("open {}", extensions.join(" "));
    // Numbers in decimal: much of it repeats, and no part is like another.
    let long: Vec<u8> =
        (0_u32..).flat_map(|number| number.to_string().into_bytes()).take(LONG).collect();
    for message in [Message::text(TEXT), Message::binary(long)] {
        ws.send(message.clone()).await?;
        if ws.recv().await?.as_ref() != Some(&message) {
            return Err("it was no echo".into());
        }
        println!("echoed {}", message.as_bytes().len());
    }
    let status = ws.close(CloseCode::NORMAL, "").await?;
    println!(
        "closed {} {}",
        status.code(),
        if status.is_clean() { "cleanly" } else { "uncleanly" }
    );
    Ok(())
}

/// Trusts this authority, or nobody.
fn tls(authority: Option<&str>) -> Result<Arc<ClientConfig>, Box<dyn Error>> {
    let mut roots = RootCertStore::empty();
    if let Some(authority) = authority {
        roots.add(CertificateDer::from_pem_file(authority)?)?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
