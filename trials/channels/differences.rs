//! What pywebsocket does otherwise than the drafts have it, or than one would wish, each by its name.

use hybi_tokio::{
    CloseCode, Deadline, Error, Message,
    mux::{Config, Connected, HandshakeEncoding::Identity},
};

use crate::{Outcome, ask, checked, close, connect, echo, same};

/// How many channels beside the first it lets a connection have in all.
const SLOTS: usize = 64;

pub(crate) async fn check(url: &str) -> Outcome {
    checked("difference: it does not answer to `mux`", token(url)).await?;
    checked("difference: channels do not compress", no_compression(url)).await?;
    checked("difference: an empty message does not come back", empty_message(url)).await?;
    checked("difference: slots do not come back", slots(url)).await?;
    checked("difference: a handler that returned answers no Close frame", returned(url)).await?;
    checked("difference: an unknown path is the end of all channels", unknown_path(url)).await
}

async fn token(url: &str) -> Outcome {
    let Connected::Single(mut ws) = ask(&format!("{url}/echo"), &Config::default()).await? else {
        return Err("it does".into());
    };
    ws.send("alone").await?;
    same(ws.recv().await?, Some(Message::text("alone")))?;
    same(ws.close(CloseCode::NORMAL, "").await?.is_clean(), true)
}

/// permessage-deflate got its name after this release.
async fn no_compression(url: &str) -> Outcome {
    let url = &*format!("{url}/echo");
    let connection = connect(url, Identity).await?;
    let (mut second, response) = connection.opener.open_channel(url).await?;
    same(response.headers().get("sec-websocket-extensions"), None)?;
    same(second.extensions().count(), 0)?;
    let compressible = "x".repeat(10_000);
    echo(&mut second, &*compressible).await?;
    // Nobody said anything of the first channel, on which what was offered is never sent.
    let mut first = connection.first;
    echo(&mut first, &*compressible).await?;
    close(second).await?;
    close(first).await?;
    Ok(connection.driving.await??)
}

/// It sends as many frames as it takes to send the octets, which are none.
async fn empty_message(url: &str) -> Outcome {
    let connection = connect(&format!("{url}/echo"), Identity).await?;
    let mut ws = connection.first;
    ws.send("").await?;
    echo(&mut ws, "behind it").await?;
    close(ws).await?;
    Ok(connection.driving.await??)
}

async fn slots(url: &str) -> Outcome {
    let url = &*format!("{url}/echo");
    let connection = connect(url, Identity).await?;
    for _ in 0..SLOTS {
        close(connection.opener.open_channel(url).await?.0).await?;
    }
    let one_more = connection.opener.open_channel(url).await.err();
    same(matches!(one_more, Some(Error::Timeout(Deadline::Handshake))), true)?;
    // It is a wait, and no error of the connection.
    let mut ws = connection.first;
    echo(&mut ws, "still there").await?;
    close(ws).await?;
    Ok(connection.driving.await??)
}

async fn returned(url: &str) -> Outcome {
    let connection = connect(&format!("{url}/echo"), Identity).await?;
    let (mut ws, _) = connection.opener.open_channel(&*format!("{url}/once")).await?;
    echo(&mut ws, "once").await?;
    let status = ws.close(CloseCode::NORMAL, "").await?;
    same((status.code(), status.is_clean()), (CloseCode::ABNORMAL, false))?;
    let mut ws = connection.first;
    echo(&mut ws, "still there").await?;
    close(ws).await?;
    Ok(connection.driving.await??)
}

async fn unknown_path(url: &str) -> Outcome {
    let connection = connect(&format!("{url}/echo"), Identity).await?;
    let opened = connection.opener.open_channel(&*format!("{url}/nothing")).await;
    // A refusal has an HTTP status, and leaves the others alone.
    let error = opened.err().ok_or("it was accepted")?;
    same(error.handshake().is_some(), false)?;
    let mut ws = connection.first;
    same(echo(&mut ws, "still there").await.is_err(), true)?;
    Ok(connection.driving.await??)
}
