//! Read back with a parser of XML, and held to what the schemas of Ant and Jenkins ask for.

use roxmltree::{Document, Node};
use squall_run::{Extent, ThresholdResult, Verdict, sample};

use super::*;

/// The elements of a document of results, as both schemas have them; what they would refuse is an error here.
fn suites<'a>(document: &'a Document<'a>) -> Vec<Node<'a, 'a>> {
    let root = document.root_element();
    assert_eq!(
        (root.tag_name().name(), root.attributes().len()),
        ("testsuites", 0)
    );
    let suites: Vec<Node<'_, '_>> = root.children().filter(Node::is_element).collect();
    for (place, suite) in suites.iter().enumerate() {
        assert_eq!(suite.attribute("id"), Some(place.to_string().as_str()));
        check_suite(*suite);
    }
    suites
}

fn check_suite(suite: Node<'_, '_>) {
    let mut names: Vec<&str> = suite.attributes().map(|own| own.name()).collect();
    names.sort_unstable();
    let known = [
        "errors",
        "failures",
        "hostname",
        "id",
        "name",
        "package",
        "skipped",
        "tests",
        "time",
        "timestamp",
    ];
    assert_eq!(names, known);
    let time = suite.attribute("timestamp").unwrap();
    assert!(time.len() == 19 && time.as_bytes()[10] == b'T', "{time}");
    let children: Vec<Node<'_, '_>> = suite.children().filter(Node::is_element).collect();
    let tags: Vec<&str> = children
        .iter()
        .map(|child| child.tag_name().name())
        .collect();
    assert_eq!(tags[0], "properties");
    assert_eq!(tags[tags.len() - 2..], ["system-out", "system-err"]);
    let cases = &children[1..children.len() - 2];
    let mut counts = [0; 3];
    for case in cases {
        assert_eq!(case.tag_name().name(), "testcase");
        for name in ["name", "classname", "time"] {
            let value = case.attribute(name).unwrap();
            assert_eq!(
                value,
                value.split_whitespace().collect::<Vec<_>>().join(" ")
            );
        }
        let found: Vec<Node<'_, '_>> = case.children().filter(Node::is_element).collect();
        assert!(found.len() <= 1);
        if let Some(found) = found.first() {
            let tag = found.tag_name().name();
            let kinds = ["failure", "error", "skipped"];
            counts[kinds.iter().position(|kind| *kind == tag).unwrap()] += 1;
            assert!(tag == "skipped" || found.attribute("type").is_some());
        }
    }
    let said = ["failures", "errors", "skipped"].map(|name| number(suite, name));
    assert_eq!(said, counts);
    assert_eq!(number(suite, "tests"), cases.len());
}

fn number(suite: Node<'_, '_>, name: &str) -> usize {
    suite.attribute(name).unwrap().parse().unwrap()
}

fn case<'a>(suite: Node<'a, 'a>, name: &str) -> Node<'a, 'a> {
    let mut cases = suite.children();
    cases
        .find(|case| case.has_tag_name("testcase") && case.attribute("name") == Some(name))
        .unwrap_or_else(|| panic!("no case {name}"))
}

fn xml_of(run: &Run) -> String {
    file(&[TestSuite::of(run, &run.identity.name)])
}

/// Each claim is a case; what is broken fails with the sentence that `-q` and `summary.md` have.
#[test]
fn what_is_broken_is_a_failure() {
    let run = sample::failing();
    let xml = xml_of(&run);
    let document = Document::parse(&xml).unwrap();

    let suite = suites(&document)[0];

    assert_eq!(number(suite, "tests"), run.judged_claims().len() + 1);
    assert_eq!(number(suite, "failures"), 3);
    let failure = case(suite, "delivery qos=1 lost")
        .first_element_child()
        .unwrap();
    assert_eq!(failure.attribute("type"), Some("invariant"));
    let text = failure.text().unwrap();
    let told = run.told();
    let mut lines = told.iter().flat_map(|part| &part.lines);
    assert!(
        lines.any(|line| format!("{}: {}", line.label, line.text) == text),
        "{text}"
    );
    // Nothing is wrong with the run but its claims.
    assert!(case(suite, "run").first_element_child().is_none());
}

/// A claim that is not judged is skipped, and the run from which nothing follows is an error.
#[test]
fn what_is_not_judged_is_skipped_and_the_run_an_error() {
    let mut run = sample::passing();
    run.measured.thresholds[0].result = ThresholdResult::TooFewSamples;
    let measured = &run.measured;
    run.verdict = Verdict::judge(&measured.checks, &measured.thresholds, Extent::Whole, []);
    let xml = xml_of(&run);
    let document = Document::parse(&xml).unwrap();

    let suite = suites(&document)[0];

    assert_eq!(
        ["failures", "errors", "skipped"].map(|name| number(suite, name)),
        [0, 1, 1]
    );
    let error = case(suite, "run").first_element_child().unwrap();
    assert_eq!(error.tag_name().name(), "error");
    assert!(error.text().unwrap().starts_with("not judged: "));
}

/// Names and seed, version and target come back as they were, whatever characters they have.
#[test]
fn what_xml_has_no_place_for_does_no_harm() {
    let mut run = sample::failing();
    let nasty = "a<b>&\"c\"]]>\u{1b}[31m\u{0}\u{ffff}d\r\n\te'é";
    run.target.url = nasty.to_owned();
    run.measured.checks[0].claims[0].actual = Some(squall_run::Value::Text(nasty.to_owned()));
    let measured = &run.measured;
    run.verdict = Verdict::judge(&measured.checks, &measured.thresholds, Extent::Whole, []);
    let xml = xml_of(&run);

    let document = Document::parse(&xml).unwrap();

    let suite = suites(&document)[0];
    let seen = "a<b>&\"c\"]]>\u{fffd}[31m\u{fffd}\u{fffd}d\r\n\te'é";
    let property = |name: &str| {
        let mut all = suite.descendants();
        let found =
            all.find(|node| node.attribute("name") == Some(name) && node.has_tag_name("property"));
        found.unwrap().attribute("value").unwrap()
    };
    assert_eq!(property("target.url"), seen);
    assert_eq!(property("seed"), "42");
    assert_eq!(property("squall.version"), run.identity.squall.version);
    let failure = case(suite, "delivery qos=1 lost")
        .first_element_child()
        .unwrap();
    assert!(failure.text().unwrap().contains(seen));
    assert!(failure.attribute("message").unwrap().contains(seen));
}

/// Several runs are several suites; one without a verdict is an error, one that was not run is skipped.
#[test]
fn several_runs_are_several_suites() {
    let failed = WithoutVerdict::Failed;
    let xml = file(&[
        TestSuite::of(&sample::passing(), "count=100 run 1"),
        TestSuite::without_verdict("b", "2026-01-01T12:00:00Z", failed, "it cannot be reached"),
        TestSuite::without_verdict(
            "c",
            "2026-01-01T12:00:00Z",
            WithoutVerdict::NotRun,
            "not run",
        ),
    ]);
    let document = Document::parse(&xml).unwrap();

    let suites = suites(&document);

    assert_eq!(suites.len(), 3);
    assert_eq!(suites[0].attribute("name"), Some("count=100 run 1"));
    assert_eq!(number(suites[1], "errors"), 1);
    assert_eq!(number(suites[2], "skipped"), 1);
}
