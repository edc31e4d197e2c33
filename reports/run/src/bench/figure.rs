//! The figures of a bench that are shown for several targets, and by which it is held against an earlier one.

use super::figures::Figures;
use crate::{Better, FigurePart, FigureUnit, count_text, digits, duration_text};

/// A figure of a trial, or of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Figure {
    /// The highest rate that held, of a search.
    Held,
    /// Messages a second; of clients that only connect, connections.
    PerSecond,
    /// Processor time of the broker for each message.
    BrokerCpu,
    /// Half of the latencies are below.
    P50,
    /// All but one of a hundred are below.
    P99,
    /// All but one of a thousand are below.
    P999,
    /// Memory of the broker at the end.
    Rss,
    /// What its memory grew by for each client.
    BytesPerConnection,
    /// Context switches of the broker for each message.
    Switches,
    /// System calls of the broker for each message.
    Syscalls,
    /// Bytes that the broker wrote to disks for each message.
    WrittenBytes,
}

impl Figure {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Held,
        Self::PerSecond,
        Self::BrokerCpu,
        Self::P50,
        Self::P99,
        Self::P999,
        Self::Rss,
        Self::BytesPerConnection,
        Self::Switches,
        Self::Syscalls,
        Self::WrittenBytes,
    ];

    /// As the file has it.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Held => "held_per_s",
            Self::PerSecond => "messages_per_s",
            Self::BrokerCpu => "broker_cpu_us_per_message",
            Self::P50 => "latency.p50_us",
            Self::P99 => "latency.p99_us",
            Self::P999 => "latency.p999_us",
            Self::Rss => "broker_rss_bytes",
            Self::BytesPerConnection => "broker_bytes_per_connection",
            Self::Switches => "broker_switches_per_message",
            Self::Syscalls => "broker_syscalls_per_message",
            Self::WrittenBytes => "broker_written_bytes_per_message",
        }
    }

    /// For a reader.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "highest rate that held",
            Self::PerSecond => "messages a second",
            Self::BrokerCpu => "processor time of the broker for each message",
            Self::P50 => "latency p50",
            Self::P99 => "latency p99",
            Self::P999 => "latency p99.9",
            Self::Rss => "resident memory of the broker",
            Self::BytesPerConnection => "memory of the broker for each connection",
            Self::Switches => "context switches of the broker for each message",
            Self::Syscalls => "system calls of the broker for each message",
            Self::WrittenBytes => "bytes written to disks for each message",
        }
    }

    /// What its numbers count.
    pub const fn unit(self) -> FigureUnit {
        match self {
            Self::Held | Self::PerSecond => FigureUnit::PerSecond,
            Self::BrokerCpu | Self::P50 | Self::P99 | Self::P999 => FigureUnit::Micros,
            Self::Rss | Self::BytesPerConnection => FigureUnit::Bytes,
            Self::Switches | Self::Syscalls | Self::WrittenBytes => FigureUnit::PerMessage,
        }
    }

    /// Which way it is better.
    pub const fn better(self) -> Better {
        match self {
            Self::Held | Self::PerSecond => Better::Higher,
            Self::BrokerCpu
            | Self::P50
            | Self::P99
            | Self::P999
            | Self::Rss
            | Self::BytesPerConnection
            | Self::Switches
            | Self::Syscalls
            | Self::WrittenBytes => Better::Lower,
        }
    }

    /// What it is about.
    pub(super) const fn part(self) -> FigurePart {
        match self {
            Self::P50 | Self::P99 | Self::P999 => FigurePart::Times,
            Self::Held | Self::PerSecond => FigurePart::Load,
            Self::BrokerCpu
            | Self::Rss
            | Self::BytesPerConnection
            | Self::Switches
            | Self::Syscalls
            | Self::WrittenBytes => FigurePart::Broker,
        }
    }

    /// That of a trial; a search alone has [`Self::Held`].
    pub fn of(self, figures: &Figures) -> Option<f64> {
        let micros = |us: Option<u64>| us.map(|us| us as f64);
        match self {
            Self::Held => None,
            Self::PerSecond => Some(figures.messages_per_s),
            Self::BrokerCpu => figures.broker_cpu_us_per_message,
            Self::P50 => micros(figures.latency.p50_us),
            Self::P99 => micros(figures.latency.p99_us),
            Self::P999 => micros(figures.latency.p999_us),
            Self::Rss => figures.broker_rss_bytes.map(|bytes| bytes as f64),
            Self::BytesPerConnection => figures.broker_bytes_per_connection,
            Self::Switches => figures.broker_switches_per_message,
            Self::Syscalls => figures.broker_syscalls_per_message,
            Self::WrittenBytes => figures.broker_written_bytes_per_message,
        }
    }

    /// A number of it, without the unit where the heading of its table has it.
    pub fn text(self, number: f64) -> String {
        match self {
            Self::Held | Self::PerSecond | Self::Rss | Self::BytesPerConnection => {
                count_text(number.round() as u64)
            }
            // Where messages are batched there are hundreds of them for each.
            Self::Switches | Self::Syscalls if number < 0.1 => format!("{number:.4}"),
            Self::BrokerCpu | Self::Switches | Self::Syscalls | Self::WrittenBytes => {
                digits(number)
            }
            Self::P50 | Self::P99 | Self::P999 => duration_text(number / 1e6),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::sample;

    /// A key names the field that the file has for the figure.
    #[test]
    fn keys_are_those_of_the_file() {
        let mut figures = sample::figures(0.2);
        figures.broker_written_bytes_per_message = Some(3.5);
        let file = serde_json::to_value(&figures).unwrap();

        for figure in Figure::ALL.into_iter().filter(|one| *one != Figure::Held) {
            let path = format!("/{}", figure.key().replace('.', "/"));
            let number = file.pointer(&path).and_then(serde_json::Value::as_f64);
            assert_eq!(number, figure.of(&figures), "{path}");
            assert!(number.is_some(), "{path}");
        }
    }

    /// A figure that is small where messages are batched keeps its digits.
    #[test]
    fn small_figures_keep_their_digits() {
        assert_eq!(Figure::Syscalls.text(0.00812), "0.0081");
        assert_eq!(Figure::Syscalls.text(8.04), "8.04");
        assert_eq!(Figure::BrokerCpu.text(0.196), "0.196");
        assert_eq!(Figure::PerSecond.text(1_104_224.4), "1,104,224");
    }
}
