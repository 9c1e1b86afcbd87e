//! The adapter, whole: what `docs/new-framework.md` explains line by line.

use std::io::Cursor;
use std::sync::LazyLock;

use session_core::{
    Sessions,
    adapter::{BoxFuture, CookieHeaders, Failure, HeaderChange, Served, Spawn, Visit, VisitReport},
};
use tiny_http::{Header, Request, Response};
use tokio::runtime::Runtime;

/// A page of this server.
pub(crate) type Page = Response<Cursor<Vec<u8>>>;

/// Answers one request: gives the handler its visit, and settles it when the page is ready.
pub(crate) fn answer(
    sessions: &Sessions,
    request: &Request,
    handler: impl AsyncFnOnce(Visit) -> Page,
) -> Page {
    let cookies = request.headers().iter().filter(|header| header.field.equiv("cookie"));
    let cookies: CookieHeaders = cookies.map(|header| header.value.as_bytes()).collect();
    let guard = sessions.visit(cookies, &Background);
    let visit = guard.visit().clone();
    let serving = guard.serve(handler(visit), |page| page.status_code().0);
    let Served { answer, report } = RUNTIME.block_on(serving);
    let page = answer.unwrap_or_else(|refused| plain(refused.failure));
    with_headers(page, &report)
}

/// A failure's page: a status and nothing else.
pub(crate) fn plain(failure: Failure) -> Page {
    let page = Response::from_data([]).with_status_code(failure.status());
    match Header::from_bytes("cache-control", "no-store") {
        Ok(header) => page.with_header(header),
        Err(()) => page,
    }
}

fn with_headers(page: Page, report: &VisitReport) -> Page {
    let mut headers = page.headers().to_vec();
    let changes = report.headers(|name| {
        page.headers()
            .iter()
            .filter(move |header| header.field.equiv(name))
            .map(|header| header.value.as_bytes())
    });
    for change in changes.into_iter().flatten() {
        let (HeaderChange::Append(name, value) | HeaderChange::Replace(name, value)) = change;
        if let HeaderChange::Replace(..) = change {
            headers.retain(|header| !header.field.equiv(name));
        }
        headers.extend(Header::from_bytes(name, value));
    }
    let (status, length) = (page.status_code(), page.data_length());
    Response::new(status, headers, page.into_reader(), length, None)
}

/// Where the write of a request goes on whose handler panicked.
#[derive(Debug)]
struct Background;

impl Spawn for Background {
    fn spawn(&self, future: BoxFuture<()>) {
        RUNTIME.spawn(future);
    }
}

/// The stores' drivers are async and want tokio; this server's threads are not, and wait.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().expect("the system gives a thread")
});
