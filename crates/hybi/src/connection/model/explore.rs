//! The explorer: every order of a world's actions, each state of it once.
//!
//! A connection cannot be copied, so that a state is kept as the actions which lead to it, and made again
//! by taking them. Shortest ways come first: what breaks a promise is shown by as few actions as can be.

use core::fmt;
use std::collections::{BTreeSet, HashMap, VecDeque, hash_map::Entry};

/// What is explored.
pub(super) trait World {
    type Action: Copy + fmt::Debug;

    /// The name of what it does, whoever does it.
    fn name(action: Self::Action) -> String;

    /// What can happen next.
    fn actions(&self) -> Vec<Self::Action>;

    /// Lets it happen.
    fn take(&mut self, action: Self::Action);

    /// Notes what others see, for promises about what changes.
    fn look(&mut self);

    /// All that what can happen from here depends on, and what promises are judged by.
    fn digest(&self) -> u64;

    /// The promise that is broken here, in words.
    fn broken(&self) -> Option<String>;

    /// Whether nothing is waited for any more.
    fn is_over(&self) -> bool;

    /// The cells of the table of states that are occupied here.
    fn cells(&self) -> Vec<Cell>;
}

/// The row and the column of the table in `state.rs`.
pub(super) type Cell = (&'static str, &'static str);

/// What was found on the way.
#[derive(Debug)]
pub(super) struct Explored {
    pub(super) states: usize,
    /// Actions taken, one from each state for each that can happen there.
    pub(super) steps: usize,
    /// How many orders there are from the first state to one of those.
    pub(super) orders: u128,
    /// How many actions the longest of them has.
    pub(super) longest: u32,
    /// The kinds of actions that were taken, without whose they are.
    pub(super) actions: BTreeSet<String>,
    pub(super) cells: BTreeSet<Cell>,
}

/// How a state is reached first.
struct Node<A> {
    from: Option<(usize, A)>,
    next: Vec<usize>,
}

struct Graph<A>(Vec<Node<A>>);

impl<A: Copy + fmt::Debug> Graph<A> {
    fn way_to(&self, mut node: usize) -> Vec<A> {
        let mut way = Vec::new();
        while let Some((before, action)) = self.0[node].from {
            way.push(action);
            node = before;
        }
        way.reverse();
        way
    }

    /// How many ways lead from the first node to an end, and how long the longest is; `None` if one goes
    /// round for ever.
    fn orders(&self) -> Option<(u128, u32)> {
        let mut arriving = vec![0_u32; self.0.len()];
        for &next in self.0.iter().flat_map(|node| &node.next) {
            arriving[next] += 1;
        }
        let mut ways = vec![(0_u128, 0_u32); self.0.len()];
        ways[0].0 = 1;
        let (mut ready, mut sorted) = (vec![0], 0);
        let (mut orders, mut longest) = (0, 0);
        while let Some(node) = ready.pop() {
            sorted += 1;
            let (count, len) = ways[node];
            if self.0[node].next.is_empty() {
                orders += count;
                longest = longest.max(len);
            }
            for &next in &self.0[node].next {
                ways[next] = (ways[next].0 + count, ways[next].1.max(len + 1));
                arriving[next] -= 1;
                if arriving[next] == 0 {
                    ready.push(next);
                }
            }
        }
        (sorted == self.0.len()).then_some((orders, longest))
    }
}

/// How many worlds are kept as they are for when their turn comes, rather than made again.
const KEPT: usize = 10_000;

/// Explores all that can become of the world that `make` makes, each time the same.
pub(super) fn explore<W: World>(make: impl Fn() -> W) -> Explored {
    let mut graph = Graph(vec![Node { from: None, next: Vec::new() }]);
    let mut known = HashMap::from([(make().digest(), 0)]);
    let mut steps = 0;
    let (mut kinds, mut cells) = (BTreeSet::new(), BTreeSet::new());
    let mut waiting = VecDeque::from([(0, None)]);
    while let Some((at, world)) = waiting.pop_front() {
        let way = graph.way_to(at);
        let reach = || {
            let mut world = make();
            way.iter().for_each(|&action| world.take(action));
            world
        };
        let mut world = Some(world.unwrap_or_else(reach));
        let actions = world.iter().flat_map(World::actions).collect::<Vec<_>>();
        if let (true, Some(world)) = (actions.is_empty(), &world) {
            assert!(world.is_over(), "somebody waits for ever: {way:?}");
        }
        for action in actions {
            let mut world = world.take().unwrap_or_else(reach);
            world.look();
            world.take(action);
            world.look();
            steps += 1;
            if let Some(promise) = world.broken() {
                panic!("{promise}: {way:?}, {action:?}");
            }
            let reached = match known.entry(world.digest()) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(new) => {
                    let reached = *new.insert(graph.0.len());
                    graph.0.push(Node { from: Some((at, action)), next: Vec::new() });
                    cells.extend(world.cells());
                    waiting.push_back((reached, (waiting.len() < KEPT).then_some(world)));
                    reached
                }
            };
            kinds.insert(W::name(action));
            graph.0[at].next.push(reached);
        }
    }
    let (orders, longest) = graph.orders().expect("whatever happens, it ends");
    let states = graph.0.len();
    Explored { states, steps, orders, longest, actions: kinds, cells }
}
