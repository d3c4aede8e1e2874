//! Threads that answer what the screens ask. In each lane one question is answered at a time; of those that
//! wait, a newer one takes the place of an older one of its slot, unless it changes something.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use super::ask::{Ask, Lane, Reply, Trouble, act};
use super::{Desk, Event, threads};

/// The ways to the threads.
pub struct Lanes {
    lanes: Vec<(Lane, Sender<Ask>)>,
}

impl Lanes {
    /// Starts them; they end with this process.
    pub fn start(desk: &Arc<Desk>, events: &Sender<Event>) -> Self {
        let all = [Lane::Store, Lane::Lists, Lane::Act, Lane::Files, Lane::Queue];
        let start = |lane| {
            let (ask, asked) = channel();
            let (desk, answers) = (Arc::clone(desk), events.clone());
            threads::start(events, move || serve(&desk, &asked, &answers));
            (lane, ask)
        };
        Lanes { lanes: all.into_iter().map(start).collect() }
    }

    /// Sends a question on its way.
    pub fn ask(&self, ask: &Ask) {
        let lane = ask.slot().0;
        for (_, way) in self.lanes.iter().filter(|(own, _)| *own == lane) {
            // A thread that has died has said so.
            let _ = way.send(ask.clone());
        }
    }
}

fn serve(desk: &Desk, asked: &Receiver<Ask>, events: &Sender<Event>) {
    let mut waiting: VecDeque<Ask> = VecDeque::new();
    while let Some(ask) = next(asked, &mut waiting, events) {
        let begun = Instant::now();
        let answer = ask.answer(desk).map_err(|error| Trouble::of(&error));
        let reply = Reply { ask, answer, took: begun.elapsed() };
        if events.send(Event::Reply(Box::new(reply))).is_err() {
            return;
        }
    }
}

/// The next question; none when nobody asks any more.
fn next(asked: &Receiver<Ask>, waiting: &mut VecDeque<Ask>, events: &Sender<Event>) -> Option<Ask> {
    if waiting.is_empty() {
        waiting.push_back(asked.recv().ok()?);
    }
    for ask in asked.try_iter() {
        let old = waiting.iter_mut().find(|old| ask.slot() != act::Ask::CARRY_OUT && old.slot() == ask.slot());
        match old {
            Some(old) => {
                let late = std::mem::replace(old, ask);
                let _ = events.send(Event::Dropped(late.slot()));
            }
            None => waiting.push_back(ask),
        }
    }
    waiting.pop_front()
}
