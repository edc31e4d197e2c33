//! `junit.xml`: claims and thresholds as test cases, for what shows the results of a build.
//!
//! A run is a test suite. It has a test case for each claim and threshold, and one called `run` for what no claim is about.
//! Broken is a failure, with the sentence that `-q` and `summary.md` have. Not judged is skipped: nothing follows from it about the broker.
//! That the run proves nothing, which such a claim or anything else may bring about, is an error of the case `run`, so that an
//! INVALID run is never green. The order and the names of the cases are those of the scenario: no figure and no limit is in them.
//!
//! The format is the one that Ant writes; it has all that its schema and Jenkins' ask for, and nothing that either refuses.

use std::fmt::Write as _;

use squall_run::{ClaimResult, JudgedClaim, Outcome, Reason, Run};

/// The file, in the folder of a run and in that of several.
pub(crate) const JUNIT_FILE: &str = "junit.xml";

/// The case for what no claim is about.
const RUN: &str = "run";

/// A run as a test suite.
#[derive(Clone, Debug, PartialEq)]
pub struct TestSuite {
    name: String,
    /// UTC, ISO 8601 without a zone, whole seconds.
    timestamp: String,
    hostname: String,
    duration_s: f64,
    properties: Vec<(&'static str, String)>,
    cases: Vec<TestCase>,
}

#[derive(Clone, Debug, PartialEq)]
struct TestCase {
    name: String,
    result: TestResult,
}

#[derive(Clone, Debug, PartialEq)]
enum TestResult {
    Passed,
    Failed(Told),
    Errored(Told),
    Skipped(String),
}

/// What a case that did not pass says.
#[derive(Clone, Debug, PartialEq)]
struct Told {
    /// What kind of thing is wrong, in a word or two.
    kind: &'static str,
    /// In a sentence.
    message: String,
    /// All of it, a line each.
    text: String,
}

/// Why a run has no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithoutVerdict {
    /// It failed before there was one.
    Failed,
    /// Its target lacks what the scenario is about, or it was not run.
    NotRun,
}

impl TestSuite {
    /// The suite of `run`, called `name`.
    pub fn of(run: &Run, name: &str) -> Self {
        let claims = run.judged_claims().into_iter().map(TestCase::of_claim);
        Self {
            name: token(name),
            timestamp: run.times.started_at.trim_end_matches('Z').to_owned(),
            hostname: token(&run.machine.hostname),
            duration_s: run.times.duration_s,
            properties: properties(run),
            cases: std::iter::once(TestCase::of_run(run))
                .chain(claims)
                .collect(),
        }
    }

    /// The suite of a run without a verdict, which began at `started_at` (UTC, ISO 8601) or would have.
    pub fn without_verdict(name: &str, started_at: &str, why: WithoutVerdict, text: &str) -> Self {
        let result = match why {
            WithoutVerdict::Failed => TestResult::Errored(Told {
                kind: "no verdict",
                message: text.to_owned(),
                text: text.to_owned(),
            }),
            WithoutVerdict::NotRun => TestResult::Skipped(text.to_owned()),
        };
        Self {
            name: token(name),
            timestamp: started_at.trim_end_matches('Z').to_owned(),
            hostname: token(""),
            duration_s: 0.0,
            properties: vec![("squall.version", env!("CARGO_PKG_VERSION").to_owned())],
            cases: vec![TestCase {
                name: RUN.to_owned(),
                result,
            }],
        }
    }

    /// The same under the name that it has among others.
    #[must_use]
    pub fn named(&self, name: &str) -> Self {
        Self {
            name: token(name),
            ..self.clone()
        }
    }

    fn count(&self, is_it: fn(&TestResult) -> bool) -> usize {
        let cases = self.cases.iter();
        cases.filter(|case| is_it(&case.result)).count()
    }

    fn write(&self, xml: &mut String, id: usize) -> std::fmt::Result {
        let name = attribute(&self.name);
        writeln!(
            xml,
            "  <testsuite id=\"{id}\" package=\"squall\" name=\"{name}\" timestamp=\"{}\" hostname=\"{}\" tests=\"{}\" \
             failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{:.3}\">",
            attribute(&self.timestamp),
            attribute(&self.hostname),
            self.cases.len(),
            self.count(|result| matches!(result, TestResult::Failed(_))),
            self.count(|result| matches!(result, TestResult::Errored(_))),
            self.count(|result| matches!(result, TestResult::Skipped(_))),
            self.duration_s,
        )?;
        xml.push_str("    <properties>\n");
        for (key, value) in &self.properties {
            let value = attribute(value);
            writeln!(xml, "      <property name=\"{key}\" value=\"{value}\"/>")?;
        }
        xml.push_str("    </properties>\n");
        for case in &self.cases {
            case.write(xml, &name, self.duration_s)?;
        }
        // Ant's schema wants both, whatever they hold.
        xml.push_str("    <system-out/>\n    <system-err/>\n  </testsuite>\n");
        Ok(())
    }
}

impl TestCase {
    fn of_claim(claim: JudgedClaim) -> Self {
        let wrong = claim.wrong.unwrap_or_default();
        Self {
            name: token(&claim.name),
            result: match claim.result {
                ClaimResult::Held => TestResult::Passed,
                ClaimResult::Broken => TestResult::Failed(Told {
                    kind: claim.kind.word(),
                    text: format!("{}: {wrong}", claim.kind.word()),
                    message: wrong,
                }),
                ClaimResult::NotJudged => TestResult::Skipped(wrong),
            },
        }
    }

    /// What no claim is about, and whether anything follows from the run.
    fn of_run(run: &Run) -> Self {
        let told = |reasons: Vec<&Reason>| {
            let line = |reason: &&Reason| format!("{}: {}", reason.label(), reason.text());
            let lines: Vec<String> = reasons.iter().map(line).collect();
            reasons.first().map(|first| Told {
                kind: first.label(),
                message: first.text().to_owned(),
                text: lines.join("\n"),
            })
        };
        let result = match run.verdict.outcome {
            Outcome::Pass | Outcome::NoClaims => None,
            Outcome::Fail => told(run.reasons_beside_claims()).map(TestResult::Failed),
            Outcome::Invalid => told(run.verdict.reasons.iter().collect()).map(TestResult::Errored),
        };
        Self {
            name: RUN.to_owned(),
            result: result.unwrap_or(TestResult::Passed),
        }
    }

    /// `suite` is escaped. Claims are judged at the end of the run, which takes no time; the run has its own.
    fn write(&self, xml: &mut String, suite: &str, run_s: f64) -> std::fmt::Result {
        let time_s = if self.name == RUN { run_s } else { 0.0 };
        write!(
            xml,
            "    <testcase classname=\"{suite}\" name=\"{}\" time=\"{time_s:.3}\"",
            attribute(&self.name)
        )?;
        let (element, told) = match &self.result {
            TestResult::Passed => return writeln!(xml, "/>"),
            TestResult::Skipped(why) => {
                let why = attribute(why);
                return writeln!(
                    xml,
                    ">\n      <skipped message=\"{why}\"/>\n    </testcase>"
                );
            }
            TestResult::Failed(told) => ("failure", told),
            TestResult::Errored(told) => ("error", told),
        };
        writeln!(
            xml,
            ">\n      <{element} type=\"{}\" message=\"{}\">{}</{element}>\n    </testcase>",
            attribute(told.kind),
            attribute(&told.message),
            content(&told.text)
        )
    }
}

/// What the results of a build are told apart by.
fn properties(run: &Run) -> Vec<(&'static str, String)> {
    let (identity, target) = (&run.identity, &run.target);
    let mut all = vec![
        ("squall.version", identity.squall.version.clone()),
        ("scenario", identity.name.clone()),
        ("scenario.hash", identity.scenario.hash.clone()),
        ("seed", identity.seed.to_string()),
        ("target.url", target.url.clone()),
    ];
    let optional = [
        ("squall.commit", &identity.squall.commit),
        ("target.name", &target.name),
        ("target.software", &target.software),
    ];
    for (key, value) in optional {
        all.extend(value.clone().map(|value| (key, value)));
    }
    all.push(("verdict", run.verdict.outcome.as_str().to_owned()));
    all.push(("exit_code", run.verdict.exit_code.to_string()));
    all.push(("again", identity.replay.clone()));
    all
}

/// The file of these suites.
pub(crate) fn file(suites: &[TestSuite]) -> String {
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    for (id, suite) in suites.iter().enumerate() {
        suite
            .write(&mut xml, id)
            .expect("a text in memory takes all that is written");
    }
    xml.push_str("</testsuites>\n");
    xml
}

/// `text` as XML Schema wants a token: words with single spaces between; `localhost` without any, as Ant says it.
fn token(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.is_empty() {
        true => "localhost".to_owned(),
        false => words.join(" "),
    }
}

/// `text` as the content of an element.
fn content(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            // `]]>` must not stand in content.
            '>' => escaped.push_str("&gt;"),
            // A reader would turn it into a line feed.
            '\r' => escaped.push_str("&#13;"),
            '\n' | '\t' => escaped.push(letter),
            // XML 1.0, section 2.2: no other control character, and neither of these, may be in a document.
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

/// `text` as the value of an attribute in double quotes.
fn attribute(text: &str) -> String {
    // A reader would turn them into spaces.
    content(text)
        .replace('"', "&quot;")
        .replace('\n', "&#10;")
        .replace('\t', "&#9;")
}

#[cfg(test)]
mod tests;
