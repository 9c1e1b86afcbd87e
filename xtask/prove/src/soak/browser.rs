//! One browser of a user: it signs in, sends requests in several tabs at once, and signs out.

use futures_util::future::join_all;

use super::oracle::Answer;
use super::wire::Ask;
use super::world::{Application, Known, World};
use crate::random::Random;

pub(crate) struct Browser<'w, A> {
    world: &'w World<A>,
    user: u64,
    random: Random,
    /// In which round it ends all sessions of the user, if it does.
    everywhere: Option<u64>,
    session: Option<Known>,
    /// Whether it goes on signing out until that is acknowledged.
    leaving: bool,
    writes: u64,
    /// All sessions that it had.
    had: Vec<Known>,
}

impl<'w, A: Application> Browser<'w, A> {
    pub(crate) fn new(world: &'w World<A>, user: u64, number: u64) -> Self {
        let mut random = world.random(user, number);
        let everywhere = (number == 0).then(|| random.below(2 * ROUNDS));
        Self { world, user, random, everywhere, session: None, leaving: false, writes: 0, had: Vec::new() }
    }

    /// Goes through all rounds, or as many as there is time for. Returns the sessions that it had.
    pub(crate) async fn run(mut self) -> Vec<Known> {
        for round in (0..ROUNDS).take_while(|_| !self.world.is_over()) {
            if self.everywhere == Some(round) {
                self.world.sign_out_everywhere(self.user, &mut self.random).await;
            }
            match self.session.take() {
                None => {
                    self.session = self.world.sign_in(self.user, &mut self.random).await;
                    (self.leaving, self.writes) = (false, 0);
                }
                Some(known) => self.session = self.use_tabs(known).await,
            }
            self.world.rest(&mut self.random).await;
        }
        self.had.extend(self.session);
        self.had
    }

    /// Sends one to three requests at once. Returns the session unless it is over.
    async fn use_tabs(&mut self, mut known: Known) -> Option<Known> {
        let newest = known.cookies.len() - 1;
        let mut tabs: Vec<(usize, Ask, u64)> = Vec::new();
        for _ in 0..1 + self.random.below(3) {
            let (cookie, ask) = self.choose(newest);
            // The browser has to know which new id is the last.
            let renews_again = ask == Ask::Renew && tabs.iter().any(|(_, other, _)| *other == Ask::Renew);
            let ask = if renews_again { Ask::Read } else { ask };
            tabs.push((cookie, ask, self.random.below(u64::MAX)));
        }
        let asked = tabs.iter().map(|&(cookie, ask, chance)| self.world.ask(&known, cookie, ask, chance));
        let answers = join_all(asked).await;
        let (mut is_over, mut renewed) = (false, None);
        for ((cookie, ask, _), (answer, set)) in tabs.into_iter().zip(answers) {
            match (ask, answer) {
                (Ask::Renew, Answer::Done) => renewed = set,
                (Ask::SignOut, Answer::Unknown) => self.leaving = true,
                (Ask::SignOut, Answer::Done) => is_over = true,
                (_, Answer::Dead) if cookie == newest => is_over = true,
                _ => {}
            }
        }
        if let Some(cookie) = renewed {
            // The session may be alive under its new id, whatever the other tabs were answered.
            known.cookies.push(cookie);
            return Some(known);
        }
        if !is_over {
            return Some(known);
        }
        self.world.try_each_cookie(&known, &mut self.random).await;
        self.had.push(known);
        None
    }

    fn choose(&mut self, newest: usize) -> (usize, Ask) {
        if self.leaving || self.writes > MOST_WRITES {
            return (newest, Ask::SignOut);
        }
        match self.random.below(100) {
            0..50 => {
                self.writes += 1;
                (newest, Ask::Write(self.world.number()))
            }
            50..88 => (newest, Ask::Read),
            88..92 => (self.random.below(newest as u64 + 1) as usize, Ask::Read),
            92..99 => (newest, Ask::Renew),
            _ => (newest, Ask::SignOut),
        }
    }
}

/// Of one browser, from its first sign-in to the end of the user.
const ROUNDS: u64 = 150;
/// To one session.
const MOST_WRITES: u64 = 60;
