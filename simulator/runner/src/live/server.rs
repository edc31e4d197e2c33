//! The server's thread: keeps the board, tells pages, and answers who asks for figures or the report.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use futures_util::{Stream, stream};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::address::is_own_host;
use super::board::{Board, Told};
use super::metrics_text::metrics_text;
use super::news::News;
use super::page::Page;
use super::report_files;

/// Events that a page may be behind; one that is further behind gets everything anew.
const EVENTS_MAX: usize = 64;
/// How long answers that are under way may take when the server ends.
const FAREWELL_MAX: Duration = Duration::from_secs(2);
/// What a report may load: nothing but what is in it. Its page says the same of itself, with its script.
const REPORT_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src 'self' data:; sandbox";
/// The media type of OpenMetrics 1.0.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is served at one address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Serves {
    /// The page with its events and the report.
    Page,
    /// `/metrics`.
    Metrics,
    /// Both.
    Both,
}

/// Who is there.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Visits {
    /// Pages that hear events.
    pub pages: usize,
    /// Pages that were told to go to the report and have not asked for it.
    pub awaited: usize,
    /// Whether pages were told that the runs are over.
    pub has_ended: bool,
}

/// What all answers are made from.
struct Shared {
    board: Mutex<Board>,
    told: broadcast::Sender<Told>,
    visits: watch::Sender<Visits>,
    stop: watch::Receiver<bool>,
    page: Page,
}

/// What the server is told by.
pub struct Orders {
    /// What happens.
    pub news: mpsc::Receiver<News>,
    /// Becomes true when the server is to end.
    pub stop: watch::Receiver<bool>,
    /// Where it tells who is there.
    pub visits: watch::Sender<Visits>,
}

/// Serves at these addresses until it is told to stop.
pub async fn serve(listeners: Vec<(TcpListener, Serves)>, orders: Orders) -> std::io::Result<()> {
    let Orders {
        mut news,
        stop,
        visits,
    } = orders;
    let shared = Arc::new(Shared {
        board: Mutex::default(),
        told: broadcast::channel(EVENTS_MAX).0,
        visits,
        stop: stop.clone(),
        page: Page::new(),
    });
    let mut servers = JoinSet::new();
    for (listener, serves) in listeners {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let routes = routes(serves, Arc::clone(&shared));
        let mut stop = stop.clone();
        let stopped = async move {
            // The other end goes only with the command.
            let _ = stop.wait_for(|is_over| *is_over).await;
        };
        servers.spawn(async move {
            axum::serve(listener, routes)
                .with_graceful_shutdown(stopped)
                .await
        });
    }
    let mut stop = stop;
    loop {
        tokio::select! {
            Some(news) = news.recv() => shared.hear(news),
            _ = stop.wait_for(|is_over| *is_over) => break,
        }
    }
    // Who keeps a connection open does not keep the command.
    let _ = timeout(FAREWELL_MAX, servers.join_all()).await;
    Ok(())
}

impl Shared {
    /// Nothing is awaited while it is locked.
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().expect("no answer panics with the board")
    }

    fn hear(&self, news: News) {
        let is_end = matches!(news, News::End);
        let mut board = self.board();
        let all = board.hear(news);
        let has_report = board.report().is_some();
        if is_end {
            self.visits.send_modify(|visits| {
                visits.has_ended = true;
                visits.awaited = if has_report { visits.pages } else { 0 };
            });
        }
        for told in all {
            // There may be no page.
            let _ = self.told.send(told);
        }
    }
}

fn routes(serves: Serves, shared: Arc<Shared>) -> Router {
    let page = Router::new()
        .route("/", get(page))
        .route("/events", get(events))
        .route("/report", get(|| async { Redirect::permanent("/report/") }))
        .route("/report/", get(report))
        .route("/report/{*file}", get(report_file));
    let metrics = Router::new().route("/metrics", get(metrics));
    let routes = match serves {
        Serves::Page => page,
        Serves::Metrics => metrics,
        Serves::Both => page.merge(metrics),
    };
    routes.layer(from_fn(guarded)).with_state(shared)
}

/// Refuses to answer a page of another site whose name points here, and says what holds of every answer.
async fn guarded(request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    if !is_own_host(host) {
        let why = "squall answers to an IP address or to localhost, not to another name\n";
        return (StatusCode::MISDIRECTED_REQUEST, why).into_response();
    }
    let mut response = next.run(request).await;
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-store"),
    ] {
        response
            .headers_mut()
            .insert(name, value.parse().expect("it is a header's value"));
    }
    response
}

async fn page(State(shared): State<Arc<Shared>>) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (CONTENT_SECURITY_POLICY, shared.page.policy.clone()),
    ];
    (headers, shared.page.html.clone()).into_response()
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let text = metrics_text(&shared.board());
    ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response()
}

async fn report(State(shared): State<Arc<Shared>>) -> Response {
    let answer = file(&shared, "").await;
    if answer.status().is_success() {
        shared
            .visits
            .send_modify(|visits| visits.awaited = visits.awaited.saturating_sub(1));
    }
    answer
}

async fn report_file(State(shared): State<Arc<Shared>>, Path(asked): Path<String>) -> Response {
    file(&shared, &asked).await
}

async fn file(shared: &Shared, asked: &str) -> Response {
    let folder = shared.board().report().map(std::path::Path::to_owned);
    let Some(folder) = folder else {
        return (StatusCode::NOT_FOUND, "there is no report yet\n").into_response();
    };
    let found = report_files::find(&folder, asked);
    let read = found.and_then(|found| Some((found.media_type, std::fs::read(&found.path).ok()?)));
    let Some((media_type, bytes)) = read else {
        return (StatusCode::NOT_FOUND, "the report has no such file\n").into_response();
    };
    let mut headers: Vec<(HeaderName, &str)> = vec![(CONTENT_TYPE, media_type)];
    if !media_type.starts_with("text/html") {
        headers.push((CONTENT_SECURITY_POLICY, REPORT_POLICY));
    }
    let mut answer = bytes.into_response();
    for (name, value) in headers {
        answer
            .headers_mut()
            .insert(name, value.parse().expect("it is a header's value"));
    }
    answer
}

async fn events(
    State(shared): State<Arc<Shared>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let hearing = Hearing::begin(shared);
    let events = stream::unfold(hearing, |mut hearing| async {
        let told = hearing.next().await?;
        let event = Event::default().event(told.event).data(&*told.data);
        Some((Ok(event), hearing))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

/// One page that hears events.
struct Hearing {
    shared: Arc<Shared>,
    /// What it is told next.
    queue: VecDeque<Told>,
    further: broadcast::Receiver<Told>,
    stop: watch::Receiver<bool>,
}

impl Hearing {
    fn begin(shared: Arc<Shared>) -> Self {
        let stop = shared.stop.clone();
        let (queue, further) = {
            // Both while the board is locked: nothing is told twice, and nothing is left out.
            let board = shared.board();
            shared.visits.send_modify(|visits| visits.pages += 1);
            (board.whole(), shared.told.subscribe())
        };
        Self {
            queue: queue.into(),
            further,
            stop,
            shared,
        }
    }

    async fn next(&mut self) -> Option<Told> {
        if let Some(told) = self.queue.pop_front() {
            return Some(told);
        }
        let heard = tokio::select! {
            heard = self.further.recv() => heard,
            _ = self.stop.wait_for(|is_over| *is_over) => return None,
        };
        match heard {
            Ok(told) => Some(told),
            Err(broadcast::error::RecvError::Closed) => None,
            Err(broadcast::error::RecvError::Lagged(_)) => {
                let board = self.shared.board();
                self.further = self.shared.told.subscribe();
                self.queue = board.whole().into();
                drop(board);
                self.queue.pop_front()
            }
        }
    }
}

impl Drop for Hearing {
    fn drop(&mut self) {
        self.shared
            .visits
            .send_modify(|visits| visits.pages = visits.pages.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::news::Over;

    fn shared() -> (Arc<Shared>, watch::Sender<bool>) {
        let (stopping, stop) = watch::channel(false);
        let shared = Shared {
            board: Mutex::default(),
            told: broadcast::channel(EVENTS_MAX).0,
            visits: watch::channel(Visits::default()).0,
            stop,
            page: Page::new(),
        };
        (Arc::new(shared), stopping)
    }

    fn over(folder: &std::path::Path) -> News {
        News::Over(Over {
            outcome: Some("PASS".to_owned()),
            why: None,
            report: Some(folder.to_owned()),
        })
    }

    /// A command waits for the pages that are open when its runs are over, until each has the report, and for no other.
    #[tokio::test]
    async fn pages_that_are_open_are_awaited_until_they_have_the_report() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("report.html"), "<p>").unwrap();
        let (nobody, _stopping) = shared();
        let (watched, _stopping) = shared();
        let pages = [(); 2].map(|()| Hearing::begin(Arc::clone(&watched)));

        for shared in [&nobody, &watched] {
            shared.hear(over(folder.path()));
            shared.hear(News::End);
        }

        assert_eq!(nobody.visits.borrow().awaited, 0);
        assert!(nobody.visits.borrow().has_ended);
        assert_eq!(watched.visits.borrow().awaited, 2);
        drop(pages);
        assert_eq!(watched.visits.borrow().awaited, 2);
        for left in [1, 0, 0] {
            let answer = report(State(Arc::clone(&watched))).await;
            assert!(answer.status().is_success());
            assert_eq!(watched.visits.borrow().awaited, left);
        }
    }

    /// Where no run has a report, no page is awaited.
    #[tokio::test]
    async fn without_a_report_nothing_is_awaited() {
        let (watched, _stopping) = shared();
        let _page = Hearing::begin(Arc::clone(&watched));

        watched.hear(News::Over(Over::without_verdict("it cannot be reached")));
        watched.hear(News::End);

        assert_eq!(watched.visits.borrow().awaited, 0);
        assert_eq!(report(State(watched)).await.status(), StatusCode::NOT_FOUND);
    }

    /// A page that is too far behind is told everything anew, and nothing twice.
    #[tokio::test]
    async fn a_page_that_is_behind_is_told_everything_anew() {
        let (watched, _stopping) = shared();
        let mut page = Hearing::begin(Arc::clone(&watched));
        let first = page.next().await.unwrap();
        assert_eq!(first.event, "points");

        for _ in 0..EVENTS_MAX + 5 {
            watched.hear(News::Over(Over::without_verdict("why")));
        }

        let events = [page.next().await, page.next().await].map(|told| told.unwrap().event);
        assert_eq!(events, ["points", "over"]);
        assert!(
            timeout(Duration::from_millis(20), page.next())
                .await
                .is_err()
        );
    }
}
