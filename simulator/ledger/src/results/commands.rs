//! Commands that gave payloads: what they gave, and what that leaves undone.

use squall_fleet::LinesReport;
use squall_run::{CommandEnd, LineWaits, PayloadCommand, Reason, duration_text};
use squall_scenario::{LineStream, Scenario};

/// What each command gave. How a process ended is for its shell to say.
pub(super) fn commands(scenario: &Scenario, reports: &[LinesReport]) -> Vec<PayloadCommand> {
    of_each(scenario, reports)
        .map(|(stream, report)| PayloadCommand {
            group: stream.group.name.clone(),
            topic: stream.publish.topic.source().to_owned(),
            command: stream.command.text(),
            lines: report.taken,
            waits: waits(scenario, &stream, report),
            end: report.ended.map(|at| CommandEnd {
                at_s: at.as_secs_f64(),
                how: None,
                last_lines: Vec::new(),
            }),
        })
        .collect()
}

/// How a closed loop waited for its command.
fn waits(scenario: &Scenario, stream: &LineStream<'_>, report: &LinesReport) -> Option<LineWaits> {
    let pacing = &stream.publish.pacing;
    pacing.window?;
    let (begin, end) = pacing.span(&scenario.run);
    let whole = (end - begin) * f64::from(stream.group.count);
    let share = report.waited.as_secs_f64() / whole.max(f64::MIN_POSITIVE);
    Some(LineWaits {
        count: report.waits,
        share: share.min(1.0),
    })
}

/// Closed loops that stood still because their commands gave no more: no message of theirs was due, so none is counted as
/// not sent.
pub(super) fn reasons(scenario: &Scenario, reports: &[LinesReport]) -> Vec<Reason> {
    let short = of_each(scenario, reports).filter(|(_, report)| report.is_short);
    let reasons = short.map(|(stream, report)| {
        let at = report.ended.unwrap_or_default().as_secs_f64();
        Reason::Incomplete(format!(
            "the command `{}` gave no more lines from {} into the run on, and the closed loop of group {} to {} stood still \
             without them: let it write for the whole load, or end the stream before with `count` or `until`",
            stream.command.text(),
            duration_text(at),
            stream.group.name,
            stream.publish.topic.source()
        ))
    });
    reasons.collect()
}

fn of_each<'a>(
    scenario: &'a Scenario,
    reports: &'a [LinesReport],
) -> impl Iterator<Item = (LineStream<'a>, &'a LinesReport)> {
    scenario.line_streams().zip(reports)
}
