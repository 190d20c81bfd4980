//! An extension of one's own: `x-checksum` appends a checksum to each message, and whoever receives
//! one that does not fit closes the connection.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use hybi_tokio::{
    Client, CloseCode, Compress, Deflate, Error, Extensions, Server,
    extension::{Agreed, AnswerError, Extension, ExtensionOffer, ExtensionViolation, PayloadCodec},
    frame::{Rsv, Violation},
};
use tokio::net::TcpListener;

/// What an endpoint says in the opening handshake: that it knows the extension, no more.
#[derive(Clone, Copy, Debug, Default)]
struct Checksum {
    /// To see what happens: messages are sent as if memory had gone bad.
    spoils: bool,
}

const NAME: &str = "x-checksum";

impl Extension for Checksum {
    fn name(&self) -> &str {
        NAME
    }

    fn offers(&self) -> Vec<ExtensionOffer> {
        ExtensionOffer::new(NAME).into_iter().collect()
    }

    // As server. An offer with parameters is from a future that this code does not know.
    fn accept(&self, offer: &ExtensionOffer) -> Option<Agreed> {
        offer.params().is_empty().then(|| self.agreed(offer))
    }

    // As client.
    fn confirm(&self, answer: &ExtensionOffer) -> Result<Agreed, AnswerError> {
        let unknown = AnswerError::new("it has no parameters", DOCUMENT);
        if answer.params().is_empty() { Ok(self.agreed(answer)) } else { Err(unknown) }
    }
}

impl Checksum {
    /// It works on messages, marks them with RSV2, and has this codec on each connection.
    fn agreed(self, answer: &ExtensionOffer) -> Agreed {
        Agreed::message(answer.clone(), Rsv::RSV2, move || Codec {
            spoils: self.spoils,
            sum: Adler32::default(),
            tail: Vec::new(),
        })
    }
}

/// Both directions of one connection.
struct Codec {
    spoils: bool,
    /// Of the message that is arriving, without its tail.
    sum: Adler32,
    /// The last bytes that arrived, at most four: they may be the checksum.
    tail: Vec<u8>,
}

impl PayloadCodec for Codec {
    fn encode(&mut self, payload: &[u8], _compress: Compress, out: &mut Vec<u8>) -> bool {
        let mut sum = Adler32::default();
        sum.add(payload);
        out.extend_from_slice(payload);
        let spoilt = u32::from(self.spoils);
        out.extend((sum.value() ^ spoilt).to_be_bytes());
        true
    }

    // A message arrives in pieces, cut anywhere; what is certainly not checksum goes on at once.
    fn decode(
        &mut self,
        piece: &[u8],
        end: bool,
        out: &mut dyn FnMut(&[u8]) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        self.tail.extend_from_slice(piece);
        let payload = self.tail.len().saturating_sub(4);
        self.sum.add(&self.tail[..payload]);
        out(&self.tail[..payload])?;
        self.tail.drain(..payload);
        if end {
            let sum = core::mem::take(&mut self.sum).value().to_be_bytes();
            if self.tail != sum {
                return Err(WRONG);
            }
            self.tail.clear();
        }
        Ok(())
    }
}

const DOCUMENT: &str = "x-checksum, section 2";

const WRONG: Violation = Violation::Extension(&ExtensionViolation {
    rule: "the checksum does not fit the message",
    document: DOCUMENT,
    // Of the codes that are for private use, RFC 6455 section 7.4.2.
    close_code: CloseCode::from_u16(4000),
});

/// The checksum of RFC 1950.
struct Adler32(u32, u32);

impl Default for Adler32 {
    fn default() -> Self {
        Self(1, 0)
    }
}

impl Adler32 {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 + u32::from(*byte)) % 65_521;
            self.1 = (self.1 + self.0) % 65_521;
        }
    }

    fn value(&self) -> u32 {
        self.1 << 16 | self.0
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let uri = format!("ws://{}", listener.local_addr()?);
    // Each message is compressed first and summed up then: the order of the offers.
    let both = Extensions::from(Deflate::default()).with(Checksum::default());
    let server = Server::builder().extensions(both.clone()).build();
    let clients = async {
        talk(&uri, both).await?;
        talk(&uri, Checksum { spoils: true }.into()).await
    };
    tokio::try_join!(serve(server, listener), clients)?;
    Ok(())
}

/// Sends back what two clients send, one after the other.
async fn serve(server: Server, listener: TcpListener) -> Result<(), Error> {
    for _ in 0..2 {
        let (stream, _address) = listener.accept().await?;
        let mut ws = hybi_tokio::accept_with(&server, stream).await?;
        loop {
            match ws.recv().await {
                Ok(Some(message)) => ws.feed(message).await?,
                Ok(None) => break,
                Err(error) => {
                    println!("server: {error}");
                    break;
                }
            }
        }
    }
    Ok(())
}

async fn talk(uri: &str, extensions: Extensions) -> Result<(), Error> {
    let client = Client::builder().extensions(extensions).build()?;
    let (mut ws, _response) = hybi_tokio::connect_with(&client, uri).await?;
    let agreed: Vec<_> = ws.extensions().map(ToString::to_string).collect();
    println!("client: agreed on {}", agreed.join(", "));
    ws.send("mind the gap, ".repeat(9)).await?;
    if let Some(message) = ws.recv().await? {
        println!("client: {} bytes came back as they were", message.len());
    }
    let status = ws.close(CloseCode::NORMAL, "").await?;
    println!("client: closed with {} {}", status.code(), status.reason());
    Ok(())
}
