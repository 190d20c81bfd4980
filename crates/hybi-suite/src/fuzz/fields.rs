//! Fields that are lists, and the small grammars beside them: what is accepted is what the grammar says in the
//! plain cases, within the limits, and says the same when it is written and read again.

use std::collections::HashSet;

use http::{HeaderValue, Request};
use hybi_handshake::{
    ExtensionOffer, HeadLimits, HostPattern, OriginPattern, ServerPolicy, Version,
    parse_subprotocols,
};
use hybi_legacy::{FieldOrder, challenge_answer, check, key_number};

use super::input::Input;
use super::words;

/// Values as a head can have them, one in each line of the input.
fn values<'a>(input: &mut Input<'a>) -> Option<Vec<&'a [u8]>> {
    let values: Vec<_> = input.rest().split(|&byte| byte == b'\n').map(words::trimmed).collect();
    values.iter().all(|value| HeaderValue::from_bytes(value).is_ok()).then_some(values)
}

/// The names in a list by their separators, as the limit counts them.
fn names(values: &[&[u8]]) -> usize {
    let between = |value: &&[u8]| 1 + value.iter().filter(|byte| b",;".contains(byte)).count();
    values.iter().map(between).sum()
}

pub(super) fn extensions(data: &[u8]) {
    let mut input = Input::new(data);
    let version = *input.choose(&[Version::RFC6455, Version::HYBI_08, Version::HYBI_05]);
    let Some(values) = values(&mut input) else { return };
    let parsed = ExtensionOffer::parse_list(&values, version);
    let plain = !values.iter().any(|value| value.contains(&b'"'));
    if plain {
        let said = values.iter().map(|value| said_by(value)).collect::<Option<Vec<_>>>();
        let said = said.map(|lists| lists.concat()).filter(|list| !list.is_empty());
        let said = said.filter(|_| names(&values) <= HeadLimits::MAX_NAMES);
        let read = parsed.as_ref().ok().map(|list| list.iter().map(parts).collect::<Vec<_>>());
        assert_eq!(read, said, "by the grammar of section 9.1");
    }
    let Ok(list) = parsed else { return };
    assert!(!list.is_empty() && list.len() <= HeadLimits::MAX_NAMES);
    let written = list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let again = ExtensionOffer::parse_list([&written], version);
    assert_eq!(again.ok().as_ref(), Some(&list), "{written}");
}

/// A name, and its parameters with their values.
type Parts = (String, Vec<(String, Option<String>)>);

fn parts(offer: &ExtensionOffer) -> Parts {
    let params = offer.params().iter();
    let params = params.map(|param| (param.name().to_owned(), param.value().map(str::to_owned)));
    (offer.name().to_owned(), params.collect())
}

/// Section 9.1, where nothing is quoted.
fn said_by(value: &[u8]) -> Option<Vec<Parts>> {
    let owned = |bytes: &[u8]| words::token(bytes).map(str::to_owned);
    let extension = |element: &[u8]| {
        let mut words = words::elements(element, b';');
        let name = owned(words.next()?)?;
        let param = |word: &[u8]| match word.iter().position(|&byte| byte == b'=') {
            None => Some((owned(word)?, None)),
            Some(at) => {
                let (name, value) = (words::trimmed(&word[..at]), words::trimmed(&word[at + 1..]));
                Some((owned(name)?, Some(owned(value)?)))
            }
        };
        Some((name, words.map(param).collect::<Option<_>>()?))
    };
    words::elements(value, b',').filter(|element| !element.is_empty()).map(extension).collect()
}

pub(super) fn subprotocols(data: &[u8]) {
    let Some(values) = values(&mut Input::new(data)) else { return };
    let elements = values.iter().flat_map(|value| words::elements(value, b','));
    let elements = elements.filter(|element| !element.is_empty());
    let said: Option<Vec<_>> = elements.map(words::token).collect();
    let said = said.filter(|names| {
        let distinct: HashSet<_> = names.iter().collect();
        !names.is_empty() && distinct.len() == names.len()
    });
    let said = said.filter(|_| names(&values) <= HeadLimits::MAX_NAMES);
    let parsed = parse_subprotocols(&values).ok();
    let parsed = parsed.as_ref().map(|names| names.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(parsed, said, "by the rules of section 4.1");
}

/// The fields of a request that have one value, all of them at once.
pub(super) fn single(data: &[u8]) {
    const NAMES: [&str; 12] = [
        "host",
        "upgrade",
        "connection",
        "origin",
        "sec-websocket-version",
        "sec-websocket-key",
        "sec-websocket-origin",
        "sec-websocket-protocol",
        "sec-websocket-extensions",
        "sec-websocket-key1",
        "sec-websocket-key2",
        "sec-websocket-draft",
    ];
    let mut input = Input::new(data);
    let absent = u16::from(input.byte()) << 8 | u16::from(input.byte());
    let Some(values) = values(&mut input) else { return };
    let ordinary =
        ["a.example", "websocket", "Upgrade", "http://a.example", "13", "dGhlIHNhbXBsZSBub25jZQ=="];
    let mut request = Request::get("/");
    for (index, name) in NAMES.into_iter().enumerate() {
        let given = values.get(index).copied().filter(|value| !value.is_empty());
        let value = given.or_else(|| ordinary.get(index).map(|value| value.as_bytes()));
        if let Some(value) = value.filter(|_| absent >> index & 1 == 0) {
            request = request.header(name, value);
        }
    }
    let Ok(request) = request.body(()) else { panic!("values were checked") };
    let policy = ServerPolicy::new().with_versions(Version::ALL);
    match check(&policy, &request, FieldOrder::Any) {
        Ok(accepted) => assert!(policy.versions().contains(accepted.version)),
        Err(error) => {
            assert!(error.status().is_some_and(|status| status.is_client_error()), "{error}");
        }
    }
    for value in &values {
        if let Ok(number) = key_number(value) {
            let other = challenge_answer(number, number ^ 1, *b"12345678");
            assert_ne!(challenge_answer(number, number, *b"12345678"), other);
        }
        let Ok(text) = core::str::from_utf8(value) else { continue };
        if let Some(version) = Version::parse(text) {
            assert!(Version::is_number(text), "{version:?}");
        }
        let _ = (text.parse::<HostPattern>(), text.parse::<OriginPattern>());
    }
}
