//! What the format has beside its keys: metrics, aggregates, placeholders and units.

use squall_run::{Aggregate, MetricKind, MetricName, Percentile, Tag};
use squall_toml::quantity::Quantity;

use crate::model::threshold::example_condition;
use crate::template::{PLACEHOLDERS, Placeholder, Use};

/// A metric, an aggregate, a placeholder or a unit.
#[derive(Clone, Debug)]
pub struct Item {
    /// Which of them.
    pub kind: ItemKind,
    /// As the file writes it, without arguments: `e2e_latency`, `p99`, `rand.int`, `ms`.
    pub name: String,
    /// What it means.
    pub meaning: String,
    /// As the file may write it, to paste.
    pub example: String,
    /// What else is to be known of it, as a name and a text each: `tags`, `group, qos`.
    pub facts: Vec<(&'static str, String)>,
}

/// Which list an item is of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ItemKind {
    /// What `[thresholds]` may name.
    Metric,
    /// What is compared of a metric.
    Aggregate,
    /// What stands for a text in a template.
    Placeholder,
    /// What a number needs behind it.
    Unit,
}

impl ItemKind {
    /// Every list, in the order of the reference.
    pub const ALL: [Self; 4] = [Self::Metric, Self::Aggregate, Self::Placeholder, Self::Unit];

    /// What one of them is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Metric => "metric",
            Self::Aggregate => "aggregate",
            Self::Placeholder => "placeholder",
            Self::Unit => "unit",
        }
    }
}

pub(super) fn items() -> Vec<Item> {
    let metrics = MetricName::ALL.into_iter().map(metric);
    let placeholders = PLACEHOLDERS.iter().map(placeholder);
    let units = [Quantity::Duration, Quantity::Size, Quantity::BitRate];
    metrics
        .chain(aggregates())
        .chain(placeholders)
        .chain(units.into_iter().map(unit))
        .collect()
}

fn metric(metric: MetricName) -> Item {
    let tags: Vec<&str> = metric.tags().iter().map(|tag| tag.as_str()).collect();
    let aggregates: Vec<String> = metric
        .kind()
        .aggregates()
        .iter()
        .map(Aggregate::to_string)
        .collect();
    let selector = match metric.tags().first() {
        Some(Tag::Group) => format!("{metric}{{group=sensors}}"),
        Some(Tag::Qos) => format!("{metric}{{qos=1}}"),
        Some(Tag::How) => format!("{metric}{{how=rst}}"),
        None => metric.to_string(),
    };
    let condition = example_condition(metric.as_str());
    let group = whose_group(metric).map(|group| ("group", group.to_owned()));
    Item {
        kind: ItemKind::Metric,
        name: metric.to_string(),
        meaning: sentence(metric.definition()),
        example: format!("\"{selector}\" = [\"{condition}\"]"),
        facts: [
            ("values", unit_of(metric.kind()).to_owned()),
            (
                "tags",
                if tags.is_empty() {
                    "none".to_owned()
                } else {
                    tags.join(", ")
                },
            ),
        ]
        .into_iter()
        .chain(group)
        .chain([("aggregates", aggregates.join(", "))])
        .collect(),
    }
}

/// Which devices the tag `group` of a metric means; `None` if it has no such tag.
const fn whose_group(metric: MetricName) -> Option<&'static str> {
    Some(match metric {
        MetricName::E2eLatency
        | MetricName::ServiceLatency
        | MetricName::BrokerTime
        | MetricName::DeliveryRate => "that of the devices that receive the messages",
        MetricName::AckLatency | MetricName::PublishRate | MetricName::Dropped => {
            "that of the devices that publish the messages"
        }
        MetricName::RoundTrip => "that of the devices that ask",
        MetricName::TimeToWill => "that of the devices that watch for the will",
        MetricName::Qos2Handshake
        | MetricName::Qos2Pubrec
        | MetricName::Qos2Pubrel
        | MetricName::Qos2Pubcomp => "that of the devices that send the PUBLISH",
        MetricName::ConnectLatency
        | MetricName::SubscribeLatency
        | MetricName::TakeoverTime
        | MetricName::ReconnectDelay
        | MetricName::ScheduleLag
        | MetricName::ConnectRate
        | MetricName::Errors => "that of the devices themselves",
        MetricName::BrokerCpu | MetricName::BrokerRss | MetricName::BrokerRssPerConnection => {
            return None;
        }
    })
}

const fn unit_of(kind: MetricKind) -> &'static str {
    match kind {
        MetricKind::Durations => "times, compared with a duration; `count` with a number",
        MetricKind::Rate => "events a second, compared with a number",
        MetricKind::Count => "events, compared with a number",
        MetricKind::Cores => "cores, compared with a number: 1 is one core fully busy",
        MetricKind::Bytes => "bytes, compared with a size",
    }
}

const fn plural(kind: MetricKind) -> &'static str {
    match kind {
        MetricKind::Durations => "times",
        MetricKind::Rate => "rates",
        MetricKind::Count => "events",
        MetricKind::Cores => "cores",
        MetricKind::Bytes => "bytes",
    }
}

/// Every aggregate that a kind of metric has.
fn aggregates() -> Vec<Item> {
    let mut known: Vec<Aggregate> = Vec::new();
    for metric in MetricName::ALL {
        for &aggregate in metric.kind().aggregates() {
            if !known.contains(&aggregate) {
                known.push(aggregate);
            }
        }
    }
    known.into_iter().map(aggregate).collect()
}

fn aggregate(aggregate: Aggregate) -> Item {
    let of: Vec<MetricName> = MetricName::ALL
        .into_iter()
        .filter(|metric| metric.kind().allows(aggregate))
        .collect();
    // The example that reads best is of the metric whose own example it is.
    let first = of
        .iter()
        .find(|metric| example_condition(metric.as_str()).starts_with(&format!("{aggregate} ")));
    let metric = first
        .or(of.first())
        .expect("an aggregate is listed for a metric");
    let limit = match (metric.kind(), aggregate) {
        (MetricKind::Durations, Aggregate::Count) => "1000",
        (MetricKind::Durations, _) => "250ms",
        (MetricKind::Rate, _) => "50",
        (MetricKind::Count, _) => "1",
        (MetricKind::Cores, _) => "0.5",
        (MetricKind::Bytes, _) => "64MiB",
    };
    let sign = if metric.kind() == MetricKind::Rate {
        ">"
    } else {
        "<"
    };
    let mut kinds: Vec<&str> = of.iter().map(|metric| plural(metric.kind())).collect();
    kinds.dedup();
    Item {
        kind: ItemKind::Aggregate,
        name: aggregate.to_string(),
        meaning: meaning(aggregate),
        example: format!("\"{metric}\" = [\"{aggregate} {sign} {limit}\"]"),
        facts: vec![("of metrics of", kinds.join(", "))],
    }
}

fn meaning(aggregate: Aggregate) -> String {
    match aggregate {
        Aggregate::Percentile(Percentile::P50) => {
            "The median. Of times every percentile from `p0.001` to `p99.999` may be compared.".to_owned()
        }
        Aggregate::Percentile(percentile) => {
            let share = percentile.to_string();
            format!("{} of 100 samples are at most this.", share.trim_start_matches('p'))
        }
        Aggregate::Min => {
            "The least: of times the shortest, of rates that of the slowest second, of what is read about once a second the lowest.".to_owned()
        }
        Aggregate::Avg => "The mean over the measured part; `mean` is the same.".to_owned(),
        Aggregate::Max => {
            "The greatest: of times the longest, of rates that of the fastest second, of what is read about once a second the highest.".to_owned()
        }
        Aggregate::Count => "How many there were.".to_owned(),
        Aggregate::Rate => "How many there were a second.".to_owned(),
        Aggregate::Value => "The last that was read.".to_owned(),
    }
}

fn placeholder(placeholder: &Placeholder) -> Item {
    let places: Vec<&str> = Use::ALL
        .into_iter()
        .filter(|place| place.allowed().contains(&placeholder.name))
        .map(Use::name)
        .collect();
    let mut facts = vec![("stands in", places.join("; "))];
    if !placeholder.arguments.is_empty() {
        facts.push(("written", placeholder.arguments.to_owned()));
    }
    Item {
        kind: ItemKind::Placeholder,
        name: placeholder.name.to_owned(),
        meaning: placeholder.meaning.to_owned(),
        example: placeholder.example.to_owned(),
        facts,
    }
}

fn unit(quantity: Quantity) -> Item {
    let (name, example, units) = match quantity {
        Quantity::Duration => (
            "duration",
            "\"1m30s\"",
            "ns, us, ms, s, m, h, d; several may follow each other, and add up",
        ),
        Quantity::Size => (
            "size",
            "\"64KiB\"",
            "B, KB (1,000 B), KiB (1,024 B), MB, MiB, GB, GiB",
        ),
        Quantity::BitRate => ("bit rate", "\"256kbit/s\"", "bit/s, kbit/s, mbit/s, gbit/s"),
    };
    let meaning = match quantity {
        Quantity::Duration => "A time: a text of a number and its unit, at most 366 days.",
        Quantity::Size => "A number of bytes: a text of a number and its unit.",
        Quantity::BitRate => "Bits per second: a text of a number and its unit.",
    };
    Item {
        kind: ItemKind::Unit,
        name: name.to_owned(),
        meaning: meaning.to_owned(),
        example: example.to_owned(),
        facts: vec![("units", units.to_owned())],
    }
}

/// `text` with a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}
