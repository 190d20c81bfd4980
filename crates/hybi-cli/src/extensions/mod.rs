//! Extensions: what `--ext` makes of those that the library has (RFC 6455 §9).

mod known;
mod spec;

use std::sync::Arc;

use hybi::{
    Deflate, Extensions, Version,
    extension::{Agreed, AnswerError, Extension, ExtensionOffer},
};

pub(crate) use spec::{ExtensionList, client_extensions, server_extensions};

use self::known::{ACCEPTED_ONLY, KNOWN, PERMESSAGE_DEFLATE};
use self::spec::{Named, Spec};
use crate::exit::Failure;
use crate::values;

/// What the options ask for: permessage-deflate for RFC 6455 if they say nothing.
///
/// `tune` makes the choices that are not negotiated. Naming an extension that none of the versions
/// can carry is a mistake.
pub(crate) fn chosen(
    lists: &[ExtensionList],
    versions: &[Version],
    tune: impl Fn(Deflate) -> Deflate,
) -> Result<Extensions, Failure> {
    let bare = |extension: Arc<dyn Extension>| Wanted { extension, offer: None, by_default: false };
    let mut wanted: Vec<Wanted> = Vec::new();
    if lists.is_empty() {
        let permessage_deflate = Arc::new(tune(Deflate::default()));
        wanted.push(Wanted { by_default: true, ..bare(permessage_deflate) });
    }
    for spec in lists.iter().flat_map(|list| &list.0) {
        match spec {
            Spec::None => wanted.clear(),
            Spec::All => {
                let all = KNOWN.iter().map(|known| known.make).chain([ACCEPTED_ONLY]);
                wanted.extend(all.map(|make| bare(make(tune(Deflate::default())))));
            }
            Spec::One(Named { make, deflate, offer }) => {
                let extension = make(tune(*deflate));
                if !versions.iter().any(|version| extension.is_for(*version)) {
                    return Err(unavailable(&*extension, versions));
                }
                wanted.push(Wanted { offer: offer.clone(), ..bare(extension) });
            }
        }
    }
    Ok(wanted.into_iter().fold(Extensions::none(), Extensions::with))
}

fn unavailable(extension: &dyn Extension, versions: &[Version]) -> Failure {
    let names = |versions: &mut dyn Iterator<Item = Version>| {
        versions.map(values::version_name).collect::<Vec<_>>().join(", ")
    };
    let mut carriers = Version::ALL.into_iter().filter(|version| extension.is_for(*version));
    let carriers = names(&mut carriers);
    let versions = names(&mut versions.iter().copied());
    let why = format!("{} is not available for {versions}", extension.name());
    Failure::usage("usage", why).hint(format!("it is for {carriers}"))
}

/// An extension of the library, offered just as it was asked for.
#[derive(Debug)]
struct Wanted {
    extension: Arc<dyn Extension>,
    /// What a client offers, if not what the extension itself would.
    offer: Option<ExtensionOffer>,
    /// Nobody asked for it, so versions before RFC 6455 do without.
    by_default: bool,
}

impl Extension for Wanted {
    fn name(&self) -> &str {
        self.extension.name()
    }

    fn is_for(&self, version: Version) -> bool {
        self.extension.is_for(version) && (!self.by_default || version >= Version::RFC6455)
    }

    fn offers(&self) -> Vec<ExtensionOffer> {
        self.offer.clone().map_or_else(|| self.extension.offers(), |offer| vec![offer])
    }

    fn accept(&self, offer: &ExtensionOffer) -> Option<Agreed> {
        self.extension.accept(offer)
    }

    fn confirm(&self, answer: &ExtensionOffer) -> Result<Agreed, AnswerError> {
        if let Some(offer) = &self.offer
            && offer.name() == PERMESSAGE_DEFLATE
        {
            confirm_windows(offer, answer)?;
        }
        self.extension.confirm(answer)
    }
}

/// The rules about windows that depend on what was offered: the extension itself always lets the
/// server limit the client's, and never asks for a window of 15 bits (RFC 7692 §7.1.2).
fn confirm_windows(offer: &ExtensionOffer, answer: &ExtensionOffer) -> Result<(), AnswerError> {
    let has = |element: &ExtensionOffer, names: [&str; 2]| {
        element.params().iter().any(|param| names.contains(&param.name()))
    };
    let client = ["client_max_window_bits", "c2s_max_window_bits"];
    if has(answer, client) && !has(offer, client) {
        let rule = "the client's window is limited without its offer";
        return Err(AnswerError::new(rule, "RFC 7692 §7.1.2.2"));
    }
    let server = ["server_max_window_bits", "s2c_max_window_bits"];
    if has(offer, server) && !has(answer, server) {
        let rule = "the server does not limit its window, as asked";
        return Err(AnswerError::new(rule, "RFC 7692 §7.1.2.1"));
    }
    Ok(())
}
