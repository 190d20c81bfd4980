//! What the block of a connection's task is made of: the sizes of the types in it.

use hybi_frame::{FrameDecoder, MessageAssembler};
use hybi_tokio::{Connection, TokioIo, TokioTimer, WebSocket};
use tokio::net::{TcpListener, TcpStream};

pub(crate) fn print() {
    let web_socket = size_of::<WebSocket<TcpStream>>();
    let (connection, transport) = (size_of::<Connection>(), size_of::<TokioIo<TcpStream>>());
    let timer = size_of::<TokioTimer>();
    println!("sizes of types, in bytes");
    let rows = [
        ("the task of an echo, without tokio's header", task()),
        ("  WebSocket<TcpStream>", web_socket),
        ("    Connection", connection),
        ("      FrameDecoder", size_of::<FrameDecoder>()),
        ("      MessageAssembler", size_of::<MessageAssembler>()),
        ("    TokioIo<TcpStream>", transport),
        ("    TokioTimer", timer),
        ("    the driver, without these", web_socket - connection - transport - timer),
        ("the Sleep of a TokioTimer, in a block of its own", size_of::<tokio::time::Sleep>()),
        ("Config, one for all connections of a server", size_of::<hybi_tokio::Config>()),
    ];
    for (name, size) in rows {
        println!("  {name:50} {size:>5}");
    }
}

/// The future of [`echo`](crate::echo), for which there has to be a stream.
fn task() -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        size_of_val(&crate::echo(TcpStream::connect(address).await.expect("the listener")))
    })
}
