//! Families of samples, and how OpenMetrics 1.0 writes them.

/// Samples of one name.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// With `squall_` before it, and its unit written out behind.
    pub name: String,
    /// `gauge`, `summary`, `info` or `stateset`.
    pub kind: &'static str,
    /// The unit that its name ends with, if OpenMetrics has one there.
    pub unit: Option<&'static str>,
    /// What it is.
    pub help: String,
    /// None of them: the family is left out.
    pub samples: Vec<Sample>,
}

/// What is after the family's name, the labels, and the number.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Behind the name: nothing, `_count`, `_sum` or `_info`.
    pub suffix: &'static str,
    /// In order.
    pub labels: Vec<(&'static str, String)>,
    /// In the family's unit; NaN for what is not known.
    pub number: f64,
}

impl Family {
    /// A gauge of that name without `squall_`, without a unit.
    pub fn gauge(name: &str, help: &str, samples: Vec<Sample>) -> Self {
        Self {
            name: format!("squall_{name}"),
            kind: "gauge",
            unit: None,
            help: help.to_owned(),
            samples,
        }
    }

    /// Nothing without samples.
    fn text(&self) -> String {
        if self.samples.is_empty() {
            return String::new();
        }
        let (name, kind) = (&self.name, self.kind);
        let mut text = format!("# TYPE {name} {kind}\n");
        if let Some(unit) = self.unit {
            text.push_str(&format!("# UNIT {name} {unit}\n"));
        }
        let help = self.help.split_whitespace().collect::<Vec<_>>().join(" ");
        text.push_str(&format!("# HELP {name} {}\n", escaped(&help)));
        for sample in &self.samples {
            let pairs = sample.labels.iter();
            let pairs = pairs.map(|(key, value)| format!("{key}=\"{}\"", escaped(value)));
            let labels = pairs.collect::<Vec<_>>().join(",");
            let labels = match labels.is_empty() {
                true => labels,
                false => format!("{{{labels}}}"),
            };
            text.push_str(&format!(
                "{name}{}{labels} {}\n",
                sample.suffix, sample.number
            ));
        }
        text
    }
}

/// A number with these labels.
pub fn sample(labels: Vec<(&'static str, String)>, number: f64) -> Sample {
    Sample {
        suffix: "",
        labels,
        number,
    }
}

/// The whole text of these families.
pub fn open_metrics_text(families: &[Family]) -> String {
    let mut text: String = families.iter().map(Family::text).collect();
    text.push_str("# EOF\n");
    text
}

/// As a text in quotes or after `# HELP` is written.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
