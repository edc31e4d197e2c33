//! Every chart draws whatever it is given: much, one sample, none.

use std::time::Duration;

use squall_run::{Histogram, Interval, MetricName, ProcessSample, Run, sample};

use super::*;

/// Every chart that `run` has data for.
fn charts(run: &Run) -> Vec<Chart> {
    let over_time = run
        .measured
        .series
        .populations()
        .into_iter()
        .flat_map(|of| {
            [
                latency_over_time::chart(run, &of, "latency-over-time", ""),
                heat_map::chart(run, &of, "latency-heat-map", ""),
            ]
        });
    [
        spectrum::chart(run, MetricName::E2eLatency),
        latency_histogram::chart(run, MetricName::E2eLatency),
        qos2_legs::chart(run),
        backlog::chart(run),
        connections::devices(run),
        connections::rates(run),
        time_to_will::chart(run),
        takeover::chart(run),
        network::chart(run),
        throughput::chart(run),
        processes::cpu(run),
        processes::memory(run),
        schedule_lag::chart(run),
    ]
    .into_iter()
    .chain(over_time)
    .flatten()
    .collect()
}

fn assert_drawn(svg: &str, chart: &Chart) {
    assert!(svg.starts_with("<svg"), "{}", chart.id);
    assert!(svg.trim_end().ends_with("</svg>"), "{}", chart.id);
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{}", chart.id);
}

/// A run with something of everything gives every chart, two for each of two populations, in SVG and in PNG.
#[test]
fn all_charts_are_drawn() {
    let charts = charts(&sample::passing());

    assert_eq!(charts.len(), 17);
    for chart in &charts {
        assert_drawn(&chart.to_svg_file("smoke").unwrap(), chart);
        assert_drawn(&chart.to_inline_svg(&Canvas::narrow()).unwrap(), chart);
    }
}

/// In a page a chart follows the page's width and has a name for a screen reader.
#[test]
fn inline_charts_have_no_fixed_size() {
    for chart in charts(&sample::passing()) {
        let svg = chart.to_inline_svg(&Canvas::narrow()).unwrap();

        let head = svg.split_once('>').unwrap().0;
        assert!(!head.contains("width="), "{head}");
        assert!(head.contains("role=\"img\" aria-label="), "{head}");
    }
}

/// A PNG is one, of the announced size, and not blank.
#[test]
fn pictures_are_drawn() {
    let run = sample::passing();
    for chart in [
        spectrum::chart(&run, MetricName::E2eLatency),
        time_to_will::chart(&run),
    ] {
        let bytes = chart.unwrap().to_png("smoke").unwrap();

        let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes))
            .read_info()
            .unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(reader.info().pixel_dims.map(|dims| dims.xppu), Some(5669));
        let (width, height) = (1520, 908);
        assert_eq!((info.width, info.height), (width, height));
        let inked = pixels
            .chunks(3)
            .filter(|pixel| *pixel != [255, 255, 255])
            .count();
        assert!(
            inked > pixels.len() / 3 / 100,
            "{inked} pixels are not white"
        );
    }
}

/// Without data there is no chart rather than an empty one.
#[test]
fn without_data_there_is_no_chart() {
    assert_eq!(charts(&sample::empty()), []);
}

/// One sample of each is enough, and so is one interval.
#[test]
fn one_sample_is_drawn() {
    let mut run = sample::passing();
    let mut one = Histogram::new();
    one.record(Duration::from_millis(3));
    for cell in &mut run.measured.metrics.cells {
        cell.histogram = one.clone();
    }
    for link in &mut run.measured.networks {
        link.measured_delay = one.clone();
        link.configured_delay.clear();
    }
    run.measured.series.intervals = vec![Interval {
        start_s: 20.0,
        end_s: 21.0,
        online: 1,
        scheduled: 1,
        e2e_latency: one.clone(),
        schedule_lag: one,
        ..Interval::default()
    }];
    let process = |at_s| ProcessSample {
        at_s,
        cpu_cores: 0.0,
        cpu_total_s: 0.0,
        rss_bytes: 0,
        descriptors: 0,
    };
    // Processor use is that since the sample before.
    run.resources.broker.samples = vec![process(0.0), process(0.5)];
    run.resources.generator.samples.clear();

    let charts = charts(&run);

    assert_eq!(charts.len(), 13);
    for chart in &charts {
        assert_drawn(&chart.to_svg_file("smoke").unwrap(), chart);
    }
}

/// Latencies of zero, as virtual time has them, have a place on a logarithmic axis.
#[test]
fn zero_latency_is_drawn() {
    let mut run = sample::passing();
    let mut zeros = Histogram::new();
    for _ in 0..1_000 {
        zeros.record(Duration::ZERO);
    }
    for cell in &mut run.measured.metrics.cells {
        cell.histogram = zeros.clone();
    }
    for interval in &mut run.measured.series.intervals {
        interval.e2e_latency = zeros.clone();
        interval.e2e_latency_of.clear();
    }

    for chart in charts(&run) {
        assert_drawn(&chart.to_svg_file("smoke").unwrap(), &chart);
    }
}

/// Names from a scenario cannot break out of a picture.
#[test]
fn hostile_names_are_escaped() {
    let mut run = sample::passing();
    run.measured.faults[0].name = "<script>alert(1)</script>\"'&".to_owned();

    let svg = throughput::chart(&run)
        .unwrap()
        .to_svg_file("smoke")
        .unwrap();

    assert!(!svg.contains("<script"));
    assert!(svg.contains("&lt;script&gt;"));
}
