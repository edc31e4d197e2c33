//! `squall run --live` and `--metrics`: a page that draws the run as it goes, and its figures for Prometheus.
//!
//! The thread with the fleet copies what was counted once a second (`feed`, `look`) and hands it over a bounded channel. All else
//! is done on a thread of its own, at the default priority: it keeps what pages need (`board`, `history`, `point`, `status`), and
//! answers (`server`, `page`, `metrics_text`, `report_files`). Without these options there is neither.
//!
//! Invariants: what is shown are the counters of the run itself, read from books and metrics; nothing is counted here. What is
//! kept for pages is bounded, however long the run is and however slow a page. The command waits for a page only to hand over the
//! report, and for [`REPORT_WAIT_MAX`] at most.

mod address;
mod board;
mod feed;
mod history;
mod look;
mod metrics_text;
mod news;
mod page;
mod point;
mod report_files;
mod server;
mod status;

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::setpriority_process;
use squall_scenario::Scenario;
use tokio::runtime::Builder;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

pub use address::ListenAddress;
pub use feed::Feed;
pub use news::{Head, Over};

use crate::clock::Clock;
use crate::exit::Failure;
use crate::remark::remark;
use news::{NEWS_MAX, News};
use server::{Orders, Serves, Visits, serve};

/// How long the command stays for pages that are to be given the report.
pub const REPORT_WAIT_MAX: Duration = Duration::from_secs(10);

/// How long it stays for them without saying so.
const REMARK_AFTER: Duration = Duration::from_secs(1);

/// The nice value of the server's thread: that of every program.
const NICE: i32 = 0;

/// What is served while a command's runs go on.
pub struct Live {
    news: mpsc::Sender<News>,
    stop: watch::Sender<bool>,
    visits: watch::Receiver<Visits>,
    thread: JoinHandle<()>,
}

/// Where the user wants to see the runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// The page.
    pub page: Option<ListenAddress>,
    /// The metrics.
    pub metrics: Option<ListenAddress>,
}

impl Live {
    /// Listens, says where on standard error, and serves from then on; `None` where nothing is wanted.
    ///
    /// # Errors
    /// An address that cannot be listened on: found out before anything runs.
    pub fn open(wanted: Wanted) -> Result<Option<Self>, Failure> {
        let mut listeners = Vec::new();
        match (wanted.page, wanted.metrics) {
            (None, None) => return Ok(None),
            (Some(page), Some(metrics)) if page == metrics => {
                listeners.push(listen("--live", page, Serves::Both)?);
            }
            (page, metrics) => {
                let page = page.map(|address| listen("--live", address, Serves::Page));
                let metrics = metrics.map(|address| listen("--metrics", address, Serves::Metrics));
                for listener in [page, metrics].into_iter().flatten() {
                    listeners.push(listener?);
                }
            }
        }
        let (news, news_heard) = mpsc::channel(NEWS_MAX);
        let (stop, stopped) = watch::channel(false);
        let (visiting, visits) = watch::channel(Visits::default());
        let orders = Orders {
            news: news_heard,
            stop: stopped,
            visits: visiting,
        };
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("cannot start the event loop of the live page")?;
        let thread = std::thread::Builder::new()
            .name("live".to_owned())
            .spawn(move || {
                // Of this thread alone. To go behind what is measured is always allowed.
                let _ = setpriority_process(None, NICE);
                if let Err(error) = runtime.block_on(serve(listeners, orders)) {
                    remark(&format!("error: the live page is not served: {error}"));
                }
            });
        Ok(Some(Self {
            news,
            stop,
            visits,
            thread: thread.context("cannot start the thread of the live page")?,
        }))
    }

    /// A run begins: what looks at it.
    pub async fn begin(&self, head: Head, scenario: &Rc<Scenario>, clock: Clock) -> Rc<Feed> {
        self.tell(News::Begin(head)).await;
        Rc::new(Feed::new(Rc::clone(scenario), clock, self.news.clone()))
    }

    /// A run is over.
    pub async fn tell_over(&self, over: Over) {
        self.tell(News::Over(over)).await;
    }

    /// There are no more runs: waits until the pages that are open have been given the report, for [`REPORT_WAIT_MAX`] at most and
    /// no longer than until `hurry` resolves, and ends the server.
    pub async fn part(mut self, hurry: impl Future<Output = ()>) {
        self.tell(News::End).await;
        let is_done = |visits: &Visits| visits.has_ended && visits.awaited == 0;
        let visits = &mut self.visits;
        let given = async {
            if timeout(REMARK_AFTER, visits.wait_for(is_done))
                .await
                .is_err()
            {
                remark(&format!(
                    "waiting up to {} s for open pages to take the report; Ctrl-C ends that",
                    REPORT_WAIT_MAX.as_secs()
                ));
                let _ = timeout(REPORT_WAIT_MAX - REMARK_AFTER, visits.wait_for(is_done)).await;
            }
        };
        tokio::select! {
            () = given => {}
            () = hurry => {}
        }
        let _ = self.stop.send(true);
        // It ends within moments of its own accord.
        let _ = self.thread.join();
    }

    async fn tell(&self, news: News) {
        // The thread is there as long as this is.
        let _ = self.news.send(news).await;
    }
}

/// Listens, and says where.
fn listen(
    option: &str,
    wanted: ListenAddress,
    serves: Serves,
) -> Result<(TcpListener, Serves), Failure> {
    let listening = TcpListener::bind(wanted.0).and_then(|listener| {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    });
    let (listener, address) =
        listening.map_err(|error| Failure::Usage(refusal(option, wanted.0, &error)))?;
    match serves {
        Serves::Page => remark(&format!("live page: http://{address}/")),
        Serves::Metrics => remark(&format!("metrics: http://{address}/metrics")),
        Serves::Both => remark(&format!(
            "live page: http://{address}/\nmetrics: http://{address}/metrics"
        )),
    }
    if wanted.is_open() {
        remark(&format!(
            "warning: whoever reaches {address} can read the run and its report: it is not an address of this machine alone"
        ));
    }
    Ok((listener, serves))
}

/// Why an address cannot be listened on, and what to do.
fn refusal(option: &str, address: SocketAddr, error: &std::io::Error) -> String {
    let kind = error.kind();
    if kind == ErrorKind::AddrInUse {
        return format!(
            "{option}: {address} is in use by another process; choose another port, or 0 for any free one"
        );
    }
    if kind == ErrorKind::AddrNotAvailable {
        let ip = address.ip();
        return format!("{option}: {ip} is not an address of this machine; 127.0.0.1 is one");
    }
    if kind == ErrorKind::PermissionDenied {
        return format!(
            "{option}: this user may not listen on {address}; ports from 1024 on are allowed to everyone"
        );
    }
    format!("{option}: cannot listen on {address}: {error}")
}
