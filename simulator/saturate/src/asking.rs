//! Whether a broker from which nothing comes is there.

use std::time::Duration;

use crate::clock::nanos;
use crate::error::LoadError;
use crate::limits::{DRAIN_ANSWER_MAX, DRAIN_SILENCE_MAX};

/// How far it is: the broker is asked with PINGREQ on each connection, and once all are answered, what is missing has as long again.
#[derive(Debug, Default)]
pub(crate) struct Asking {
    /// Since when it is asked; `None` if it is not yet.
    pub(crate) asked_at: Option<u64>,
    answered_at: Option<u64>,
}

impl Asking {
    /// Whether what is missing does not come: all are answered, and nothing came for a time after that. `unanswered` is the number of
    /// connections that have no answer.
    ///
    /// # Errors
    /// If the answers do not come.
    pub(crate) fn is_over(&mut self, now: u64, unanswered: usize) -> Result<bool, LoadError> {
        let asked_at = *self.asked_at.get_or_insert(now);
        if unanswered > 0 {
            let waited = now - asked_at;
            if waited <= nanos(DRAIN_ANSWER_MAX) {
                return Ok(false);
            }
            return Err(LoadError::Unanswered {
                connections: unanswered,
                silent_s: (DRAIN_SILENCE_MAX + Duration::from_nanos(waited)).as_secs(),
            });
        }
        let answered_at = *self.answered_at.get_or_insert(now);
        Ok(now - answered_at > nanos(DRAIN_SILENCE_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A broker that answers has a time more; one that does not is not judged.
    #[test]
    fn an_answer_is_not_the_end() {
        let s = |s: u64| nanos(Duration::from_secs(s));
        let mut asking = Asking::default();

        assert!(matches!(asking.is_over(s(10), 2), Ok(false)));
        assert!(matches!(asking.is_over(s(12), 0), Ok(false)));
        assert!(matches!(asking.is_over(s(13), 0), Ok(false)));
        assert!(matches!(asking.is_over(s(15), 0), Ok(true)));

        let mut asking = Asking::default();
        assert!(matches!(asking.is_over(s(10), 2), Ok(false)));
        let error = asking.is_over(s(16), 1);
        assert!(
            matches!(
                error,
                Err(LoadError::Unanswered {
                    connections: 1,
                    silent_s: 8
                })
            ),
            "{error:?}"
        );
    }
}
