//! The attackers: some of each kind, over and over. Each goes on until the server lets it go, unless the attack is to
//! leave before.

use core::{
    fmt::Write as _,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use std::sync::{Arc, Mutex, PoisonError};

use hybi_trials::part::obey;
use tokio::{runtime, sync::watch, task::JoinHandle, time};

use crate::{
    attacks::{Attack, NotOpened},
    sockets::Target,
};

/// How many there are of each kind at any time.
const EACH: usize = 2;

/// Between two attacks of the same attacker.
const PAUSE: Duration = Duration::from_millis(100);

/// Beyond every deadline of the server together: who is still connected then was forgotten.
const LET_GO: Duration = Duration::from_secs(60);

struct Seen {
    done: Vec<AtomicUsize>,
    errors: Mutex<Vec<String>>,
}

pub(crate) fn run(target: &Target) {
    let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let done = Attack::ALL.iter().map(|_| AtomicUsize::new(0)).collect();
    let seen = Arc::new(Seen { done, errors: Mutex::default() });
    let (go, going) = watch::channel(false);
    let mut tasks: Vec<JoinHandle<()>> = Vec::new();
    obey(|command| match command {
        "go" => {
            go.send_replace(true);
            for at in (0..Attack::ALL.len()).flat_map(|at| [at; EACH]) {
                let (target, seen, going) = (target.clone(), Arc::clone(&seen), going.clone());
                tasks.push(runtime.spawn(work(at, target, seen, going)));
            }
            "gone".into()
        }
        "stop" => {
            go.send_replace(false);
            for task in tasks.drain(..) {
                runtime.block_on(task).expect("no panic");
            }
            "stopped".into()
        }
        "kinds" => {
            let done = |count: &&AtomicUsize| count.load(Ordering::Relaxed) > 0;
            format!("{} {}", seen.done.iter().filter(done).count(), Attack::ALL.len())
        }
        "errors" => {
            let errors = seen.errors.lock().unwrap_or_else(PoisonError::into_inner);
            let mut report = errors.len().to_string();
            for error in errors.iter().take(5) {
                let _ = write!(report, "; {error}");
            }
            report
        }
        "report" => {
            let counts = Attack::ALL.iter().zip(&seen.done);
            let counts: Vec<_> = counts
                .map(|(attack, count)| format!("{} {attack:?}", count.load(Ordering::Relaxed)))
                .collect();
            counts.join(", ")
        }
        other => panic!("{other} is no command"),
    });
}

async fn work(at: usize, target: Target, seen: Arc<Seen>, going: watch::Receiver<bool>) {
    let attack = Attack::ALL[at];
    while *going.borrow() {
        let failed = match time::timeout(LET_GO, attack.run(&target)).await {
            Err(_) => Some("not let go".to_owned()),
            Ok(Err(error)) => error
                .get_ref()
                .and_then(|error| error.downcast_ref::<NotOpened>())
                .map(ToString::to_string),
            Ok(Ok(())) => None,
        };
        if let Some(why) = failed {
            let mut errors = seen.errors.lock().unwrap_or_else(PoisonError::into_inner);
            errors.push(format!("{attack:?}: {why}"));
        } else {
            seen.done[at].fetch_add(1, Ordering::Relaxed);
        }
        time::sleep(PAUSE).await;
    }
}
