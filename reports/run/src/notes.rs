//! What must be known beside the outcome of a run, whatever it is.

use crate::{
    FaultEffect, Measured, PayloadCommand, Publications, Unfinished, count_text, duration_text,
    lag_notes,
};

/// From this share on messages are noted that the scenario kept from being sent.
const NEVER_SENT_NOTED: f64 = 0.01;

impl Measured {
    /// Sentences, each with a full stop, about what happened though nothing in the scenario asked for it:
    /// connections that ended, and messages that were due and never sent. Empty if there are none.
    pub fn unexplained(&self) -> Vec<String> {
        let ends = self.ends_unasked().into_iter();
        ends.chain(self.unsent_unexplained()).collect()
    }

    /// Sentences, each with a full stop, about what neither a claim nor a threshold need be about, and what
    /// makes their figures worth less: faults of the broker, messages in doubt and messages that the broker refused, Sessions that are left in it, and
    /// the generator's lag. Empty if there is nothing to say.
    pub fn notes(&self) -> Vec<String> {
        let unfinished = self.unfinished.iter().map(unfinished);
        let closed_loops = self.closed_loop_note().into_iter();
        let notes = closed_loops
            .chain(self.commands.iter().map(PayloadCommand::note))
            .chain(self.broker_faults())
            .chain(unfinished)
            .chain(self.unsent_explained())
            .chain(self.unstamped())
            .chain(self.in_doubt())
            .chain(self.refused_publishes())
            .chain(self.sessions_left())
            .chain(self.drain.note());
        notes.chain(lag_notes(&self.metrics)).collect()
    }

    /// How many messages were counted only, because they bear no stamp.
    fn unstamped(&self) -> Option<String> {
        let deliveries = &self.accounting.deliveries;
        let came: u64 = deliveries.iter().map(|entry| entry.unstamped).sum();
        let uncounted: u64 = deliveries.iter().map(|entry| entry.uncounted).sum();
        let untold = match uncounted {
            0 => String::new(),
            count => format!(" Of {} of them counts tell nothing.", count_text(count)),
        };
        (came > 0).then(|| {
            format!(
                "{} messages came without a stamp, as the scenario asks, and were counted, not told apart: they are in no latency, and \
                 their order, contents and recipients are not judged. One that is lost and another one that comes twice make up for each \
                 other.{untold}",
                count_text(came)
            )
        })
    }

    /// What a reader of latencies must know where messages had no due time, as a sentence with a full stop; `None` if all
    /// of them had.
    pub fn closed_loop_note(&self) -> Option<String> {
        let streams: Vec<String> = self
            .closed_loops
            .iter()
            .map(|stream| {
                format!(
                    "{} to {} with at most {} unanswered of each device",
                    stream.group,
                    stream.topic,
                    count_text(stream.window.into())
                )
            })
            .collect();
        (!streams.is_empty()).then(|| {
            format!(
                "Closed loop: {}. These messages are due by no schedule, so their latencies count from the write, a broker that \
                 is slow has fewer of them, and they have no share in the schedule lag: what they measure is throughput{}.",
                streams.join("; "),
                self.pace_of_commands()
            )
        })
    }

    /// Which closed loops had the pace of their commands, as the rest of a sentence.
    fn pace_of_commands(&self) -> String {
        let commands = self.commands.iter();
        let slow = commands.filter(|command| command.waits.is_some_and(|it| it.is_dominant()));
        let slow: Vec<String> = slow
            .map(|command| format!("{} to {}", command.group, command.topic))
            .collect();
        match slow.is_empty() {
            true => String::new(),
            false => format!(
                ", but that of a command, not of the broker, for {}",
                slow.join("; ")
            ),
        }
    }

    /// What each fault of the broker did to it, in order of time: how long it was away, and what it did not know afterwards.
    fn broker_faults(&self) -> impl Iterator<Item = String> + '_ {
        self.faults.iter().filter_map(|fault| {
            let what = match fault.action.as_str() {
                "kill_broker" | "restart_broker" => "away",
                "pause_broker" => "paused",
                _ => return None,
            };
            let lasted = fault.lasts_s.map_or_else(
                || "to the end of the run".to_owned(),
                |lasted| format!("for {}", duration_text(lasted)),
            );
            let due = fault.count_of(FaultEffect::SESSIONS_DUE);
            let forgotten = fault.count_of(FaultEffect::SESSIONS_FORGOTTEN);
            let sessions = match due {
                0 => String::new(),
                due => format!(
                    "; it had forgotten {} of {} Sessions that it had to have when it was back",
                    count_text(forgotten),
                    count_text(due)
                ),
            };
            Some(format!(
                "Fault {} at {}: the broker was {what} {lasted}{sessions}.",
                fault.name,
                duration_text(fault.planned_s)
            ))
        })
    }

    /// What was never sent is in no figure of deliveries, also where the scenario itself is the cause: told from one in a
    /// hundred on.
    fn unsent_explained(&self) -> Option<String> {
        let publications = &self.accounting.publications;
        let sum = |count: fn(&Publications) -> u64| publications.iter().map(count).sum::<u64>();
        let explained = sum(|entry| entry.failed.saturating_sub(entry.unsent_unexplained));
        let due = sum(|entry| entry.scheduled);
        let share = explained as f64 / due as f64;
        (share > NEVER_SENT_NOTED).then(|| {
            format!(
                "{} of {} messages that were due, {:.0} %, were never sent, because of what the scenario asks for: no claim about \
                 delivery and no latency is about them. With `clean_start = false` and a `session_expiry` messages of QoS 1 and 2 \
                 wait in their devices instead.",
                count_text(explained),
                count_text(due),
                100.0 * share
            )
        })
    }

    /// What was sent and never answered is owed to nothing: a reader who asks what is missing must be told of
    /// it beside what was lost.
    fn in_doubt(&self) -> Option<String> {
        let publications = &self.accounting.publications;
        let sum = |count: fn(&Publications) -> u64| publications.iter().map(count).sum::<u64>();
        let in_doubt = sum(|entry| entry.in_doubt);
        let acknowledgeable = publications.iter().filter(|entry| entry.qos > 0);
        let sent: u64 = acknowledgeable.map(|entry| entry.sent).sum();
        let missing = in_doubt.saturating_sub(sum(|entry| entry.in_doubt_came));
        let forgotten = match sum(|entry| entry.forgotten) {
            0 => String::new(),
            count => format!(
                " {} were on connections that ended, and their devices do not send them again, since their \
                 Sessions end with their connections: `clean_start = false` and a `session_expiry` keep both.",
                count_text(count)
            ),
        };
        (in_doubt > 0).then(|| {
            format!(
                "{} of {} messages sent at QoS 1 and 2 are in doubt: the broker never answered them, so they are \
                 not owed and not counted as lost. {} of them came to no subscriber.{forgotten}",
                count_text(in_doubt),
                count_text(sent),
                count_text(missing)
            )
        })
    }

    fn refused_publishes(&self) -> Option<String> {
        let refused = self.errors.iter().filter(|error| error.area == "publish");
        let count: u64 = refused.clone().map(|error| error.count).sum();
        (count > 0).then(|| {
            let reasons: Vec<String> = refused
                .map(|error| format!("{} {}", error.reason, count_text(error.count)))
                .collect();
            format!(
                "The broker refused {} messages: {}.",
                count_text(count),
                reasons.join(", ")
            )
        })
    }

    fn sessions_left(&self) -> Option<String> {
        let left = self.sessions.after.failed;
        (left > 0).then(|| {
            format!(
                "Sessions of up to {} Client Identifiers are left in the broker: squall could not end them after the run.",
                count_text(left)
            )
        })
    }

    fn ends_unasked(&self) -> Option<String> {
        let total = self.connections.total();
        let count = total.unexpected_total();
        (count > 0).then(|| {
            let causes: Vec<String> = total
                .unexpected
                .iter()
                .map(|(cause, &count)| format!("{cause} {}", count_text(count)))
                .collect();
            format!(
                "{} of {} connections ended though nothing in the scenario asked for it: {}.",
                count_text(count),
                count_text(total.connected),
                causes.join(", ")
            )
        })
    }

    fn unsent_unexplained(&self) -> Option<String> {
        let publications = &self.accounting.publications;
        let sum = |count: fn(&Publications) -> u64| publications.iter().map(count).sum();
        let unexplained: u64 = sum(|entry| entry.unsent_unexplained);
        (unexplained > 0).then(|| {
            let reasons: Vec<String> = self
                .accounting
                .unsent()
                .iter()
                .map(|(why, &count)| format!("{why} {}", count_text(count)))
                .collect();
            let failed = sum(|entry| entry.failed);
            let which = match failed == unexplained {
                true => "and".to_owned(),
                false => format!("{} of them though", count_text(unexplained)),
            };
            format!(
                "{} of {} messages that were due were never sent, {which} nothing in the scenario explains it: {}.",
                count_text(failed),
                count_text(sum(|entry| entry.scheduled)),
                reasons.join(", ")
            )
        })
    }
}

/// What a distribution has of messages without an end.
fn unfinished(unfinished: &Unfinished) -> String {
    let &Unfinished {
        metric,
        count,
        oldest_us,
    } = unfinished;
    format!(
        "{metric} counts {} messages that were under way when the run ended with their age, {} at most.",
        count_text(count),
        duration_text(oldest_us as f64 / 1e6)
    )
}

#[cfg(test)]
mod tests {
    use crate::{FaultEffect, FaultOccurrence, sample};

    /// Messages that the broker never answered are noted, with what became of them and what would keep them.
    #[test]
    fn messages_in_doubt_are_noted_with_the_remedy() {
        let mut measured = sample::passing().measured;
        let entry = &mut measured.accounting.publications[0];
        entry.in_doubt = 259;
        entry.in_doubt_came = 3;
        entry.forgotten = 255;
        let other = &mut measured.accounting.publications[1];
        (other.in_doubt, other.in_doubt_came) = (0, 0);
        let sent: u64 = measured
            .accounting
            .publications
            .iter()
            .map(|entry| entry.sent)
            .sum();

        let notes = measured.notes();

        assert_eq!(
            notes[0],
            format!(
                "259 of {} messages sent at QoS 1 and 2 are in doubt: the broker never answered them, so they are \
                 not owed and not counted as lost. 256 of them came to no subscriber. 255 were on connections that \
                 ended, and their devices do not send them again, since their Sessions end with their connections: \
                 `clean_start = false` and a `session_expiry` keep both.",
                crate::count_text(sent)
            )
        );
    }

    /// Messages that bear no stamp are noted with what is not known of them.
    #[test]
    fn messages_without_a_stamp_are_noted() {
        let note = |unstamped, uncounted| {
            let mut measured = sample::passing().measured;
            let entry = &mut measured.accounting.deliveries[0];
            (entry.unstamped, entry.uncounted) = (unstamped, uncounted);
            let notes = measured.notes();
            notes
                .into_iter()
                .find(|note| note.contains("without a stamp"))
        };

        assert_eq!(note(0, 0), None);
        let known = note(100, 0).expect("it is noted");
        assert!(
            known.starts_with("100 messages came without a stamp"),
            "{known}"
        );
        assert!(known.ends_with("make up for each other."), "{known}");
        let unknown = note(100, 20).expect("it is noted");
        assert!(
            unknown.ends_with("Of 20 of them counts tell nothing."),
            "{unknown}"
        );
    }

    /// A reader of the terminal learns how long a fault had the broker away, and how much the broker forgot by that.
    #[test]
    fn a_fault_of_the_broker_is_noted_with_what_the_broker_forgot() {
        let mut measured = sample::passing().measured;
        let count = |what: &str, count| FaultEffect {
            what: what.to_owned(),
            count,
            longest_s: None,
        };
        let fault = FaultOccurrence {
            name: "crash".to_owned(),
            action: "kill_broker".to_owned(),
            how: None,
            group: None,
            planned_s: 8.0,
            at_s: 8.1,
            lasts_s: Some(2.03),
            selected: 1,
            applied: 1,
            effects: vec![
                count(FaultEffect::SESSIONS_DUE, 42),
                count(FaultEffect::SESSIONS_FORGOTTEN, 40),
            ],
            first_anomaly: None,
        };
        let pause = FaultOccurrence {
            name: "freeze".to_owned(),
            action: "pause_broker".to_owned(),
            lasts_s: None,
            effects: Vec::new(),
            ..fault.clone()
        };
        measured.faults = vec![fault, pause];

        let notes = measured.notes();

        assert_eq!(
            notes[..2],
            [
                "Fault crash at 8.00 s: the broker was away for 2.03 s; it had forgotten 40 of 42 Sessions that it had to have \
                 when it was back.",
                "Fault freeze at 8.00 s: the broker was paused to the end of the run."
            ]
        );
    }

    /// What the scenario kept from being sent is in no claim, and a reader is told how much that was.
    #[test]
    fn messages_that_the_scenario_kept_back_are_noted_from_one_in_a_hundred_on() {
        let mut measured = sample::passing().measured;
        let entries = &mut measured.accounting.publications;
        let due: u64 = entries.iter().map(|entry| entry.scheduled).sum();
        for entry in entries.iter_mut() {
            (entry.failed, entry.unsent_unexplained) = (0, 0);
        }
        let note = |measured: &crate::Measured| {
            let mut notes = measured.notes().into_iter();
            notes.find(|note| note.contains("were never sent"))
        };
        entries[0].failed = due / 100;
        let few = note(&measured);
        let entry = &mut measured.accounting.publications[0];
        (entry.failed, entry.unsent_unexplained) = (due / 5 + 7, 7);

        let many = note(&measured).expect("a fifth is noted");

        assert_eq!(few, None);
        let told = format!(
            "{} of {} messages that were due, 20 %, were never sent, because of what the scenario asks for",
            crate::count_text(due / 5),
            crate::count_text(due)
        );
        assert!(many.starts_with(&told), "{many}");
    }

    /// Ends that nothing asked for and messages that were not sent are told with their reasons.
    #[test]
    fn what_nothing_asked_for_is_noted() {
        let mut measured = sample::passing().measured;
        let before = measured.unexplained();
        let group = &mut measured.connections.groups[0];
        group.unexpected = [("peer closed (FIN)".to_owned(), 425)].into();
        let connected = measured.connections.total().connected;
        let entry = &mut measured.accounting.publications[0];
        entry.failed = 1_500;
        entry.unsent = [("not connected (peer closed (FIN))".to_owned(), 1_500)].into();
        entry.unsent_unexplained = 1_400;
        let due: u64 = measured
            .accounting
            .publications
            .iter()
            .map(|entry| entry.scheduled)
            .sum();
        let unsent: u64 = measured
            .accounting
            .publications
            .iter()
            .map(|entry| entry.failed)
            .sum();

        let notes = measured.unexplained();

        assert!(!before.iter().any(|note| note.contains("connections ended")));
        assert_eq!(
            notes[0],
            format!(
                "425 of {} connections ended though nothing in the scenario asked for it: peer closed (FIN) 425.",
                crate::count_text(connected)
            )
        );
        assert_eq!(
            notes[1],
            format!(
                "{} of {} messages that were due were never sent, 1,400 of them though nothing in \
                 the scenario explains it: not connected (fault power-cut) 9, not connected (peer \
                 closed (FIN)) 1,500.",
                crate::count_text(unsent),
                crate::count_text(due)
            )
        );
    }
}
