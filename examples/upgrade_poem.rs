//! WebSocket in a handler of poem, a framework whose requests and responses are types of its own: hybi asks for the head
//! of the one and gives that of the other.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use http::Request;
use hybi_tokio::{Deflate, Error, Server, Upgrade};
use poem::{
    EndpointExt, OnUpgrade, Response, Route,
    error::NotFoundError,
    handler,
    http::StatusCode,
    listener::{Acceptor, Listener, TcpListener},
    middleware::AddData,
    web::Data,
};

#[handler]
fn front() -> &'static str {
    "connect a WebSocket to /shout\n"
}

async fn elsewhere(_: NotFoundError) -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "no such thing\n")
}

/// Answers in capital letters.
#[handler]
fn shout(request: &poem::Request, Data(server): Data<&Server>) -> Response {
    let (head, body) = match (server.upgrade(&head(request)), request.take_upgrade()) {
        (Ok((response, upgrade)), Ok(upgrading)) => {
            // The connection is handed over once the answer has left, so not before this returns.
            tokio::spawn(talk(upgrade, upgrading));
            response.map(|()| String::new())
        }
        (Err(refusal), _) => refusal.response(),
        // Over a version of HTTP that hands no connection over.
        (Ok(_), Err(_)) => return StatusCode::NOT_IMPLEMENTED.into(),
    }
    .into_parts();
    let mut response = Response::builder().status(head.status).body(body);
    *response.headers_mut() = head.headers;
    response
}

/// What hybi asks of a request.
fn head(request: &poem::Request) -> Request<()> {
    let mut head = Request::new(());
    *head.method_mut() = request.method().clone();
    *head.uri_mut() = request.uri().clone();
    *head.version_mut() = request.version();
    *head.headers_mut() = request.headers().clone();
    head
}

async fn talk(upgrade: Upgrade, upgrading: OnUpgrade) -> Result<(), Error> {
    // A client that left before its answer is nobody to talk to.
    let Ok(stream) = upgrading.await else { return Ok(()) };
    let mut ws = hybi_tokio::upgraded(upgrade, stream);
    while let Some(message) = ws.recv().await? {
        if let Some(text) = message.as_text() {
            ws.feed(text.to_uppercase()).await?;
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let server = Server::builder().subprotocols(["shout.v1"]);
    let server = server.extensions(Deflate::default()).build();
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await?;
    for address in acceptor.local_addr() {
        let address = address.as_socket_addr().copied().ok_or(std::io::ErrorKind::Unsupported)?;
        println!("listening on http://{address} and ws://{address}/shout");
    }
    let route = Route::new().at("/", front).at("/shout", shout);
    let route = route.catch_error(elsewhere).with(AddData::new(server));
    poem::Server::new_with_acceptor(acceptor).run(route).await
}
