//! `action = "flap"`, the keys that it shares with `drop` and `disconnect`, and `contenders` of `takeover`.

use std::time::Duration;

use squall_toml::at::At;
use squall_toml::mistake::Mistake;
use squall_toml::quantity::format_duration;

use super::Resolver;
use super::fault::{resolve_how, usual_length};
use crate::file::{ActionWord, FaultFile, HowWord, ReasonWord};
use crate::{DisconnectReason, DropKind, FaultAction, Flap, FlapEnd};

/// Most connections of one Client Identifier that a device makes one after the other.
const CONTENDERS_MAX: u16 = 1_000;

/// The shortest time in which a device comes and goes once: shorter than a round trip it only asks for transports.
const PERIOD_MIN: Duration = Duration::from_millis(1);

impl Resolver<'_> {
    /// `how`, `reason` and `period` go with the actions that they say something of.
    pub(super) fn check_words(&mut self, file: &FaultFile, at: &At<'_>) {
        let is_flap = file.action == ActionWord::Flap;
        if file.action != ActionWord::Drop && !is_flap {
            self.misplaced(at, "how", "`action = \"drop\"` or `action = \"flap\"`");
        }
        if file.action != ActionWord::Disconnect && !is_flap {
            let condition = "`action = \"disconnect\"` or `action = \"flap\"`";
            self.misplaced(at, "reason", condition);
        }
        if !is_flap {
            self.misplaced(at, "period", "`action = \"flap\"`");
        }
        if file.action != ActionWord::Takeover {
            self.misplaced(at, "contenders", "`action = \"takeover\"`");
        }
    }

    /// How many connections of its Client Identifier a device makes one after the other.
    pub(super) fn resolve_contenders(&mut self, file: &FaultFile, at: &At<'_>) -> u16 {
        let contenders = file.contenders.unwrap_or(1);
        if !(1..=CONTENDERS_MAX).contains(&contenders) {
            let problem = Mistake::OutOfRange {
                value: contenders.to_string(),
                range: format!("1 to {CONTENDERS_MAX}"),
            };
            self.diagnostics.value(&at.key("contenders"), problem);
        }
        contenders
    }

    /// How a device comes and goes.
    pub(super) fn resolve_flap(&mut self, file: &FaultFile, at: &At<'_>) -> FaultAction {
        let period = match file.period {
            Some(period) => {
                if period.0 < PERIOD_MIN {
                    let problem = Mistake::OutOfRange {
                        value: format_duration(period.0),
                        range: format!("at least {}", format_duration(PERIOD_MIN)),
                    };
                    self.diagnostics.value(&at.key("period"), problem);
                }
                period.0
            }
            None => {
                self.needed_by(file.action, "period", at);
                Duration::ZERO
            }
        };
        let length = usual_length(file);
        if length < period && !length.is_zero() {
            let what = format!(
                "it lasts {}, and its `period` is {}: each connection would end once",
                format_duration(length),
                format_duration(period)
            );
            let remedy = "a shorter `period`, or `action = \"drop\"`";
            self.contradiction(&at.key("period"), what, remedy.to_owned());
        }
        if file.how.is_some() && file.reason.is_some() {
            let what = "a connection ends without DISCONNECT, by `how`, or with it, for a `reason`";
            let remedy = "one of the two";
            self.contradiction(&at.key("reason"), what.to_owned(), remedy.to_owned());
        }
        let end = match (file.how, file.reason) {
            (_, Some(ReasonWord::Normal)) => FlapEnd::Disconnect(DisconnectReason::Normal),
            (_, Some(ReasonWord::WithWill)) => FlapEnd::Disconnect(DisconnectReason::WithWill),
            (None, None) => FlapEnd::Drop(DropKind::Fin),
            (Some(how), None) => {
                match how {
                    HowWord::Fin | HowWord::Rst => {}
                    HowWord::Silent
                    | HowWord::HalfClose
                    | HowWord::MidPacket
                    | HowWord::Malformed
                    | HowWord::TlsAbort => {
                        let what = "a device that flaps ends its connections by itself and at once";
                        let remedy = "`how = \"fin\"` or `how = \"rst\"`";
                        self.contradiction(&at.key("how"), what.to_owned(), remedy.to_owned());
                    }
                }
                FlapEnd::Drop(resolve_how(how))
            }
        };
        FaultAction::Flap(Flap { period, end })
    }
}
