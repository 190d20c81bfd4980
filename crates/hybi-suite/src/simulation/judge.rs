//! What holds of every conversation.

use core::time::Duration;
use std::time::Instant;

use hybi::{CloseCode, CloseStatus, Endpoint, Error, Message, State, Version};

use super::plan::{MOST, Plan, What};
use super::run::Seen;
use super::talk::Log;

/// An error with these words unless it holds.
pub(super) fn hold(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}

impl Plan {
    /// Nothing goes wrong: not on the link, and not by what the applications do.
    pub(super) fn is_calm(&self) -> bool {
        self.fault.is_none() && self.deaf.is_none() && self.oversize.is_none()
    }
}

/// All that is judged when the conversation is over.
pub(super) fn the_end(
    plan: &Plan,
    logs: &[Log; 2],
    seen: &[Seen; 2],
    broken_at: Option<Instant>,
) -> Result<(), String> {
    for end in 0..2 {
        nobody_fails_for_no_reason(plan, &logs[end], broken_at.is_some())?;
        if plan.deaf != Some(end) {
            messages_are_whole_once_and_in_order(plan, logs, seen, end, broken_at.is_some())?;
            no_deadline_passes_unseen(plan, &logs[end], end, broken_at)?;
        }
    }
    nothing_longer_is_delivered(plan, logs, broken_at.is_some())?;
    both_know_the_end(plan, seen, broken_at.is_some())
}

/// What waits to be sent is no more than the limit, or one message that is longer.
pub(super) fn limits_are_kept(plan: &Plan, queued: usize) -> Result<(), String> {
    let payload = plan.outbox_limit.max(plan.longest_of_all());
    // The message that reaches the limit is measured without its headers, of which each of its frames has one.
    let headers = plan.longest_of_all() / plan.fragment.unwrap_or(usize::MAX) * 14;
    let waits = payload + headers;
    let most = if plan.extensions.is_empty() {
        // Beside it there may be headers, a Close frame and a Pong.
        waits + 4_096
    } else {
        // A long message waits whole until the last of what codecs make of it exists.
        waits + waits * 9 / 8 + 64 * 1024
    };
    hold(queued <= most, || format!("{queued} bytes wait to be sent, and {most} are allowed"))
}

/// A message above the limit reaches nobody, and whoever sent it is told of the limit.
fn nothing_longer_is_delivered(plan: &Plan, logs: &[Log; 2], broken: bool) -> Result<(), String> {
    let Some(from) = plan.oversize else { return Ok(()) };
    let log = &logs[1 - from];
    hold(log.received.iter().all(|message| message.len() <= MOST), || {
        format!("a message that is longer than {MOST} was delivered")
    })?;
    let was_sent =
        logs[from].sent.iter().flatten().any(|(message, told)| *told && message.len() > MOST);
    if !was_sent || broken || plan.early {
        return Ok(());
    }
    let is_told = log.failed.iter().any(|(_, error)| matches!(error, Error::Protocol(_)));
    hold(is_told, || format!("end {} knows of no message that is too long", 1 - from))
}

/// An error has a cause: an early end, a fault of the link, a message that is too long.
fn nobody_fails_for_no_reason(plan: &Plan, log: &Log, broken: bool) -> Result<(), String> {
    for (who, error) in &log.failed {
        let is_expected = match error {
            Error::Closed => plan.early || broken || plan.oversize.is_some(),
            Error::Transport(_) | Error::Lost | Error::Timeout(_) => broken,
            Error::Protocol(_) => plan.oversize.is_some(),
            _ => false,
        };
        let is_expected =
            is_expected && (broken || plan.oversize.is_some() || who.starts_with("sender"));
        hold(is_expected, || format!("{who}: {error} ({error:?})"))?;
    }
    Ok(())
}

/// Each message arrives whole, once, and behind those that its sender sent before; one whose sender was told
/// that it is queued arrives unless the link broke, and then none behind it does.
fn messages_are_whole_once_and_in_order(
    plan: &Plan,
    logs: &[Log; 2],
    seen: &[Seen; 2],
    end: usize,
    broken: bool,
) -> Result<(), String> {
    let is_clean = seen[end].status.as_ref().is_some_and(CloseStatus::is_clean);
    // Where the end of the transport is all that tells of the end, a wire that is cut looks like it.
    let may_be_lost =
        plan.oversize.is_some() || broken && (!is_clean || plan.version == Version::HIXIE_75);
    for (index, sent) in logs[1 - end].sent.iter().enumerate() {
        let mut received = logs[end].received.iter().filter(|message| sender(message) == index);
        let mut next = received.next();
        let mut lost = None;
        for (number, (message, told)) in sent.iter().enumerate() {
            if next == Some(message) {
                hold(lost.is_none(), || {
                    format!("sender {}.{index}: {number} arrived, and {lost:?} did not", 1 - end)
                })?;
                next = received.next();
            } else if *told {
                hold(may_be_lost, || format!("sender {}.{index}: {number} is lost", 1 - end))?;
                lost = lost.or(Some(number));
            }
        }
        hold(next.is_none(), || {
            format!("sender {}.{index}: what came is not what was sent: {next:?}", 1 - end)
        })?;
    }
    Ok(())
}

/// Which sender of its end this message is of.
fn sender(message: &Message) -> usize {
    let number = message.as_bytes().split(|byte| *byte == b':').next().unwrap_or_default();
    let number = core::str::from_utf8(number).ok().and_then(|number| number.parse::<usize>().ok());
    number.map_or(usize::MAX, |number| number / 10 % 10)
}

/// An end that hears nothing more, or is not heard, knows so when its deadlines have passed.
fn no_deadline_passes_unseen(
    plan: &Plan,
    log: &Log,
    end: usize,
    broken_at: Option<Instant>,
) -> Result<(), String> {
    let (Some(broken_at), Some(done_at)) = (broken_at, log.done_at) else { return Ok(()) };
    let deadlines = &plan.deadlines;
    let silence = if plan.version <= Version::HIXIE_76 {
        // Which is kept to a quarter.
        deadlines.idle * 5 / 4
    } else {
        deadlines.ping_interval + deadlines.ping_timeout
    };
    let what = plan.fault.map(|fault| fault.what);
    let link = 4 * plan.conditions[end].delay.max(plan.conditions[1 - end].delay);
    let behind = deadlines.end + link + Duration::from_secs(1);
    let most = match what {
        Some(What::Reset) => Duration::ZERO,
        Some(What::StallBoth) => silence.max(deadlines.write) + behind,
        // An end that is not heard goes on to read, which is a sign of life to whoever writes to it, until it
        // notices that nothing of its own leaves.
        _ => silence + deadlines.write + behind,
    };
    let took = done_at.saturating_duration_since(broken_at);
    hold(took <= most, || format!("end {end} took {took:?} to see {what:?}, not {most:?}"))
}

/// Both ends are closed, know how, and agree on who began; where nothing went wrong the end is clean.
fn both_know_the_end(plan: &Plan, seen: &[Seen; 2], broken: bool) -> Result<(), String> {
    for (end, Seen { state, status }) in seen.iter().enumerate() {
        if plan.deaf == Some(end) {
            continue;
        }
        hold(*state == State::Closed, || format!("end {end} is {state:?}"))?;
        let status = status.as_ref().ok_or_else(|| format!("end {end} has no status"))?;
        if plan.is_calm() {
            hold(status.is_clean(), || format!("end {end}: {status:?}"))?;
        }
        // A failure may cross a Close frame on a link that breaks.
        let is_orderly = plan.oversize.is_none() && !broken;
        if is_orderly && status.is_clean() && plan.version >= Version::HYBI_07 {
            let code = status.code();
            let is_as_closed = code == CloseCode::NORMAL || code == CloseCode::NO_STATUS;
            hold(is_as_closed, || format!("end {end}: {status:?}"))?;
        }
    }
    let began = seen.each_ref().map(|seen| seen.status.as_ref().and_then(CloseStatus::began_by));
    if plan.is_calm() && plan.closes != [true, true] {
        let who = |closes| Some(if closes { Endpoint::Local } else { Endpoint::Peer });
        let is_told = began == plan.closes.map(who);
        hold(is_told, || format!("{:?} began, and it is told as {began:?}", plan.closes))?;
    }
    hold(broken || began != [Some(Endpoint::Peer); 2], || "each says that the other began".into())
}
