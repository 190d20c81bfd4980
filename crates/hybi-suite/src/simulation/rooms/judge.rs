//! What holds of every room.

use std::collections::{HashMap, HashSet};

use hybi::{CloseCode, Message, Slow, Version};

use super::plan::{self, Guest, LONGEST, Plan, Stay};
use super::{Log, Said, Shared, hold};

/// What a member has at once on its way to the transport, beside a message.
const BATCH: usize = 64 * 1024;

/// Of each member no more waits than may, in the room and on the way to its transport.
pub(super) fn bounds_are_kept(shared: &Shared) -> Result<(), String> {
    let Shared { plan, said, logs, members, .. } = shared;
    for (at, member) in members.borrow().iter().enumerate() {
        let Some(member) = member else { continue };
        let waiting = member.deliveries().waiting as usize;
        hold(waiting <= plan.max_messages.max(1), || format!("{waiting} messages wait for {at}"))?;
        if waiting > 1 {
            let (said, log) = (said.borrow(), &logs.borrow()[at]);
            let mut lens: Vec<_> =
                meant(&said, log, at).map(|(_, one)| one.message.len()).collect();
            lens.sort_unstable();
            // As many as wait are as long as the shortest, at least.
            let least: usize = lens.iter().take(waiting).sum();
            hold(least <= plan.max_bytes, || format!("{least} bytes or more wait for {at}"))?;
        }
        let queued = member.websocket().queued_bytes();
        // A long message is there beside what codecs made of it, and each frame has a header.
        let most = BATCH + LONGEST + LONGEST * 9 / 8 + LONGEST / 1_000 * 14 + 8_192;
        hold(queued <= most, || format!("{queued} bytes are on their way to {at}"))?;
    }
    Ok(())
}

/// All that is judged when everybody has left.
pub(super) fn the_end(shared: &Shared) -> Result<(), String> {
    let Shared { plan, said, logs, room, .. } = shared;
    let (said, logs) = (said.borrow(), logs.borrow());
    hold(room.is_empty(), || format!("{} are left in the room", room.len()))?;
    nobody_waits_in_vain(plan, &said, shared.waited.get())?;
    let mut closed = 0;
    for (at, (guest, log)) in plan.guests.iter().zip(logs.iter()).enumerate() {
        let heard = || {
            let numbers: Vec<_> = log.heard.iter().map(|(one, _)| plan::number(one)).collect();
            format!("guest {at}, {:?}, heard {numbers:?}, {:?}", log.deliveries, log.code)
        };
        let told = |why: String| format!("{why}: {}", heard());
        hold(log.outcome.is_some(), || told("no end".into()))?;
        whole_once_and_in_order(&said, log, at).map_err(told)?;
        heard_at_once(&said, guest, log).map_err(told)?;
        what_is_missing_was_counted(plan, &said, guest, log, at).map_err(told)?;
        closed += usize::from(closed_as_the_policy_says(plan, guest, log).map_err(told)?);
    }
    let noted: usize = said.iter().map(|one| one.sent.closed).sum();
    hold(closed <= noted, || format!("{closed} were closed, and senders were told of {noted}"))
}

/// What is meant for a member, as far as that can be known, each with its place in the order of the room.
fn meant<'a>(
    said: &'a [Said],
    log: &Log,
    at: usize,
) -> impl Iterator<Item = (usize, &'a Said)> + use<'a> {
    let (joined, left) = (log.joined.unwrap_or(usize::MAX), log.left.unwrap_or(usize::MAX));
    let in_time = move |place: usize| (joined..left).contains(&place);
    said.iter().enumerate().filter(move |(place, one)| in_time(*place) && one.to.includes(at))
}

/// Whoever sends waits with one policy alone, and then for members that are slow.
fn nobody_waits_in_vain(plan: &Plan, said: &[Said], waited: bool) -> Result<(), String> {
    hold(!waited || plan.slow == Slow::Wait, || "a sender waited, against the policy".into())?;
    if plan.slow == Slow::Wait && !plan.nobody_is_slow() {
        return Ok(());
    }
    let waited = said.iter().find(|one| one.at != one.began);
    hold(waited.is_none(), || format!("a sender waited, with nobody to wait for: {waited:?}"))
}

/// Each message comes whole, once, and in the order of the room; one with a key may stand in the place of an
/// earlier one with it that was not heard.
fn whole_once_and_in_order(said: &[Said], log: &Log, at: usize) -> Result<(), String> {
    let meant: Vec<_> = meant(said, log, at).collect();
    let places: HashMap<_, _> =
        meant.iter().map(|(place, one)| (plan::number(&one.message), *place)).collect();
    // Where the next may stand, and behind which those of each key.
    let (mut next, mut of_key) = (0, HashMap::new());
    for (message, _) in &log.heard {
        let number = plan::number(message);
        let place = places.get(&number).filter(|place| said[**place].message == *message);
        let Some(&place) = place else {
            return Err(format!("{number:?} is not what was said"));
        };
        let key = said[place].key;
        let from = match key {
            Some(_) => of_key.insert(key, place + 1).unwrap_or(0),
            None => place,
        };
        let stands = meant
            .iter()
            .map(|(other, one)| (*other, one.key))
            .find(|(other, of)| (from..=place).contains(other) && *of == key && *other >= next);
        let Some((stands, _)) = stands else { return Err(format!("{number:?} is out of order")) };
        next = stands + 1;
    }
    Ok(())
}

/// Nobody's slowness delays another: whose peer is fast, that hears in the instant in which the sender is done.
fn heard_at_once(said: &[Said], guest: &Guest, log: &Log) -> Result<(), String> {
    if !guest.is_fast() {
        return Ok(());
    }
    let late = log.heard.iter().find_map(|(message, heard)| {
        let one = said.iter().find(|one| one.message == *message)?;
        let late = heard.saturating_duration_since(one.at);
        (!late.is_zero()).then(|| format!("{:?} came {late:?} late", plan::number(message)))
    });
    late.map_or(Ok(()), Err)
}

/// The policy's code, for peers that read to the end; whether it was that.
fn closed_as_the_policy_says(plan: &Plan, guest: &Guest, log: &Log) -> Result<bool, String> {
    let policy = match plan.slow {
        Slow::Close => Some(CloseCode::POLICY_VIOLATION),
        Slow::TryAgainLater => Some(CloseCode::TRY_AGAIN_LATER),
        _ => None,
    };
    let told = [CloseCode::POLICY_VIOLATION, CloseCode::TRY_AGAIN_LATER];
    let is_slow = log.code.is_some_and(|code| told.contains(&code));
    hold(!is_slow || log.code == policy, || format!("closed, and the policy is {:?}", plan.slow))?;
    hold(!is_slow || log.deliveries.dropped > 0, || "closed, and nothing was lost".into())?;
    // Whoever stays to the end and lost something has been closed, and was told so.
    let must_know = guest.reads_all() && guest.stay == Stay::ToTheEnd && log.joined.is_some();
    if must_know && guest.version == Version::RFC6455 && policy.is_some() {
        let lost = log.deliveries.dropped > 0;
        hold(is_slow == lost, || "it lost something, and was not told".into())?;
    }
    Ok(is_slow)
}

/// What a member that went in order did not hear gave way to a newer one, or is counted as dropped, which the
/// policy has to allow.
fn what_is_missing_was_counted(
    plan: &Plan,
    said: &[Said],
    guest: &Guest,
    log: &Log,
    at: usize,
) -> Result<(), String> {
    let d = log.deliveries;
    hold(d.waiting == 0, || "something waits for nobody".into())?;
    let closes = matches!(plan.slow, Slow::Close | Slow::TryAgainLater);
    let goes_in_order = match guest.stay {
        Stay::ToTheEnd => said.last().is_some_and(|one| one.sent.members > 0),
        Stay::Leaves(_) | Stay::Closes(_) => log.left.is_some(),
    };
    if !guest.reads_all() || !goes_in_order || closes && d.dropped > 0 {
        return Ok(());
    }
    let meant: Vec<_> = meant(said, log, at).collect();
    let counted = d.delivered + d.dropped + d.replaced;
    hold(counted as usize == meant.len(), || {
        format!("{} were meant for it, and {counted} are counted", meant.len())
    })?;
    // Its own Close frame, or the room's.
    let goodbye = usize::from(guest.stay == Stay::ToTheEnd);
    hold(d.delivered as usize == log.heard.len() + goodbye, || "not all was heard".into())?;
    let heard: HashSet<_> = log.heard.iter().map(|(message, _)| message.as_bytes()).collect();
    let mut missing = 0;
    for (place, Said { message, key, .. }) in &meant {
        let is_newest =
            key.is_none() || !meant.iter().any(|(later, one)| later > place && one.key == *key);
        let is_data = !matches!(message, Message::Close(_));
        if is_newest && is_data && !heard.contains(message.as_bytes()) && guest.may_get(message) {
            missing += 1;
        }
    }
    let may_drop = matches!(plan.slow, Slow::DropOldest | Slow::DropNewest)
        || matches!(guest.stay, Stay::Closes(_));
    hold(missing == 0 || may_drop && missing <= d.dropped, || {
        format!("{missing} are missing that nothing replaced, the newest of their key")
    })
}
