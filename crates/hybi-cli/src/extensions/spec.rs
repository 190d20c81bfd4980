//! `--ext`: names with parameters in the syntax of `Sec-WebSocket-Extensions` (RFC 6455 §9.1), the
//! words `none` and `all`, and `mux`.
//!
//! What a client gives is its offer. What a server gives are its wishes, in the words of the answer
//! that it would like to send.

use hybi::{
    Deflate, Role, Version,
    extension::{ExtensionOffer, ExtensionParam},
    mux,
};

use super::known::{
    KNOWN, Known, Make, Meaning, PERMESSAGE_DEFLATE, PERMESSAGE_DEFLATE_DRAFT, What,
};
use super::mux::{MUX, config};

/// What one `--ext` says, in order.
#[derive(Clone, Debug)]
pub(crate) struct ExtensionList(pub(super) Vec<Spec>);

/// One element of it.
#[derive(Clone, Debug)]
pub(super) enum Spec {
    /// Nothing of what came before.
    None,
    /// Every extension that the version can carry, but for `mux`.
    All,
    One(Named),
    Mux(mux::Config),
}

/// An extension that was named.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) make: Make,
    pub(super) deflate: Deflate,
    /// As it was written, if it has parameters.
    pub(super) offer: Option<ExtensionOffer>,
}

/// Reads what a client offers.
pub(crate) fn client_extensions(text: &str) -> Result<ExtensionList, String> {
    read(text, Role::Client)
}

/// Reads what a server would like.
pub(crate) fn server_extensions(text: &str) -> Result<ExtensionList, String> {
    read(text, Role::Server)
}

fn read(text: &str, role: Role) -> Result<ExtensionList, String> {
    let list = ExtensionOffer::parse_list([text], Version::RFC6455).map_err(|_| {
        "extensions are written as in Sec-WebSocket-Extensions: name; parameter; parameter=value"
    })?;
    list.into_iter().map(|element| spec(element, role)).collect::<Result<_, _>>().map(ExtensionList)
}

fn spec(element: ExtensionOffer, role: Role) -> Result<Spec, String> {
    match (element.name(), element.params()) {
        ("none", []) => Ok(Spec::None),
        ("all", []) => Ok(Spec::All),
        (word @ ("none" | "all"), _) => Err(format!("{word} has no parameters")),
        (MUX, _) => config(&element, role).map(Spec::Mux),
        _ => named(element, role).map(Spec::One),
    }
}

fn named(element: ExtensionOffer, role: Role) -> Result<Named, String> {
    let name = element.name();
    let Some(known) = KNOWN.iter().find(|known| known.name == name) else {
        let names = KNOWN.map(|known| known.name).join(", ");
        return Err(format!("there is no extension {name:?}; this build has {names}, {MUX}"));
    };
    if element.params().is_empty() {
        return Ok(Named { make: known.make, deflate: Deflate::default(), offer: None });
    }
    let method = if known.has_method { Some(method(&element)?) } else { None };
    let params = method.as_ref().unwrap_or(&element).params();
    let mut deflate = Deflate::default();
    let mut elsewhere = None;
    for (index, param) in params.iter().enumerate() {
        let (meaning, is_elsewhere) = meaning(known, param, role)?;
        if *elsewhere.get_or_insert(is_elsewhere) != is_elsewhere {
            return Err(format!(
                "{} is a name of another draft than those before it",
                param.name()
            ));
        }
        if params[..index].iter().any(|earlier| earlier.name() == param.name()) {
            return Err(format!("{} is given twice", param.name()));
        }
        deflate = apply(deflate, meaning, param, role)?;
    }
    let is_draft = name == PERMESSAGE_DEFLATE && elsewhere == Some(true);
    let make = if is_draft { PERMESSAGE_DEFLATE_DRAFT } else { known.make };
    Ok(Named { make, deflate, offer: Some(element) })
}

/// The one method of an extension that has its parameters there.
fn method(element: &ExtensionOffer) -> Result<ExtensionOffer, String> {
    let [param] = element.params() else { return Err(method_form(element)) };
    if param.name() != "method" {
        let form = method_form(element);
        return Err(format!("{} has no parameter {}; {form}", element.name(), shown(param)));
    }
    let methods = param.value().map(|value| ExtensionOffer::parse_list([value], Version::RFC6455));
    match methods.map(|methods| methods.map(<[_; 1]>::try_from)) {
        Some(Ok(Ok([method]))) if method.name() == "deflate" => Ok(method),
        _ => Err(format!("not {}; {}", shown(param), method_form(element))),
    }
}

fn method_form(element: &ExtensionOffer) -> String {
    format!("{} has one parameter, method=deflate or method=\"deflate; ...\"", element.name())
}

/// What a parameter means, and whether its name is one of the other set.
fn meaning(known: &Known, param: &ExtensionParam, role: Role) -> Result<(Meaning, bool), String> {
    for (params, elsewhere) in [(known.params, false), (known.params_elsewhere, true)] {
        if let Some((_, meaning)) = params.iter().find(|(name, _)| *name == param.name()) {
            return Ok((*meaning, elsewhere));
        }
    }
    let forms = known.params.iter().map(|(name, meaning)| match meaning.what {
        What::NoTakeover => (*name).to_owned(),
        What::Window if meaning.may_be_bare(role) => format!("{name}[=8..15]"),
        What::Window => format!("{name}=8..15"),
    });
    let forms: Vec<String> = forms.collect();
    let forms = if forms.is_empty() { "none".into() } else { forms.join(", ") };
    Err(format!("{} has no parameter {}; it has {forms}", known.name, shown(param)))
}

fn apply(
    deflate: Deflate,
    meaning: Meaning,
    param: &ExtensionParam,
    role: Role,
) -> Result<Deflate, String> {
    let own = meaning.binds == Some(role);
    match (meaning.what, param.value()) {
        (What::NoTakeover, None) if own => Ok(deflate.own_context_takeover(false)),
        (What::NoTakeover, None) => Ok(deflate.peer_context_takeover(false)),
        (What::NoTakeover, Some(_)) => {
            Err(format!("{} has no value, so not {}", param.name(), shown(param)))
        }
        (What::Window, None) if meaning.may_be_bare(role) => Ok(deflate),
        (What::Window, value) => {
            let bits =
                (8..=15).find(|bits: &u8| value.is_some_and(|text| text == bits.to_string()));
            match bits {
                Some(bits) if own => Ok(deflate.own_window_bits(bits)),
                Some(bits) => Ok(deflate.peer_window_bits(bits)),
                None => Err(format!("{} is from 8 to 15, not {}", param.name(), shown(param))),
            }
        }
    }
}

/// The parameter as it was written.
pub(super) fn shown(param: &ExtensionParam) -> String {
    match param.value() {
        Some(value) => format!("{}={value}", param.name()),
        None => param.name().to_owned(),
    }
}
