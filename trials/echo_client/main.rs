//! A client that sends everything back until its server ends the connection, over the adapter that its first argument
//! names; the second is the URI. What the Autobahn testsuite judges: it says nothing of how the connection ended.

/// As the program `hybi` has it.
const NO_CONNECTION: i32 = 3;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (adapter, uri) = (arguments.next().expect("an adapter"), arguments.next().expect("a URI"));
    let connected = match &*adapter {
        "blocking" => blocking(&uri),
        "smol" => smol::block_on(smol(&uri)),
        other => panic!("no adapter: {other}"),
    };
    if !connected {
        std::process::exit(NO_CONNECTION);
    }
}

/// Whether there was a connection.
fn blocking(uri: &str) -> bool {
    let Ok((mut ws, _response)) = hybi_blocking::connect(uri) else { return false };
    while let Ok(Some(message)) = ws.recv() {
        if ws.feed(message).is_err() {
            break;
        }
    }
    true
}

async fn smol(uri: &str) -> bool {
    let Ok((mut ws, _response)) = hybi_smol::connect(uri).await else { return false };
    while let Ok(Some(message)) = ws.recv().await {
        if ws.feed(message).await.is_err() {
            break;
        }
    }
    true
}
