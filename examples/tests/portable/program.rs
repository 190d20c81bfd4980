//! The program: what it uses is named where it is included.

use super::*;

/// Sends every message back.
async fn echo(mut ws: WebSocket) -> Result<(), Error> {
    while let Some(message) = ws.recv().await? {
        ws.feed(message).await?;
    }
    Ok(())
}

/// Serves one client, and one through TLS.
async fn serve(listener: TcpListener, tls: TlsAcceptor) -> Result<(), Error> {
    let (stream, _address) = listener.accept().await?;
    echo(accept(stream).await?).await?;
    let (stream, _address) = listener.accept().await?;
    echo(accept_tls(&Server::compressing(), &tls, stream).await?).await
}

/// Says something, and what came back of it.
async fn ask(connector: &Connector, uri: String) -> Result<Option<Message>, Error> {
    let (mut ws, _response) = connector.connect(&Client::compressing(), uri).await?;
    ws.send("hello").await?;
    let answer = ws.recv().await?;
    ws.close(CloseCode::NORMAL, "").await?;
    Ok(answer)
}

pub(crate) async fn run(
    tls: TlsAcceptor,
    connector: Connector,
) -> Result<[Option<Message>; 2], Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let asking = async {
        let plain = ask(&connector, format!("ws://localhost:{port}/")).await?;
        Ok([plain, ask(&connector, format!("wss://localhost:{port}/")).await?])
    };
    let ((), answers) = try_join(serve(listener, tls), asking).await?;
    Ok(answers)
}
