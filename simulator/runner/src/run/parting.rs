//! The end of a run's target: whether it still answers, and that it stops.
//!
//! A broker that hangs may keep a run waiting here for minutes, so it is said what is waited for, and a
//! signal cuts it short.

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use squall_run::duration_text;
use tokio::time::timeout;

use super::signals::StopSignals;
use crate::progress::ProgressDisplay;
use crate::target::{Answer, Death, Ending, Haste, Target};

/// What is waited for is said after this long.
const NOTICED_AFTER: Duration = Duration::from_secs(2);

/// What ends a target, and who hears of it.
pub(super) struct Parting<'a> {
    /// Signals that cut the waiting short.
    pub(super) signals: &'a mut StopSignals,
    /// Where it is said what is waited for.
    pub(super) display: &'a RefCell<ProgressDisplay>,
    /// How long to wait.
    pub(super) haste: Haste,
}

/// What became of a target.
#[derive(Debug, Default)]
pub(super) struct Parted {
    /// How it ended; `None` if it answers and squall has nothing to stop.
    pub(super) ending: Option<Ending>,
    /// Why some of its addresses did not answer, where another one did.
    pub(super) silent: Vec<String>,
}

impl Parting<'_> {
    /// Asks `target` whether it still answers, and stops it if squall started it. `death` is how its broker ended by itself, if it was seen to. `silent_max`
    /// is how long it may take for an answer.
    pub(super) async fn part(
        mut self,
        mut target: Target,
        death: Option<Death>,
        silent_max: Duration,
    ) -> Parted {
        if let Some(death) = death {
            // What a broker that died has left: a wrapper that waits, processes that it started.
            let last_lines = target.last_lines();
            let wrapper = self.stop(&mut target).await;
            return Parted {
                ending: Some(Ending::Died {
                    death,
                    wrapper: wrapper.and_then(|ending| ending.status()),
                    last_lines,
                }),
                silent: Vec::new(),
            };
        }
        let answer = self.ask(&mut target, silent_max).await;
        let ending = self.stop(&mut target).await;
        for complaint in target.complaints().await {
            self.display.borrow().remark(&complaint);
        }
        parted(answer, ending)
    }

    async fn ask(&mut self, target: &mut Target, silent_max: Duration) -> Answer {
        if self.haste == Haste::Hurried {
            return Answer::NotWanted;
        }
        let words = format!(
            "waiting for the target to answer a CONNECT, at most {}; a signal ends that",
            text(silent_max)
        );
        tokio::select! {
            answer = said(self.display, &words, target.ask(silent_max)) => answer,
            name = self.signals.next() => {
                self.haste = Haste::Hurried;
                Answer::Unknown(format!("{name} came before it had answered a CONNECT"))
            }
        }
    }

    async fn stop(&mut self, target: &mut Target) -> Option<Ending> {
        let patient = target.stop_max(Haste::Patient)?;
        let mut by = String::new();
        if self.haste == Haste::Patient {
            let words = format!(
                "waiting for the target to stop, at most {} after it was told to, then it is killed; a signal kills it sooner",
                text(patient)
            );
            tokio::select! {
                ending = said(self.display, &words, target.stop(Haste::Patient)) => {
                    return self.told(ending);
                }
                name = self.signals.next() => by = format!("{name}: "),
            }
        }
        let hurried = text(target.stop_max(Haste::Hurried)?);
        let words = format!("{by}the target is killed if it has not stopped in {hurried}");
        self.display.borrow().remark(&words);
        let ending = target.stop(Haste::Hurried).await;
        self.told(ending)
    }

    /// Says that a target had to be killed.
    fn told(&self, ending: Option<Ending>) -> Option<Ending> {
        if let Some(Ending::CutShort(after)) = ending {
            self.display.borrow().remark(&format!(
                "the target had not stopped {} after it was told to and was killed",
                text(after)
            ));
        }
        ending
    }
}

/// Both together: an end that the target came to by itself explains why it does not answer.
fn parted(answer: Answer, ending: Option<Ending>) -> Parted {
    let ending = match answer {
        Answer::Given | Answer::NotWanted => ending,
        Answer::OfSome(silent) => return Parted { ending, silent },
        Answer::Dead(why) => Some(Ending::Silent(why)),
        Answer::Unknown(why) => match ending {
            Some(Ending::Died { .. } | Ending::EndedEarly(_) | Ending::Killed) => ending,
            Some(
                Ending::Stopped(_) | Ending::CutShort(_) | Ending::Silent(_) | Ending::Unasked(_),
            )
            | None => Some(Ending::Unasked(why)),
        },
    };
    Parted {
        ending,
        silent: Vec::new(),
    }
}

/// Waits, and says so if it takes long.
async fn said<T>(
    display: &RefCell<ProgressDisplay>,
    words: &str,
    wait: impl Future<Output = T>,
) -> T {
    let mut wait = pin!(wait);
    if let Ok(done) = timeout(NOTICED_AFTER, &mut wait).await {
        return done;
    }
    display.borrow().remark(words);
    wait.await
}

fn text(duration: Duration) -> String {
    duration_text(duration.as_secs_f64())
}
