//! The deployment, step by step.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use session_test_servers::{Kind, shared};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::Old;
use crate::process::{Application, Urls};
use crate::serve::{self, OLD_COOKIE, Role};
use crate::visitor::{Balancer, Crowd, Fate, visit};

/// What happened to the visitors.
#[derive(Debug)]
pub(crate) struct Report {
    visitors: usize,
    requests: usize,
    /// Errors and unexpected answers, a sign-out among them.
    faults: Vec<String>,
    /// Visitors whose browser still has the old cookie.
    with_old_cookie: usize,
    /// Users with exactly one session in the new store.
    with_one_session: usize,
}

impl Report {
    pub(crate) fn is_clean(&self) -> bool {
        self.faults.is_empty() && self.with_old_cookie == 0 && self.with_one_session == self.visitors
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "visitors                             {}", self.visitors)?;
        writeln!(f, "requests                             {}", self.requests)?;
        writeln!(f, "signed out, or an unexpected answer  {}", self.faults.len())?;
        writeln!(f, "still with the old cookie            {}", self.with_old_cookie)?;
        write!(f, "with one session in the new store    {}", self.with_one_session)?;
        for fault in self.faults.iter().take(10) {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}

/// Runs the whole deployment with servers of its own.
pub(crate) fn run(old: Old, visitors: usize) -> Result<Report, Box<dyn Error>> {
    let redis = shared(Kind::Redis);
    let postgres = (old == Old::TowerPostgres).then(|| shared(Kind::Postgres));
    let urls = Urls {
        redis: redis.url().to_owned(),
        postgres: postgres.as_ref().map(|server| server.url().to_owned()).unwrap_or_default(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(deploy(old, visitors, &urls))
}

async fn deploy(old: Old, visitors: usize, urls: &Urls) -> Result<Report, Box<dyn Error>> {
    step("the old application starts, and visitors sign in");
    let replaced = Application::start(old, Role::Old, urls).await?;
    let crowd = Crowd {
        http: Client::builder(TokioExecutor::new()).build_http(),
        balancer: Balancer::default(),
        at_once: Semaphore::new(AT_ONCE),
        requests: AtomicUsize::new(0),
        stop: false.into(),
    };
    crowd.balancer.old.store(replaced.port, SeqCst);
    let crowd = Arc::new(crowd);
    let mut people = People::arrive(visitors, &crowd);
    people.rounds(2).await;

    step("the new application starts beside it");
    let new = Application::start(old, Role::Importing, urls).await?;
    crowd.balancer.new.store(new.port, SeqCst);
    for percent in [5, 50, 100] {
        step(&format!("{percent} % of the visitors are sent to it"));
        crowd.balancer.percent.store(percent, SeqCst);
        people.rounds(2).await;
    }

    step("the old application is removed");
    replaced.stop().await?;
    people.rounds(2).await;

    step("the new application is replaced by one without the importer");
    let last = Application::start(old, Role::New, urls).await?;
    crowd.balancer.new.store(last.port, SeqCst);
    people.rounds(2).await;
    new.stop().await?;
    people.rounds(2).await;

    crowd.stop.store(true, SeqCst);
    let fates = people.leave().await?;
    let with_one_session = serve::users_with_one_session(urls, visitors).await?;
    last.stop().await?;
    Ok(Report {
        visitors,
        requests: crowd.requests.load(SeqCst),
        with_old_cookie: fates
            .iter()
            .filter(|fate| fate.cookies.iter().any(|name| name == OLD_COOKIE))
            .count(),
        faults: fates.into_iter().flat_map(|fate| fate.faults).collect(),
        with_one_session,
    })
}

/// The visitors' tasks, and how many rounds each has made.
struct People {
    tasks: Vec<(JoinHandle<Fate>, Arc<AtomicUsize>)>,
}

impl People {
    fn arrive(count: usize, crowd: &Arc<Crowd>) -> Self {
        let arrive = |number| {
            let rounds = Arc::new(AtomicUsize::new(0));
            (tokio::spawn(visit(number, Arc::clone(crowd), Arc::clone(&rounds))), rounds)
        };
        Self { tasks: (0..count).map(arrive).collect() }
    }

    /// Waits until each visitor has made so many rounds more, or has left.
    async fn rounds(&mut self, more: usize) {
        let goals: Vec<_> = self.tasks.iter().map(|(_, rounds)| rounds.load(SeqCst) + more).collect();
        for ((task, rounds), goal) in self.tasks.iter().zip(goals) {
            while rounds.load(SeqCst) < goal && !task.is_finished() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }

    async fn leave(self) -> Result<Vec<Fate>, Box<dyn Error>> {
        let mut fates = Vec::new();
        for (task, _) in self.tasks {
            fates.push(task.await?);
        }
        Ok(fates)
    }
}

fn step(what: &str) {
    eprintln!("{what} …");
}

/// How many visitors have requests in flight at the same time.
const AT_ONCE: usize = 64;
