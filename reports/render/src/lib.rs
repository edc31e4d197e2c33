//! squall's reports: one HTML file, charts as SVG and PNG, tables as CSV, summaries as JSON, Markdown,
//! text, JUnit XML and OpenMetrics, and distributions as HdrHistogram's tools read them.
//!
//! Everything is made from a [`squall_run::Run`] and nothing else: what a report shows is in its run
//! file. `section` decides what is shown, `chart` how data becomes a picture, `html`, `markdown`
//! and `text` how it looks; only `write` and `stage` touch the disk.

mod bench_suite;
mod chart;
mod clock;
mod compare;
mod hdr;
mod html;
mod junit;
mod markdown;
mod on_links;
mod open_metrics;
mod rate_search;
mod report_error;
mod section;
mod stage;
mod table;
mod text;
mod tile;
mod verdict;
mod violations;
mod wrap;
mod write;
mod write_bench_suite;
mod write_comparison;
mod write_rate_search;
mod write_runs;
mod write_trends;

pub use chart::ChartError;
pub use compare::{figure_line, terminal_comparison};
pub use html::{page_style, policy_source};
pub use junit::{TestSuite, WithoutVerdict};
pub use markdown::markdown_summary;
pub use open_metrics::{
    Family as MetricFamily, Sample as MetricSample, of_figures as figure_metrics,
    open_metrics_text, sample as metric_sample,
};
pub use rate_search::{RateSearch, RateStep, RateTarget};
pub use report_error::ReportError;
pub use stage::PAGE as REPORT_PAGE;
pub use text::{Colours, Screen, terminal_summary};
pub use wrap::{Margins, wrapped};
pub use write::{Written, check_folder, summary_line, write_report};
pub use write_bench_suite::{BENCH_SUITE_PAGE, write_bench_suite};
pub use write_comparison::{comparison_line, write_comparison};
pub use write_rate_search::{check_bench_folder, write_rate_search};
pub use write_runs::{RUNS_FILE, RUNS_PAGE, write_runs};
pub use write_trends::{INDEX_PAGE, write_trends};
