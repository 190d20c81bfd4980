//! A thousand channels of one connection with random traffic: all of it arrives whole and in order.

use core::time::Duration;

use futures_util::future::{join_all, try_join};
use hybi::{Client, CloseCode, Config as Choice, Deflate, Error, Message, Server, mux::Config};
use hybi_testkit::{choices::Choices, link::Conditions, world::World};

use crate::support::{ClientEnd, Setup, URI, Ws, serve};

const WINDOW: u64 = 2000;

/// What both ends of a channel say to each other.
struct Traffic {
    up: Vec<Message>,
    down: Vec<Message>,
}

impl Traffic {
    fn of(channel: u32) -> Self {
        let choices = Choices::from_seed(channel.into());
        let window = WINDOW as usize;
        let lens = [0, 1, 10, 125, 126, 700, window - 1, window, 4 * window + 1];
        let messages =
            || (0..choices.below(5)).map(|_| message(choices.of(&lens), &choices)).collect();
        Self { up: messages(), down: messages() }
    }
}

/// Some of it repeats itself, and some does not.
fn message(len: usize, choices: &Choices) -> Message {
    let letters = choices.of(&[2, 26]);
    let text: String = (0..len).map(|_| char::from(b'a' + choices.below(letters) as u8)).collect();
    if choices.one_in(2) { Message::text(text) } else { Message::binary(text.into_bytes()) }
}

/// Says one and hears the other, at the same time.
async fn talk(ws: Ws, says: Vec<Message>, hears: Vec<Message>) -> Result<Ws, Error> {
    let choices = Choices::from_seed(ws.transport().id().get().into());
    let (mut sender, mut receiver) = ws.split();
    let saying = async {
        for message in says {
            if choices.one_in(4) {
                sender.send(Message::Ping("?".into())).await?;
            }
            if choices.one_in(2) {
                sender.send(message).await?;
            } else {
                sender.feed(message).await?;
            }
        }
        sender.flush().await
    };
    let hearing = async {
        for message in &hears {
            let heard = receiver.recv().await?;
            assert!(heard.as_ref() == Some(message), "{heard:?} is not what was said");
        }
        Ok(())
    };
    try_join(saying, hearing).await?;
    Ok(receiver.reunite(sender).expect("the two halves of one"))
}

/// So many channels, which say what their ids make of them.
fn crowd(channels: u32, setup: Setup) {
    let mut world = World::new().with_most_polls(10_000_000);
    let config = Config::default().window(WINDOW).queue_limit(3000).max_channels(channels - 1);
    let conditions = Conditions::default()
        .delay(Duration::from_millis(10))
        .capacity(100_000)
        .read(9000)
        .write(5000);
    let (server, client) = Setup { config, conditions, ..setup }.open(&mut world);
    serve(&mut world, server, |ws| async move {
        let Traffic { up, down } = Traffic::of(ws.transport().id().get());
        let mut ws = talk(ws, down, up).await.expect("it is open");
        assert_eq!(ws.recv().await.expect("it is closed in order"), None);
        Ok(())
    });
    let ClientEnd { first, opener, driver, .. } = client;
    world.spawn("the client's driver", async move {
        driver.run().await.expect("it ends in order");
    });
    world.block_on(async move {
        let others = join_all((1..channels).map(|_| opener.open_channel(URI))).await;
        let others = others.into_iter().map(|opened| opened.expect("there are slots").0);
        let talks = [first].into_iter().chain(others).map(|ws| async {
            let Traffic { up, down } = Traffic::of(ws.transport().id().get());
            let mut ws = talk(ws, up, down).await.expect("it is open");
            ws.close(CloseCode::NORMAL, "").await.expect("it is open").code()
        });
        let codes = join_all(talks).await;
        assert_eq!(codes, vec![CloseCode::NORMAL; channels as usize]);
    });
    world.run().expect("everything ends");
}

#[test]
fn a_thousand_channels_say_all_they_have() {
    crowd(1000, Setup::default());
}

#[test]
fn a_hundred_of_them_compress_and_cut_what_they_say() {
    let deflate = Deflate::default().min_size(100);
    let config = Choice::default().fragment_size(Some(300));
    let client = Client::builder().extensions(deflate).config(config.clone());
    crowd(
        100,
        Setup {
            server: Server::builder().extensions(deflate).config(config).build(),
            client: client.build().expect("valid"),
            ..Setup::default()
        },
    );
}
