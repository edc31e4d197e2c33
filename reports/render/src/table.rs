//! A table as every output shows it: HTML for a person, CSV for a program, Markdown for a merge request.

use squall_run::{
    ClaimResult, Histogram, Latency, Percentile, Value, bytes_text, count_text, digits,
    duration_text, rate_text,
};

/// Rows of cells under named columns.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table {
    /// Name of its CSV file, without ending.
    pub(crate) id: String,
    /// What it lists.
    pub(crate) title: String,
    /// Its columns.
    pub(crate) columns: Vec<Column>,
    /// Its rows, each with as many cells as there are columns.
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    /// For a person.
    pub(crate) heading: String,
    /// For a program: with the unit of the plain numbers.
    pub(crate) key: String,
    /// Which way cells are aligned.
    pub(crate) kind: ColumnKind,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    /// Words, aligned to the left.
    Words,
    /// Sentences, aligned to the left and broken into lines.
    Sentences,
    /// Quantities, aligned to the right.
    Quantity,
}

/// A cell.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    /// Nothing to show.
    None,
    /// Words for a person.
    Text(String),
    /// Text as a machine knows it: a topic, a command.
    Code(String),
    /// A count.
    Count(u64),
    /// A count that is bad if it is not zero.
    Bad(u64),
    /// A duration in microseconds.
    Micros(f64),
    /// A percentile, or what it lacks.
    Percentile(Option<u64>),
    /// A moment, in seconds.
    At(f64),
    /// A duration in seconds.
    Seconds(f64),
    /// Events a second.
    PerSecond(f64),
    /// A number of bytes.
    Bytes(u64),
    /// Processor cores.
    Cores(f64),
    /// A quantile.
    Quantile(f64),
    /// What became of a claim.
    Result(ClaimResult),
    /// A claim that held in a run that proves nothing, in these words.
    HeldInVain(&'static str),
    /// A value that carries its unit.
    Value(Value),
    /// How long after a moment, in seconds; negative before it.
    Offset(f64),
    /// What marks a row among others.
    Mark(&'static str),
    /// A word that this row explains.
    Term(&'static str),
    /// Words that lead to the table with this name, on the same page.
    Link(String, String),
}

impl Column {
    /// A column of words.
    pub(crate) fn words(heading: &str) -> Self {
        Self::new(heading, &key_of(heading), ColumnKind::Words)
    }

    /// A column of sentences.
    pub(crate) fn sentences(heading: &str) -> Self {
        Self::new(heading, &key_of(heading), ColumnKind::Sentences)
    }

    /// A column of counts.
    pub(crate) fn count(heading: &str) -> Self {
        Self::new(heading, &key_of(heading), ColumnKind::Quantity)
    }

    /// A column of quantities whose plain numbers are in a unit.
    pub(crate) fn quantity(heading: &str, unit: &str) -> Self {
        Self::new(
            heading,
            &format!("{}_{unit}", key_of(heading)),
            ColumnKind::Quantity,
        )
    }

    fn new(heading: &str, key: &str, kind: ColumnKind) -> Self {
        Self {
            heading: heading.to_owned(),
            key: key.to_owned(),
            kind,
        }
    }
}

/// `Not due, came` becomes `not_due_came`.
fn key_of(heading: &str) -> String {
    let kept = heading.chars().map(|letter| {
        if letter.is_ascii_alphanumeric() || letter == '.' {
            letter.to_ascii_lowercase()
        } else {
            '_'
        }
    });
    let kept: String = kept.collect();
    let words: Vec<&str> = kept.split('_').filter(|word| !word.is_empty()).collect();
    words.join("_")
}

impl Cell {
    /// Words for a person.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// What a person reads.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::None => "–".to_owned(),
            Self::Text(text) | Self::Code(text) => text.clone(),
            Self::Count(count) | Self::Bad(count) => count_text(*count),
            Self::Micros(micros) => duration_text(micros / 1e6),
            Self::Percentile(Some(micros)) => duration_text(*micros as f64 / 1e6),
            Self::Percentile(None) => "too few".to_owned(),
            Self::At(seconds) => format!("{seconds:.1} s"),
            Self::Seconds(seconds) => duration_text(*seconds),
            Self::PerSecond(rate) => rate_text(*rate),
            Self::Bytes(bytes) => bytes_text(*bytes),
            Self::Cores(cores) => cores_text(*cores),
            Self::Quantile(quantile) => format!("p{}", digits_of_percentile(*quantile)),
            Self::Result(result) => result.word().to_owned(),
            Self::HeldInVain(words) => (*words).to_owned(),
            Self::Value(value) => value.to_string(),
            Self::Offset(seconds) if *seconds < 0.0 => format!("−{}", duration_text(-seconds)),
            Self::Offset(seconds) => format!("+{}", duration_text(*seconds)),
            Self::Mark(words) | Self::Term(words) => (*words).to_owned(),
            Self::Link(words, _) => words.clone(),
        }
    }

    /// What a program reads: plain numbers in the unit of the column's key.
    pub(crate) fn plain(&self) -> String {
        match self {
            Self::None | Self::Percentile(None) => String::new(),
            Self::Text(text) | Self::Code(text) => text.clone(),
            Self::Count(number) | Self::Bad(number) | Self::Bytes(number) => number.to_string(),
            Self::Percentile(Some(micros)) => micros.to_string(),
            Self::Micros(number)
            | Self::At(number)
            | Self::Seconds(number)
            | Self::PerSecond(number)
            | Self::Cores(number)
            | Self::Quantile(number)
            | Self::Offset(number) => rounded(*number),
            Self::Result(result) => result.word().to_owned(),
            Self::HeldInVain(_) => ClaimResult::Held.word().to_owned(),
            Self::Value(value) => value.to_string(),
            Self::Mark(words) | Self::Term(words) => (*words).to_owned(),
            Self::Link(_, table) => table.clone(),
        }
    }
}

/// At most six places, without trailing zeros.
fn rounded(number: f64) -> String {
    let text = format!("{number:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn digits_of_percentile(quantile: f64) -> String {
    let text = format!("{:.3}", quantile * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(id: &str, title: &str, columns: Vec<Column>) -> Self {
        Self {
            id: id.to_owned(),
            title: title.to_owned(),
            columns,
            rows: Vec::new(),
        }
    }

    /// Whether any row has something in the column at `index`.
    pub(crate) fn has_anything_in(&self, index: usize) -> bool {
        self.rows.iter().any(|row| row[index] != Cell::None)
    }

    /// Whether a column holds sentences.
    pub(crate) fn has_sentences(&self) -> bool {
        let mut columns = self.columns.iter();
        columns.any(|column| column.kind == ColumnKind::Sentences)
    }

    /// Adds a row of as many cells as there are columns.
    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        assert_eq!(
            cells.len(),
            self.columns.len(),
            "a row of table `{}`",
            self.id
        );
        self.rows.push(cells);
    }

    /// A table of counts, each with what it counts and, where needed, a detail.
    pub(crate) fn counts(id: &str, title: &str) -> Self {
        let columns = vec![
            Column::words("What"),
            Column::count("Count"),
            Column::words("Detail"),
        ];
        Self::new(id, title, columns)
    }

    /// Adds a count to a table made by [`Self::counts`]; an empty detail is none.
    pub(crate) fn count(&mut self, what: &str, detail: &str, count: Cell) {
        let detail = match detail {
            "" => Cell::None,
            detail => Cell::text(detail),
        };
        self.row(vec![Cell::text(what), count, detail]);
    }

    /// A table of distributions: `labels` are the columns that say which.
    pub(crate) fn of_distributions(id: &str, title: &str, labels: &[&str]) -> Self {
        let mut columns: Vec<Column> = labels.iter().map(|label| Column::words(label)).collect();
        columns.push(Column::count("n"));
        columns.push(Column::quantity("min", "us"));
        columns.push(Column::quantity("mean", "us"));
        columns.extend(Percentile::SHOWN.map(|shown| Column::quantity(&shown.to_string(), "us")));
        columns.push(Column::quantity("max", "us"));
        Self::new(id, title, columns)
    }

    /// Adds a distribution to a table made by [`Self::of_distributions`]; none without samples.
    pub(crate) fn distribution(&mut self, labels: Vec<Cell>, histogram: &Histogram) {
        let Some(latency) = Latency::of(histogram) else {
            return;
        };
        let mut cells = labels;
        cells.push(Cell::Count(latency.count));
        cells.push(Cell::Micros(latency.min_us as f64));
        cells.push(Cell::Micros(latency.mean_us));
        cells.extend(latency.percentiles_us.map(Cell::Percentile));
        cells.push(Cell::Micros(latency.max_us as f64));
        self.row(cells);
    }

    /// As CSV (RFC 4180), with a header of keys.
    pub(crate) fn to_csv(&self) -> Result<Vec<u8>, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(self.columns.iter().map(|column| &column.key))?;
        for row in &self.rows {
            writer.write_record(row.iter().map(Cell::plain))?;
        }
        writer
            .into_inner()
            .map_err(|error| csv::Error::from(error.into_error()))
    }
}

/// Processor cores: `1.25 cores`, and what is little is not rounded to nothing: `0.004 cores`.
pub(crate) fn cores_text(cores: f64) -> String {
    let places = if cores >= 0.1 { 2 } else { 3 };
    format!("{cores:.places$} cores")
}

/// A share as per cent; what is not all is not rounded to all, nor what is not nothing to nothing.
pub(crate) fn percent(part: f64, whole: f64) -> Option<String> {
    if whole <= 0.0 {
        return None;
    }
    let percent = part / whole * 100.0;
    let text = if percent > 0.0 && percent < 0.001 {
        "<0.001".to_owned()
    } else if percent > 99.999 && percent < 100.0 {
        ">99.999".to_owned()
    } else if percent > 99.9 && percent < 100.0 {
        format!("{percent:.3}")
    } else {
        digits(percent)
    };
    Some(format!("{text} %"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A percentile without enough samples says so to a person and is empty to a program.
    #[test]
    fn missing_percentiles_are_not_zero() {
        let mut table = Table::of_distributions("latency", "Latency", &["what"]);
        let mut histogram = Histogram::new();
        for value_us in 1..=500 {
            histogram.record_us(value_us * 100);
        }

        table.distribution(vec![Cell::text("all")], &histogram);

        let shown: Vec<String> = table.rows[0].iter().map(Cell::shown).collect();
        assert_eq!(shown[4], "25.0 ms");
        assert_eq!(shown[7], "too few");
        let csv = String::from_utf8(table.to_csv().unwrap()).unwrap();
        let (header, row) = csv.trim_end().split_once('\n').unwrap();
        assert_eq!(
            header,
            "what,n,min_us,mean_us,p50_us,p90_us,p95_us,p99_us,p99.9_us,p99.99_us,max_us"
        );
        assert!(row.starts_with("all,500,100,250"), "{row}");
        assert!(row.ends_with(",25007,45023,47519,,,,50000"), "{row}");
    }

    /// One lost message of a million shows.
    #[test]
    fn shares_are_not_rounded_to_all_or_nothing() {
        let of = |part, whole| percent(part, whole).unwrap();

        assert_eq!(of(999_999.0, 1_000_000.0), ">99.999 %");
        assert_eq!(of(604_800.0, 604_850.0), "99.992 %");
        assert_eq!(of(1.0, 1_000_000.0), "<0.001 %");
        assert_eq!(of(1.0, 1.0), "100 %");
        assert_eq!(of(0.0, 1.0), "0 %");
        assert_eq!(percent(1.0, 0.0), None);
    }

    /// Text with commas, quotes and line ends stays one cell.
    #[test]
    fn csv_is_quoted() {
        let mut table = Table::new(
            "t",
            "T",
            vec![Column::words("Client id"), Column::count("n")],
        );

        table.row(vec![Cell::text("a,\"b\"\nc"), Cell::Count(1_000)]);

        let csv = String::from_utf8(table.to_csv().unwrap()).unwrap();
        assert_eq!(csv, "client_id,n\n\"a,\"\"b\"\"\nc\",1000\n");
    }
}
