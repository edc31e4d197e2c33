//! Why a checker does not know all that is retained, in words.

use squall_fleet::Unchecked;
use squall_run::duration_text;

/// Says that nothing follows from what a checker did not get, and why it did not.
pub(super) fn incomplete(why: Option<Unchecked>) -> String {
    let why = match why {
        Some(Unchecked::Gone) | None => {
            "it had no connection, or its connection ended before it had all".to_owned()
        }
        Some(Unchecked::Refused) => "the broker refused its filter".to_owned(),
        Some(Unchecked::NoSuback) => {
            "its SUBSCRIBE had no SUBACK within run.connect_timeout".to_owned()
        }
        Some(Unchecked::TooLong(limit)) => format!(
            "retained messages were still coming {} after it began, which is the limit: another client publishes there, \
             the broker has more than it can send in that time, or it sets RETAIN on messages that are not out of its store",
            duration_text(limit.as_secs_f64())
        ),
        Some(Unchecked::Stopped) => "the run was stopped meanwhile".to_owned(),
    };
    format!("the checker that asked what is retained did not get all of it: {why}")
}
