//! Extensions of which only what works on whole messages is agreed on (RFC 6455 §5.4, §9.1).

use hybi_compression::{
    AcceptOnly, Agreed, AnswerError, Chain, Compress, Deflate, DeflateFrame, DeflateStream,
    Extension, Extensions, PerframeCompress, PermessageCompress, PermessageDeflateDraft,
};
use hybi_handshake::{ExtensionOffer, HandshakeError, Version};

use crate::support::{accept, agree, answer, confirm, field};
use crate::user_extension::{Place, Sum, sum};

fn deflate() -> Deflate {
    Deflate::default()
}

const VERSION: Version = Version::RFC6455;

/// Offered as before and answered as before, and what comes of it is the same.
#[test]
fn what_works_on_messages_stays_as_it_is() {
    for extensions in [
        Extensions::from(deflate()),
        PermessageDeflateDraft::new(deflate()).into(),
        PermessageCompress::new(deflate()).into(),
        sum(Place::Message).into(),
    ] {
        let of_messages = extensions.of_messages();
        assert!(!extensions.offers(VERSION).is_empty(), "{extensions:?}");
        assert_eq!(of_messages.offers(VERSION), extensions.offers(VERSION));
        assert_eq!(
            agree(&of_messages, &of_messages, VERSION),
            agree(&extensions, &extensions, VERSION)
        );
        let payload = b"All work and no play makes Jack a dull boy.".repeat(20);
        let encoded = |extensions: &Extensions| {
            let [client, _] = agree(extensions, extensions, VERSION);
            let mut out = Vec::new();
            let rsv = Chain::new(&client).encode_message(&payload, Compress::Always, &mut out);
            (rsv, out)
        };
        assert!(encoded(&extensions).0.is_some(), "{extensions:?}");
        assert_eq!(encoded(&of_messages), encoded(&extensions));
    }
}

#[test]
fn what_does_not_is_neither_offered_nor_accepted_nor_taken_for_an_answer() {
    for (extensions, version) in [
        (Extensions::from(DeflateFrame::new(deflate())), VERSION),
        (DeflateFrame::webkit(deflate()).into(), VERSION),
        (PerframeCompress::new(deflate()).into(), VERSION),
        (DeflateStream::new(deflate()).into(), Version::HYBI_08),
        (sum(Place::Frame).into(), VERSION),
        (sum(Place::Stream).into(), VERSION),
        (sum(Place::Mark).into(), VERSION),
    ] {
        let offers = extensions.offers(version);
        let answers = answer(&extensions, &field(&offers), version);
        assert!(confirm(&extensions, &answers, version).is_ok(), "{answers}");

        let of_messages = extensions.of_messages();
        assert_eq!(field(&of_messages.offers(version)), "", "{extensions:?}");
        assert!(of_messages.accept(&offers, version).is_empty(), "{extensions:?}");
        let error = confirm(&of_messages, &answers, version).expect_err("it was not offered");
        assert!(matches!(error, HandshakeError::ExtensionNotOffered), "{error}");
    }
}

#[test]
fn what_is_accepted_only_is_accepted_if_it_works_on_messages() {
    let of_messages = Extensions::from(AcceptOnly(PermessageCompress::new(deflate())))
        .with(AcceptOnly(DeflateFrame::new(deflate())))
        .of_messages();
    assert!(of_messages.offers(VERSION).is_empty());
    let offer = "deflate-frame, permessage-compress; method=deflate";
    let agreed = accept(&of_messages, offer, VERSION);
    assert_eq!(field(agreed.iter().map(Agreed::answer)), "permessage-compress; method=deflate");
    let error = confirm(&of_messages, "permessage-compress; method=deflate", VERSION);
    assert!(matches!(error, Err(HandshakeError::ExtensionNotOffered)), "{error:?}");
}

/// An offer that is declined frees the bit for the next, and the version goes on to decide.
#[test]
fn of_several_those_over_messages_are_left() {
    let of_messages = Extensions::from(DeflateFrame::new(deflate()))
        .with(deflate())
        .with(DeflateStream::new(deflate()))
        .with(Sum { name: "x-mark", ..sum(Place::Mark) })
        .of_messages();
    let offered = field(&of_messages.offers(VERSION));
    assert_eq!(offered, field(&Extensions::from(deflate()).offers(VERSION)));
    let offer = "deflate-frame, x-mark; start=1, deflate-stream, permessage-deflate";
    for version in [Version::HYBI_08, VERSION] {
        assert_eq!(answer(&of_messages, offer, version), "permessage-deflate", "{version}");
        let again = of_messages.of_messages();
        assert_eq!(answer(&again, offer, version), "permessage-deflate", "{version}");
    }
    assert!(of_messages.accept(&of_messages.offers(VERSION), Version::HYBI_06).is_empty());
}

/// The server says where it works: the offer has no parameter, and the answer may have `frames`.
#[derive(Debug)]
struct Either;

impl Either {
    fn agreed(answer: &ExtensionOffer) -> Agreed {
        let place = if answer.params().is_empty() { Place::Message } else { Place::Frame };
        sum(place).agreed(answer.clone())
    }
}

impl Extension for Either {
    fn name(&self) -> &str {
        "x-either"
    }

    fn offers(&self) -> Vec<ExtensionOffer> {
        let offer = ExtensionOffer::new(self.name()).unwrap();
        vec![offer.clone(), offer.with_param("frames", None).unwrap()]
    }

    fn accept(&self, offer: &ExtensionOffer) -> Option<Agreed> {
        Some(Self::agreed(offer))
    }

    fn confirm(&self, answer: &ExtensionOffer) -> Result<Agreed, AnswerError> {
        Ok(Self::agreed(answer))
    }
}

#[test]
fn of_alternatives_those_over_messages_are_offered_and_others_are_no_answer() {
    let extensions = Extensions::from(Either);
    assert_eq!(field(&extensions.offers(VERSION)), "x-either, x-either; frames");
    let of_messages = extensions.of_messages();
    assert_eq!(field(&of_messages.offers(VERSION)), "x-either");
    assert_eq!(answer(&of_messages, "x-either; frames, x-either", VERSION), "x-either");
    assert!(confirm(&of_messages, "x-either", VERSION).is_ok());
    let error = confirm(&of_messages, "x-either; frames", VERSION).unwrap_err();
    let HandshakeError::ExtensionAnswer(broken) = error else { panic!("{error}") };
    assert_eq!((&*broken.name, broken.document), ("x-either", "RFC 6455 §5.4"));
}

/// An extension that this end asks for and does not give.
#[derive(Debug)]
struct OfferOnly(Sum);

impl Extension for OfferOnly {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn offers(&self) -> Vec<ExtensionOffer> {
        self.0.offers()
    }

    fn accept(&self, _offer: &ExtensionOffer) -> Option<Agreed> {
        None
    }

    fn confirm(&self, answer: &ExtensionOffer) -> Result<Agreed, AnswerError> {
        self.0.confirm(answer)
    }
}

#[test]
fn what_is_offered_only_is_judged_by_its_own_words() {
    for (place, offered) in
        [(Place::Message, "x-sum; start=7"), (Place::Frame, ""), (Place::Mark, "")]
    {
        let extensions = Extensions::from(OfferOnly(sum(place)));
        assert_eq!(field(&extensions.of_messages().offers(VERSION)), offered, "{place:?}");
    }
}
