//! The users of the application: each has a few browsers, and in the end signs out everywhere.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::browser::Browser;
use super::oracle::{Answer, Event, Heard, Oracle, Violation};
use super::wire::{Ask, Reply, Request};
use crate::random::Random;

/// What the browsers use: one process or several.
pub(crate) trait Application: Sync {
    /// Returns a process that runs, by a number at random.
    fn pick(&self, chance: u64) -> usize;

    fn answer(&self, process: usize, request: Request) -> impl Future<Output = Reply> + Send;
}

/// The application, the oracle, and the sessions that have ended.
pub(crate) struct World<A> {
    application: A,
    oracle: Mutex<Oracle>,
    /// Their cookies are tried again later.
    ended: Mutex<VecDeque<Known>>,
    violations: Mutex<Vec<Violation>>,
    numbers: AtomicU64,
    begun: Instant,
    seed: u64,
    /// The longest time between two actions of a browser.
    pause: Duration,
    /// After this time nobody does anything new.
    length: Duration,
}

/// A session as its browser knows it.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) user: u64,
    pub(crate) session: u64,
    /// The cookie of the sign-in, and that of each new id.
    pub(crate) cookies: Vec<String>,
}

impl<A: Application> World<A> {
    pub(crate) fn new(application: A, seed: u64, pause: Duration, length: Duration) -> Self {
        Self {
            application,
            oracle: Mutex::default(),
            ended: Mutex::default(),
            violations: Mutex::default(),
            numbers: AtomicU64::new(1),
            begun: Instant::now(),
            seed,
            pause,
            length,
        }
    }

    pub(crate) fn application(&self) -> &A {
        &self.application
    }

    /// Returns how long it has lasted.
    pub(crate) fn age(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Returns whether the time is over.
    pub(crate) fn is_over(&self) -> bool {
        self.age() >= self.length
    }

    /// Lives the life of one user, whom no other call has: from the first sign-in until no session is left.
    pub(crate) async fn live(&self, user: u64) {
        let browsers = (0..BROWSERS).map(|number| Browser::new(self, user, number).run());
        let sessions = join_all(browsers).await.concat();
        let mut random = self.random(user, BROWSERS);
        while self.sign_out_everywhere(user, &mut random).await != Answer::Done {
            self.rest(&mut random).await;
        }
        for known in sessions {
            self.try_each_cookie(&known, &mut random).await;
            self.bury(known, &mut random).await;
        }
        lock(&self.oracle).leave(user);
    }

    /// Tries the cookies of all ended sessions once more.
    pub(crate) async fn try_all_ended(&self) {
        let mut random = self.random(0, BROWSERS);
        loop {
            let Some(known) = lock(&self.ended).pop_front() else { return };
            self.try_each_cookie(&known, &mut random).await;
            lock(&self.oracle).forget(known.user, known.session);
        }
    }

    /// Keeps an ended session, and tries the one that has been kept for longest.
    async fn bury(&self, known: Known, random: &mut Random) {
        let oldest = {
            let mut ended = lock(&self.ended);
            ended.push_back(known);
            if ended.len() > ENDED { ended.pop_front() } else { None }
        };
        if let Some(known) = oldest {
            self.try_each_cookie(&known, random).await;
            lock(&self.oracle).forget(known.user, known.session);
        }
    }

    /// Reads under every cookie that the session ever had.
    pub(crate) async fn try_each_cookie(&self, known: &Known, random: &mut Random) {
        for cookie in 0..known.cookies.len() {
            self.ask(known, cookie, Ask::Read, random.below(u64::MAX)).await;
        }
    }

    /// Begins a session, unless the answer fails to come.
    pub(crate) async fn sign_in(&self, user: u64, random: &mut Random) -> Option<Known> {
        let session = self.number();
        let mut known = Known { user, session, cookies: Vec::new() };
        match self.ask(&known, 0, Ask::SignIn(session), random.below(u64::MAX)).await {
            (Answer::Done, Some(cookie)) => {
                known.cookies.push(cookie);
                Some(known)
            }
            _ => {
                lock(&self.oracle).forget(user, session);
                None
            }
        }
    }

    pub(crate) async fn sign_out_everywhere(&self, user: u64, random: &mut Random) -> Answer {
        let nobody = Known { user, session: 0, cookies: Vec::new() };
        self.ask(&nobody, 0, Ask::SignOutEverywhere, random.below(u64::MAX)).await.0
    }

    /// Sends one request with this cookie of the session. Returns the answer, and the cookie that it sets.
    pub(crate) async fn ask(
        &self,
        known: &Known,
        cookie: usize,
        ask: Ask,
        chance: u64,
    ) -> (Answer, Option<String>) {
        let process = self.application.pick(chance);
        let ticket = {
            let mut oracle = lock(&self.oracle);
            let (invoked, answer) = (self.now(), Answer::Unknown);
            let event = Event { process, cookie, ask, invoked, returned: None, answer };
            oracle.sent(known.user, known.session, event)
        };
        let request = Request { user: known.user, cookie: known.cookies.get(cookie).cloned(), ask };
        let (answer, set) = match self.application.answer(process, request).await {
            Reply::Done(set) => (Answer::Done, set.as_deref().and_then(pair)),
            Reply::Shown(shown) => (Answer::Shown(shown), None),
            Reply::Dead => (Answer::Dead, None),
            Reply::Failed => (Answer::Unknown, None),
            Reply::Wrong(reason) => (Answer::Wrong(reason), None),
        };
        let violation = {
            let mut oracle = lock(&self.oracle);
            oracle.answered(ticket, answer.clone(), self.now())
        };
        if let Some(violation) = violation {
            let mut violations = lock(&self.violations);
            if violations.len() < SHOWN {
                print!("{violation}");
            }
            violations.push(violation);
        }
        (answer, set)
    }

    /// Pauses for a time at random.
    pub(crate) async fn rest(&self, random: &mut Random) {
        match u64::try_from(self.pause.as_millis()) {
            Ok(most @ 1..) => tokio::time::sleep(Duration::from_millis(random.below(most))).await,
            _ => tokio::task::yield_now().await,
        }
    }

    /// Returns a number that nothing else in this world has.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Relaxed)
    }

    /// Returns the sequence of one browser.
    pub(crate) fn random(&self, user: u64, browser: u64) -> Random {
        Random::new(self.seed ^ (user << 24) ^ (browser << 56))
    }

    pub(crate) fn heard(&self) -> Heard {
        lock(&self.oracle).heard()
    }

    pub(crate) fn violations(&self) -> Vec<Violation> {
        lock(&self.violations).clone()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.age().as_micros()).unwrap_or(u64::MAX)
    }
}

/// The name and the value of a cookie that is set.
fn pair(set_cookie: &str) -> Option<String> {
    set_cookie.split(';').next().map(str::to_owned)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Of one user.
const BROWSERS: u64 = 3;
/// How many ended sessions are kept until their cookies are tried again.
const ENDED: usize = 200;
/// How many violations are printed.
const SHOWN: usize = 5;
