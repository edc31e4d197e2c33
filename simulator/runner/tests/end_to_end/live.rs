//! `--live` and `--metrics`: what is told while a run goes on is what its report says at the end.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc;

use serde_json::Value;

use crate::{code_and_errors, run, run_file, squall, text};

/// Some telemetry and a fault, over in a few seconds.
fn scenario(seconds: u32) -> String {
    format!(
        r#"
version = 1
name = "watched"
description = "Is a run seen while it goes on?"
[run]
warmup = "1s"
duration = "{seconds}s"
drain = "1s"
[[group]]
name = "sensors"
count = 10
[[group.publish]]
topic = "t/{{client_id}}"
qos = 1
rate = 200
[[group]]
name = "backend"
count = 2
[[group.subscribe]]
filter = "t/+"
qos = 1
[[fault]]
name = "crash"
at = "1s"
group = "sensors"
select = {{ count = 2 }}
action = "drop"
how = "rst"
[[expect]]
check = "delivery"
qos = 1
lost = 0
duplicated = 5
[[expect]]
check = "connections"
group = "sensors"
refused = 0
[thresholds]
e2e_latency = ["p50 < 10m", "count < 3"]
schedule_lag = ["max < 10m"]
"#
    )
}

/// A run that can be watched.
struct Watched {
    folder: tempfile::TempDir,
    child: Child,
    /// What squall says on standard error.
    said: mpsc::Receiver<String>,
    address: SocketAddr,
}

impl Watched {
    fn start(scenario: &str, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let file = folder.path().join("watched.toml");
        fs::write(&file, scenario).expect("it can be written");
        let mut child = squall()
            .args(["run", text(&file), "--out"])
            .arg(folder.path().join("out"))
            .args(options)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("squall can be started");
        let errors = BufReader::new(child.stderr.take().expect("it is a pipe"));
        let (saying, said) = mpsc::channel();
        std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                // Read on all the same: a full pipe would stop squall.
                let _ = saying.send(line);
            }
        });
        let line = said.recv().expect("it says where it serves");
        let (_, url) = line.split_once("http://").expect("it is an address");
        let (address, _) = url.split_once('/').expect("a URL has a path");
        let address = address.parse().expect("it is an address");
        Self {
            folder,
            child,
            said,
            address,
        }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    /// Waits for its end; the exit code.
    fn end(&mut self) -> i32 {
        let status = self.child.wait().expect("it can be waited for");
        status.code().expect("it ended by itself")
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks for `path` at `host`; what comes, which ends with the connection.
fn ask(address: SocketAddr, path: &str, host: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(address).expect("it listens");
    // Without chunks: HTTP/1.0 ends an answer with the connection.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n").expect("it takes a request");
    BufReader::new(stream)
}

/// The head and the body of an answer.
fn answer(address: SocketAddr, path: &str) -> (String, String) {
    let mut whole = String::new();
    ask(address, path, "127.0.0.1")
        .read_to_string(&mut whole)
        .expect("it is text");
    let (head, body) = whole.split_once("\r\n\r\n").expect("a head ends");
    (head.to_lowercase(), body.to_owned())
}

/// Server-sent events, until the connection ends.
fn events(address: SocketAddr) -> impl Iterator<Item = (String, Value)> {
    let mut lines = ask(address, "/events", "127.0.0.1")
        .lines()
        .map_while(Result::ok);
    std::iter::from_fn(move || {
        let name = lines.find_map(|line| line.strip_prefix("event: ").map(str::to_owned))?;
        let data = lines.find_map(|line| line.strip_prefix("data: ").map(str::to_owned))?;
        Some((name, serde_json::from_str(&data).expect("it is JSON")))
    })
}

/// The sum of a field of all points, of those that `choose` takes.
fn sum(points: &[Value], field: &str, choose: impl Fn(&Value) -> bool) -> u64 {
    let chosen = points.iter().filter(|point| choose(point));
    chosen
        .map(|point| point[field].as_u64().expect("it is a count"))
        .sum()
}

fn summary(out: &Path) -> Value {
    let json = fs::read(out.join("summary.json")).expect("there is a summary");
    let json: Value = serde_json::from_slice(&json).expect("it is JSON");
    json["summary"].clone()
}

/// What a page was told last, up to where the runs are over.
#[derive(Default)]
struct Heard {
    status: Value,
    points: Vec<Value>,
    over: Value,
    end: Value,
}

/// Hears all events as a page does.
fn hear(address: SocketAddr) -> Heard {
    let mut heard = Heard::default();
    for (name, data) in events(address) {
        match name.as_str() {
            "begin" => {
                assert_eq!(data["scenario"], "watched");
                assert_eq!(data["devices"], 12);
            }
            "status" => heard.status = data,
            "points" => {
                let told = data["points"].as_array().expect("it is a list").clone();
                let first = told.first().and_then(|point| point["start_s"].as_f64());
                let is_whole = data["whole"].as_bool().expect("it is a flag");
                heard.points.retain(|point| {
                    let stays = first.is_none_or(|first| point["start_s"].as_f64() < Some(first));
                    !is_whole && stays
                });
                heard.points.extend(told);
            }
            "over" => heard.over = data,
            "end" => {
                heard.end = data;
                break;
            }
            _ => panic!("{name}"),
        }
    }
    heard
}

/// Figures of `summary.json` that a page is told too.
const SAME_FIGURES: [&str; 16] = [
    "scheduled",
    "sent",
    "expected",
    "excused",
    "delivered",
    "lost",
    "duplicated",
    "reordered",
    "corrupted",
    "misrouted",
    "peak_online",
    "e2e_latency",
    "e2e_latency_of",
    "e2e_service_time",
    "connect_latency",
    "schedule_lag",
];

/// What a page is told last is what the report says: counts, rates, latencies, the series over time and the names of claims.
/// Then it is given the report, and the command ends.
#[test]
fn the_last_figures_are_those_of_the_report() {
    let mut watched = Watched::start(&scenario(3), &["--live", "--metrics", "127.0.0.1:0"]);
    let Heard {
        status,
        points,
        over,
        end,
    } = hear(watched.address);
    assert_eq!(end["report"], "/report/");
    let (_, served) = answer(watched.address, "/report/summary.json");
    // Once this is given, squall ends.
    let (_, report) = answer(watched.address, "/report/");
    let out = watched.out();
    let code = watched.end();

    assert!(report.contains("Is a run seen while it goes on?"));
    let run = run_file(&out);
    let summary = summary(&out);
    let served: Value = serde_json::from_str(&served).expect("the report's files are served");
    assert_eq!(served["summary"], summary);
    let outcome = run["verdict"]["outcome"].as_str().expect("it is a word");
    assert_eq!(over["outcome"], outcome.to_uppercase());
    // 99, or 4 on a machine that is too busy to say anything about the broker.
    assert_eq!(run["verdict"]["exit_code"], code);
    for field in SAME_FIGURES {
        assert_eq!(status[field], summary[field], "{field}");
    }
    assert!(summary["delivered"].as_u64() > Some(1_000), "{summary}");
    assert_eq!(status["outstanding"], 0);
    assert_series(&points, &status, &run, &summary);
    assert_claims(&status, &out);
}

/// The points are the intervals of the run file.
fn assert_series(points: &[Value], status: &Value, run: &Value, summary: &Value) {
    let intervals = &run["measured"]["series"]["intervals"];
    let intervals = intervals.as_array().expect("it is a list");
    assert_eq!(points.len(), intervals.len());
    for (point, interval) in points.iter().zip(intervals) {
        for field in ["start_s", "end_s", "online", "scheduled", "sent"] {
            assert_eq!(point[field], interval[field], "{field}");
        }
        assert_eq!(point["delivered"], interval["e2e_latency"]["count"]);
        if point["delivered"] != 0 {
            assert_eq!(point["max_us"], interval["e2e_latency"]["max"]);
        }
    }
    assert_eq!(sum(points, "sent", |_| true), summary["sent"]);
    assert_eq!(
        sum(points, "delivered", |_| true),
        status["first_deliveries"]
    );
    let start = |phase: &str| {
        let mut phases = status["phases"].as_array().into_iter().flatten();
        let known = phases.find(|known| known["phase"] == phase);
        known
            .and_then(|known| known["start_s"].as_f64())
            .expect("the phase began")
    };
    let (from, to) = (start("measure"), start("drain"));
    let measured =
        |point: &Value| (from..to).contains(&point["start_s"].as_f64().expect("it is a time"));
    let measured_s = summary["measured_s"].as_f64().expect("it is a time");
    let rate = sum(points, "delivered", measured) as f64 / measured_s;
    let told = summary["delivered_per_s"].as_f64().expect("it is a rate");
    assert!((rate - told).abs() < 1e-6, "{rate} is not {told}");
}

/// Claims have the names that they have in the end, and what is broken is told.
fn assert_claims(status: &Value, out: &Path) {
    let claims = status["claims"].as_array().expect("it is a list");
    let final_text = fs::read_to_string(out.join("openmetrics.txt")).expect("it is there");
    for claim in claims {
        let name = claim["name"].as_str().expect("it is a name");
        let line = format!("squall_claim_held{{claim=\"{name}\"}}");
        assert!(final_text.contains(&line), "no {line}");
    }
    let broken = claims.iter().filter(|claim| claim["state"] == "broken");
    let broken: Vec<&Value> = broken.map(|claim| &claim["name"]).collect();
    assert_eq!(broken, ["e2e_latency count"], "{claims:?}");
}

/// The names of the metrics in an expression of the dashboard.
fn names_in(expression: &str) -> BTreeSet<String> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    // What is in braces are labels; `squall_phase` is the name of one too.
    let words = expression.split(|letter| !is_part(letter));
    words
        .filter(|word| word.starts_with("squall_"))
        .map(str::to_owned)
        .collect()
}

/// All texts of a JSON document.
fn texts<'a>(value: &'a Value, all: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => all.push(text),
        Value::Array(parts) => parts.iter().for_each(|part| texts(part, all)),
        Value::Object(parts) => parts.values().for_each(|part| texts(part, all)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What is served for Prometheus can be read line by line, and the dashboard asks for nothing else. A page that is opened late is
/// told all from the start.
#[test]
fn metrics_are_read_line_by_line_and_the_dashboard_asks_for_no_other() {
    let watched = Watched::start(&scenario(60), &["--live", "--metrics", "127.0.0.1:0"]);
    let (head, body) = loop {
        let (head, body) = answer(watched.address, "/metrics");
        let has_latency = body.contains("quantile=\"0.5\"") && body.contains("_latency_of_");
        if has_latency && body.contains("squall_phase{squall_phase=\"measure\"} 1\n") {
            break (head, body);
        }
        std::thread::yield_now();
    };
    let late: Vec<(String, Value)> = events(watched.address).take(2).collect();

    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0"));
    let body = body.strip_suffix("# EOF\n").expect("it says where it ends");
    let mut served = BTreeSet::new();
    for line in body.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let kind = comment.split(' ').next();
            assert!(matches!(kind, Some("TYPE" | "UNIT" | "HELP")), "{line}");
            continue;
        }
        let (name, number) = line.rsplit_once(' ').expect("a sample has a number");
        assert!(number.parse::<f64>().is_ok(), "{line}");
        let name = name.split('{').next().expect("there is a name");
        served.insert(name.to_owned());
    }
    let dashboard = include_str!("../../../../dashboards/squall.json");
    let dashboard: Value = serde_json::from_str(dashboard).expect("it is JSON");
    let mut all = Vec::new();
    texts(&dashboard, &mut all);
    let asked: BTreeSet<String> = all.iter().flat_map(|text| names_in(text)).collect();
    assert!(asked.len() > 10, "{asked:?}");
    let missing: Vec<&String> = asked.difference(&served).collect();
    assert!(missing.is_empty(), "{missing:?} of {served:?}");
    assert_eq!((&*late[0].0, &*late[1].0), ("begin", "points"));
    assert_eq!(late[1].1["whole"], true);
    assert_eq!(late[1].1["points"][0]["start_s"], 0.0);
}

/// The page may load nothing from elsewhere, there is no report before the end, and a page of another site does not get an answer
/// by having its name point here.
#[test]
fn the_page_is_closed_to_others() {
    let watched = Watched::start(&scenario(60), &["--live"]);

    let (head, body) = answer(watched.address, "/");
    let (early, _) = answer(watched.address, "/report/");
    let (metrics, _) = answer(watched.address, "/metrics");
    let mut foreign = String::new();
    ask(watched.address, "/", "evil.example")
        .read_to_string(&mut foreign)
        .expect("it is text");

    let policy = head
        .lines()
        .find_map(|line| line.strip_prefix("content-security-policy: "))
        .expect("it has a policy");
    assert!(
        policy.starts_with("default-src 'none'; script-src 'sha256-"),
        "{policy}"
    );
    assert!(policy.contains("connect-src 'self'") && !policy.contains("unsafe"));
    assert!(!body.contains("src=") && !body.contains("<link"));
    assert!(early.starts_with("http/1.0 404"), "{early}");
    assert!(metrics.starts_with("http/1.0 404"), "{metrics}");
    assert!(foreign.starts_with("HTTP/1.0 421"), "{foreign}");
    assert!(!foreign.contains("<script"), "{foreign}");
}

/// An address that is taken is told before anything runs, with what to do.
#[test]
fn an_address_in_use_is_told_before_the_run() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let address = taken.local_addr().expect("it has an address").to_string();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let out = folder.path().join("out");

    for option in ["--live=", "--metrics="] {
        let option = format!("{option}{address}");
        let (code, errors) = code_and_errors(&run(&["run", "smoke", "--out", text(&out), &option]));

        assert_eq!(code, 2, "{errors}");
        let told = format!("{address} is in use by another process; choose another port");
        assert!(errors.contains(&told), "{errors}");
        assert!(!out.exists(), "it ran");
    }
}

/// What is not an address is refused as other arguments are.
#[test]
fn a_wrong_address_ends_with_2() {
    for option in ["--live=here", "--metrics=127.0.0.1"] {
        let (code, errors) = code_and_errors(&run(&["run", "smoke", option]));

        assert_eq!(code, 2, "{errors}");
        assert!(
            errors.contains("is not an address to listen on"),
            "{errors}"
        );
    }
}

/// Who lets others reach it is told what they can read.
#[test]
fn an_open_address_is_remarked_upon() {
    let watched = Watched::start(&scenario(60), &["--live=0.0.0.0:0"]);

    let next = watched.said.recv().expect("it goes on");

    assert!(
        next.starts_with("warning: whoever reaches 0.0.0.0:"),
        "{next}"
    );
}
