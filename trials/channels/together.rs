//! One connection with many channels, from the first to the last, with requests of one encoding.

use hybi_tokio::{
    Message, Request,
    mux::{ChannelId, HandshakeEncoding},
};
use tokio::task::JoinSet;

use crate::{Failure, Outcome, checked, close, connect, echo, long, same};

/// Each length of an id, at both of its ends.
const IDS: [u32; 8] = [2, 0x7f, 0x80, 0x3fff, 0x4000, 0x1f_ffff, 0x20_0000, 3_000_000];

pub(crate) async fn check(url: &str, encoding: HandshakeEncoding) -> Outcome {
    let encoded = match encoding {
        HandshakeEncoding::Identity => "identity",
        _ => "delta",
    };
    let named = |what: &str| format!("{encoded}: {what}");
    let url = &format!("{url}/echo");
    let mut connection = connect(url, encoding).await?;
    let (first, opener) = (&mut connection.first, &connection.opener);
    checked(&named("the first channel echoes"), echo(first, "hello")).await?;

    let opening = async {
        let mut channels = Vec::new();
        for id in IDS {
            let id = ChannelId::new(id).ok_or("no id")?;
            let (mut ws, response) = opener.open_channel_as(id, &**url).await?;
            same((ws.transport().id(), response.status().as_u16()), (id, 101))?;
            echo(&mut ws, format!("on {id}")).await?;
            channels.push(ws);
        }
        Ok(channels)
    };
    let mut channels = checked(&named("ids up to 3,000,000"), opening).await?;

    let refusal = async {
        let request = Request::from(&**url).subprotocol("nobody-speaks-it");
        let refused = opener.open_channel(request).await.err().ok_or("it was accepted")?;
        let text = refused.to_string();
        if text.contains("400") { Ok(()) } else { Err(text.into()) }
    };
    checked(&named("a channel is refused for its subprotocol"), refusal).await?;

    let exchange = async {
        let mut talks = JoinSet::new();
        for (number, mut ws) in core::mem::take(&mut channels).into_iter().enumerate() {
            talks.spawn(async move {
                for round in 0..3 {
                    let sent = echo(&mut ws, long(number + round)).await;
                    sent.map_err(|why| why.to_string())?;
                }
                Ok::<_, String>(ws)
            });
        }
        while let Some(talked) = talks.join_next().await {
            channels.push(talked??);
        }
        Ok(())
    };
    checked(&named("eight channels with messages beyond both quotas at a time"), exchange).await?;

    let stuck = async {
        // What it answers fills its quota, and nobody reads it.
        let ws = channels.first_mut().ok_or("no channel")?;
        ws.send(long(7)).await?;
        for other in &mut channels[1..] {
            echo(other, "past it").await?;
        }
        same(channels[0].recv().await?, Some(long(7)))
    };
    checked(&named("a channel that nobody reads holds up no other"), stuck).await?;

    let dropping = async {
        drop(channels.pop().ok_or("no channel")?);
        drop(channels.pop().ok_or("no channel")?);
        for kept in &mut channels {
            echo(kept, Message::text("kept")).await?;
        }
        Ok(())
    };
    checked(&named("two channels are dropped and the others kept"), dropping).await?;

    let closing = async {
        for ws in channels {
            close(ws).await?;
        }
        echo(&mut connection.first, "the last one").await
    };
    checked(&named("channels are closed, and the first one kept"), closing).await?;

    let end = async {
        close(connection.first).await?;
        // It closes the connection with its last channel, although more could be opened.
        connection.driving.await?.map_err(Failure::from)
    };
    checked(&named("the connection ends with its last channel"), end).await
}
