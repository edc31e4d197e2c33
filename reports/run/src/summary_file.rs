//! `summary.json`: the verdict and the figures of a run, for programs that need no histograms.
//!
//! Its JSON Schema is generated from these types: `squall schema summary`.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

use crate::{Outcome, Run, Stop, Summary, VERSION, Verdict, proposed_claims};

/// The verdict of one run, and the figures that its report heads with.
///
/// Units are in the names of the fields: `_s` seconds, `_us` microseconds, `_bytes` bytes, `_cores`
/// processor cores, `_per_s` a second. A field that is `null` was not measured, or has fewer samples
/// than it needs.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "squall summary, version 2")]
pub struct SummaryFile {
    /// Version of this format; the same as that of the run file beside it.
    pub version: u32,
    /// Name of the scenario.
    pub name: String,
    /// Seed of the run: with the same scenario it repeats all that squall draws.
    pub seed: u64,
    /// What follows from the run, and why.
    pub verdict: Verdict,
    /// What a reader must know before reading the figures: how much of them is squall's own delay,
    /// how much of the load was never sent. Sentences; empty if there is nothing to say.
    pub notes: Vec<String>,
    /// What stands out in the measured part though no claim asks for it: memory that grows in a straight line, a stall of
    /// deliveries, a step of latency at a fault. Sentences; empty if nothing does.
    pub observations: Vec<String>,
    /// Where the run was stopped; left out if it ran to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stop>,
    /// Claims to paste into the scenario, as TOML; left out if it makes some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposed_claims: Option<String>,
    /// The figures.
    pub summary: Summary,
}

impl SummaryFile {
    /// What `run` comes to.
    pub fn of(run: &Run) -> Self {
        Self {
            version: VERSION,
            name: run.identity.name.clone(),
            seed: run.identity.seed,
            verdict: run.verdict.clone(),
            notes: run.notes(),
            observations: run.observations(),
            stopped: run.times.stopped,
            proposed_claims: (run.verdict.outcome == Outcome::NoClaims)
                .then(|| proposed_claims(&run.measured)),
            summary: Summary::of(run),
        }
    }

    /// The JSON Schema of `summary.json`.
    pub fn json_schema() -> schemars::Schema {
        SchemaSettings::draft2020_12()
            .for_serialize()
            .into_generator()
            .into_root_schema_for::<Self>()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Calls `check` with every object schema's properties, by a path to each.
    fn each_property(schema: &Value, path: &str, check: &mut dyn FnMut(&str, &Value)) {
        match schema {
            Value::Object(parts) => {
                if let Some(Value::Object(properties)) = parts.get("properties") {
                    for (name, property) in properties {
                        check(&format!("{path}.{name}"), property);
                    }
                }
                for (name, part) in parts {
                    each_property(part, &format!("{path}/{name}"), check);
                }
            }
            Value::Array(parts) => {
                for part in parts {
                    each_property(part, path, check);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Each field of the file says what it means.
    #[test]
    fn every_field_is_described() {
        let schema = SummaryFile::json_schema().to_value();
        let mut silent = Vec::new();

        each_property(&schema, "", &mut |path, property| {
            // The tag of a reason and its text are described with the reason.
            let is_reason = property.get("const").is_some() || path.contains("Reason");
            if !is_reason && property.get("description").is_none() {
                silent.push(path.to_owned());
            }
        });

        assert_eq!(silent, Vec::<String>::new());
    }
}
