//! The distributions of a run in the two formats of HdrHistogram: a percentile table each (`.hgrm`), and logs of what each
//! interval of the run had (`.hlog`), which its plotters and log processors read.
//!
//! A table has milliseconds, as those of HdrHistogram's tools mostly do, and is of what the figures are of: the time from when a
//! thing was due, without the warm-up, and what came late apart. A log has microseconds, the resolution of the run file's
//! histograms, and begins with the run: connecting, warm-up and drain are in it.

use std::fmt::Write as _;

use squall_run::{CountedFrom, Histogram, Interval, MetricKind, MetricName, Population, Run};

/// The folder of these files.
pub(crate) const FOLDER: &str = "histograms";

/// Microseconds in a millisecond.
const US_PER_MS: f64 = 1_000.0;

/// The files of `run`: names within [`FOLDER`], and what is in them.
pub(crate) fn files(run: &Run) -> Vec<(String, String)> {
    let durations = MetricName::ALL
        .into_iter()
        .filter(|name| name.kind() == MetricKind::Durations);
    let tables = durations.flat_map(|name| {
        let populations = run
            .measured
            .metrics
            .populations(name, CountedFrom::Scheduled);
        populations.into_iter().filter_map(move |population| {
            let text = table(&population.histogram)?;
            Some((format!("{name}{}.hgrm", suffix(&population)), text))
        })
    });
    let mut files: Vec<(String, String)> = tables.collect();
    for (name, text) in [
        ("e2e_latency.hlog", log(run, latency_lines)),
        ("schedule_lag.hlog", log(run, lag_lines)),
    ] {
        files.push((name.to_owned(), text));
    }
    files
}

/// `-backend-qos1-late`: what a population is, as part of the name of a file.
fn suffix(population: &Population) -> String {
    let mut text = String::new();
    for (tag, value) in &population.tags {
        let part = match tag.as_str() {
            "group" => value.clone(),
            "late" => "late".to_owned(),
            other => format!("{other}{value}"),
        };
        text.push('-');
        text.push_str(&plain(&part));
    }
    text
}

/// Without what ends a name of a file or a tag: a slash, a comma, a space.
fn plain(text: &str) -> String {
    let is_kept = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
    text.chars()
        .map(|letter| if is_kept(letter) { letter } else { '_' })
        .collect()
}

/// A percentile table as HdrHistogram's `outputPercentileDistribution` writes it; `None` without samples.
fn table(histogram: &Histogram) -> Option<String> {
    let end = histogram.table_end()?;
    let mut text = format!(
        "{:>12} {:>14} {:>10} {:>14}\n\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    );
    for step in histogram.percentile_steps() {
        let value = step.value_us as f64 / US_PER_MS;
        let left = 1.0 - step.quantile;
        let line = format!("{value:12.3} {:2.12} {:10}", step.quantile, step.count);
        text.push_str(&line);
        // Nothing is beyond the maximum.
        if left > 0.0 {
            text.push_str(&format!(" {:14.2}", 1.0 / left));
        }
        text.push('\n');
    }
    let [mean, deviation] = [end.mean_us, end.deviation_us].map(|us| us / US_PER_MS);
    let max = end.max_us as f64 / US_PER_MS;
    let (count, buckets, sub_buckets) = (end.count, end.buckets, end.sub_buckets);
    let ends = [
        format!("#[Mean    = {mean:12.3}, StdDeviation   = {deviation:12.3}]\n"),
        format!("#[Max     = {max:12.3}, Total count    = {count:12}]\n"),
        format!("#[Buckets = {buckets:12}, SubBuckets     = {sub_buckets:12}]\n"),
    ];
    text.push_str(&ends.concat());
    if histogram.overflow() > 0 {
        let overflow = histogram.overflow();
        text.push_str(&format!(
            "#[Longer than an hour, not in this table = {overflow}]\n"
        ));
    }
    Some(text)
}

/// A line of a log: its tag, if it has one, and its samples.
type Line<'a> = (Option<String>, &'a Histogram);

/// A log of version 1.3, whose payloads are histograms in V2 compressed encoding, base64.
fn log(run: &Run, lines: fn(&Interval) -> Vec<Line<'_>>) -> String {
    let at = &run.times.started_at;
    let epoch_s = epoch_s(at).unwrap_or(0);
    let mut text = format!(
        "#[Logged with squall {}]\n#[Histogram log format version 1.3]\n#[Values are microseconds; Interval_Max is in \
         milliseconds; timestamps and lengths are seconds since StartTime]\n#[BaseTime: {epoch_s}.000 (seconds since \
         epoch)]\n#[StartTime: {epoch_s}.000 (seconds since epoch), {at}]\n\"StartTimestamp\",\"Interval_Length\",\
         \"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
        run.identity.squall.version
    );
    let mut overflow = 0;
    for interval in &run.measured.series.intervals {
        for (tag, histogram) in lines(interval) {
            if tag.is_none() {
                overflow += histogram.overflow();
            }
            let Some(end) = histogram.table_end() else {
                continue;
            };
            let tag = tag.map_or(String::new(), |tag| format!("Tag={tag},"));
            let length_s = interval.end_s - interval.start_s;
            let max_ms = end.max_us as f64 / US_PER_MS;
            writeln!(
                text,
                "{tag}{:.3},{length_s:.3},{max_ms:.3},{}",
                interval.start_s,
                histogram.to_hdr_base64()
            )
            .expect("a text in memory takes all that is written");
        }
    }
    if overflow > 0 {
        text.push_str(&format!(
            "#[Longer than an hour, not in this log = {overflow}]\n"
        ));
    }
    text
}

/// All deliveries without a tag, and where there are several populations each of them with its own.
fn latency_lines(interval: &Interval) -> Vec<Line<'_>> {
    let all = std::iter::once((None, &interval.e2e_latency));
    let tagged = interval.e2e_latency_of.iter().map(|of| {
        let late = if of.late { "-late" } else { "" };
        let tag = format!("{}-qos{}{late}", plain(&of.group), of.qos);
        (Some(tag), &of.latency)
    });
    all.chain(tagged).collect()
}

fn lag_lines(interval: &Interval) -> Vec<Line<'_>> {
    vec![(None, &interval.schedule_lag)]
}

/// Seconds since 1970 of `2026-11-24T06:40:00Z`; `None` for another text.
fn epoch_s(text: &str) -> Option<i64> {
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
    // The year begins in March: the day that is there in leap years only is its last.
    let (year, month) = match month {
        3..=12 => (year, month - 3),
        1 | 2 => (year - 1, month + 9),
        _ => return None,
    };
    // Days from 1 March of the year 0 to 1 January 1970.
    const TO_1970: i64 = 719_468;
    let leap_days = year / 4 - year / 100 + year / 400;
    let days = 365 * year + leap_days + (153 * month + 2) / 5 + day - 1 - TO_1970;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests;
