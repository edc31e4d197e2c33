//! Network: each link profile, configured against measured.

use squall_run::{NetworkFigure, NetworkOutcome, Run, Value};

use super::{Absent, Block, Section, chart_block, section_of};
use crate::chart::network;
use crate::table::{Cell, Column, Table};

/// The section of the report, or why it is absent.
pub(super) fn section(run: &Run) -> Result<Section, Absent> {
    let networks = &run.measured.networks;
    let mut blocks = Vec::new();
    if !networks.is_empty() {
        blocks.push(Block::Table(figures(networks)));
        blocks.push(Block::Note(
            "The round trip is from CONNECT to CONNACK without what the broker takes. Each way has its own random delay: where most delays \
             are short and a few are long, the median of the sum is more than twice the median of one way."
                .to_owned(),
        ));
        blocks.extend(chart_block(network::chart(run), || quantiles(networks)));
        let total = totals(networks);
        if !total.rows.is_empty() {
            blocks.push(Block::Table(total));
        }
    }
    section_of("network", "Network", blocks, "no group has a link profile")
}

fn figures(networks: &[NetworkOutcome]) -> Table {
    let mut table = Table::new(
        "network",
        "Configured against measured",
        vec![
            Column::words("Profile"),
            Column::words("Direction"),
            Column::words("Figure"),
            Column::count("Configured"),
            Column::count("Measured"),
            Column::count("Off by"),
            Column::count("n"),
            Column::words("Enough samples"),
        ],
    );
    for link in networks {
        for figure in &link.figures {
            let off = figure
                .measured
                .as_ref()
                .and_then(|measured| off_by(&figure.configured, measured));
            table.row(vec![
                Cell::text(&link.profile),
                Cell::text(network::direction(link.direction)),
                Cell::text(bare_name(&figure.name)),
                Cell::Value(figure.configured.clone()),
                figure
                    .measured
                    .clone()
                    .map_or(Cell::text("no sample"), Cell::Value),
                off.map_or(Cell::None, Cell::Text),
                Cell::Count(figure.samples),
                Cell::Text(enough_samples(figure)),
            ]);
        }
    }
    table
}

/// Whether a check of the network could judge a figure, and how many samples that takes if not.
fn enough_samples(figure: &NetworkFigure) -> String {
    if figure.is_judged() {
        return "yes".to_owned();
    }
    format!(
        "no: {} of {}",
        Value::Count(figure.samples),
        Value::Count(figure.samples_needed)
    )
}

/// The name without the direction, which has a column of its own.
fn bare_name(name: &str) -> &str {
    let without = name
        .strip_suffix(" up")
        .or_else(|| name.strip_suffix(" down"));
    without.unwrap_or(name)
}

/// By how many per cent a measured number differs from the configured one, with its sign.
fn off_by(configured: &Value, measured: &Value) -> Option<String> {
    let (configured, measured) = (number(configured)?, number(measured)?);
    (configured != 0.0).then(|| {
        let off = format!("{:+.1} %", (measured - configured) / configured * 100.0);
        off.replace("-0.0", "+0.0").replace('-', "−")
    })
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Count(number) | Value::Bytes(number) => Some(*number as f64),
        Value::Seconds(number)
        | Value::Ratio(number)
        | Value::PerSecond(number)
        | Value::BitsPerSecond(number)
        | Value::Cores(number) => Some(*number),
        Value::Flag(_) | Value::Text(_) => None,
    }
}

fn quantiles(networks: &[NetworkOutcome]) -> Table {
    let mut table = Table::new(
        "network-delay",
        "Quantiles of one-way delay",
        vec![
            Column::words("Profile"),
            Column::words("Direction"),
            Column::quantity("Quantile", "share"),
            Column::quantity("Configured", "us"),
            Column::quantity("Measured", "us"),
        ],
    );
    for link in networks {
        for configured in &link.configured_delay {
            let measured = link.measured_delay.quantile_us(configured.quantile);
            table.row(vec![
                Cell::text(&link.profile),
                Cell::text(network::direction(link.direction)),
                Cell::Quantile(configured.quantile),
                Cell::Micros(configured.value_us),
                measured.map_or(Cell::None, |us| Cell::Micros(us as f64)),
            ]);
        }
    }
    table
}

fn totals(networks: &[NetworkOutcome]) -> Table {
    let mut table = Table::of_distributions(
        "network-total-delay",
        "One-way delay with retransmissions, queueing and outages",
        &["Profile", "Direction"],
    );
    for link in networks {
        let labels = vec![
            Cell::text(&link.profile),
            Cell::text(network::direction(link.direction)),
        ];
        table.distribution(labels, &link.total_delay);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Deviations have a sign, and a configured zero has none.
    #[test]
    fn deviation_is_signed() {
        let off = |configured, measured| off_by(&Value::Ratio(configured), &Value::Ratio(measured));

        assert_eq!(off(0.1, 0.11).unwrap(), "+10.0 %");
        assert_eq!(off(0.1, 0.09).unwrap(), "−10.0 %");
        assert_eq!(off(0.1, 0.099_999).unwrap(), "+0.0 %");
        assert_eq!(off(0.0, 0.09), None);
    }

    /// A quantile with too few samples beyond it says so in its row.
    #[test]
    fn a_figure_with_too_few_samples_says_so() {
        let mut figure = NetworkFigure {
            name: "latency p99 up".to_owned(),
            configured: Value::Seconds(0.45),
            measured: Some(Value::Seconds(0.4)),
            samples: 999,
            samples_needed: 1_000,
        };
        let few = enough_samples(&figure);
        figure.samples = 1_000;

        assert_eq!(few, "no: 999 of 1,000");
        assert_eq!(enough_samples(&figure), "yes");
    }
}
