//! Groups: fleets of devices that behave alike.

use std::num::NonZeroU16;
use std::time::Duration;

use squall_protocol::{QoS, Version};

use crate::id::{DeviceId, NetworkId};
use crate::{
    Attendance, Birth, Carriers, DeviceTemplate, Login, Publish, Qos2, Reconnect, ReconnectWhen,
    Respond, Subscribe, Will,
};

/// One `[[group]]`: `count` devices.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its name, unique among groups.
    pub name: String,
    /// Devices in it: at least 1.
    pub count: u32,
    /// The device with `{index}` 0; the others follow.
    pub first_device: DeviceId,
    /// The CSV file that `{csv.COLUMN}` in its templates is from.
    pub feed: Option<String>,
    /// By default `{group}-{index}`. Devices of one group may share one Client Identifier,
    /// devices of two groups never do.
    pub client_id: DeviceTemplate,
    /// `protocol`, by default 5.0.
    pub version: Version,
    /// What its devices log in with. By default what `[target]` says.
    pub login: Login,
    /// What its connections run over.
    pub carriers: Carriers,
    /// Clean Start, or Clean Session in 3.1.1. Default true.
    pub clean_start: bool,
    /// Session Expiry Interval in seconds, `u32::MAX` for no end (§3.1.2.11.2). Default 0. In 3.1.1
    /// it says what Clean Session means: 0 if it is set, `u32::MAX` otherwise.
    pub session_expiry_interval: u32,
    /// Whose Sessions the run begins with. Default fresh.
    pub session: SessionStart,
    /// Keep Alive in seconds, 0 for none (§3.1.2.10). Default 60.
    pub keep_alive: u16,
    /// QoS 1 and 2 messages that a device takes at once (§3.1.2.11.3). The default of 65,535 is
    /// sent as an absent property. In MQTT 3.1.1, which has no such property, the most that a device itself has
    /// under way at once of what it publishes.
    pub receive_maximum: NonZeroU16,
    /// Topic Aliases that a device uses at most when it publishes, and its Topic Alias Maximum (§3.1.2.11.5). Default 0.
    pub topic_alias: u16,
    /// Connects per second of the whole group, at the start: device `i` is due after
    /// `i / connect_rate` seconds. Above 0, default 1,000.
    pub connect_rate: f64,
    /// When its devices are there. By default from before the load until after it.
    pub attendance: Attendance,
    /// The profile of its link; `None` adds nothing to the real one.
    pub network: Option<NetworkId>,
    /// Its Last Will.
    pub will: Option<Will>,
    /// What each device publishes once on each of its connections.
    pub birth: Option<Birth>,
    /// What each device publishes.
    pub publishes: Vec<Publish>,
    /// What each device subscribes to, in one SUBSCRIBE: on its first connection, and after each CONNACK
    /// without Session Present. Those of `responds` are the last, in their order.
    pub subscribes: Vec<Subscribe>,
    /// What each device answers.
    pub responds: Vec<Respond>,
    /// Whether and when a device comes back.
    pub reconnect: Reconnect,
    /// Faults in QoS 2 exchanges.
    pub qos2: Qos2,
}

impl Group {
    /// Whether its devices publish at this QoS or a higher one.
    pub fn publishes_at(&self, qos: QoS) -> bool {
        let birth = self.birth.as_ref().is_some_and(|birth| birth.qos >= qos);
        birth || self.publishes.iter().any(|publish| publish.qos >= qos)
    }

    /// Whether its devices publish with RETAIN.
    pub fn publishes_retained(&self) -> bool {
        let birth = self.birth.as_ref().is_some_and(|birth| birth.retain);
        birth || self.publishes.iter().any(|publish| publish.retain)
    }

    /// Its devices, in the order of their `{index}`.
    pub fn devices(&self) -> impl Iterator<Item = DeviceId> + use<> {
        let first = self.first_device.0;
        (first..first + self.count).map(DeviceId)
    }

    /// The Client Identifier of the device with this `{index}`.
    pub fn client_id_of(&self, index: u32) -> String {
        self.client_id.render(index, "")
    }

    /// When the device with this `{index}` is due to connect, after the beginning of the phase.
    pub fn connects_after(&self, index: u32) -> Duration {
        connects_after(self.connect_rate, index)
    }

    /// Time from the end of a connection to its will, unless a connection resumes the Session before: the Will Delay
    /// Interval, or the end of the Session if that is sooner (§3.1.3.2.2).
    pub fn will_delay(&self) -> Duration {
        let interval = self.will.as_ref().map_or(0, |will| will.delay_interval);
        Duration::from_secs(interval.min(self.session_expiry_interval).into())
    }

    /// The same of a device that a fault ended, if it does not come back.
    pub(crate) fn will_delay_of_the_gone(&self) -> Duration {
        match self.reconnect.when {
            ReconnectWhen::Never | ReconnectWhen::Unexpected => self.will_delay(),
            ReconnectWhen::Always => Duration::ZERO,
        }
    }

    /// Whether a Session outlives its Network Connection.
    pub fn is_persistent(&self) -> bool {
        self.session_expiry_interval > 0
    }

    /// Whether a device sends again, after a reconnect, what it had sent at QoS 1 and 2 without an answer:
    /// its Session outlives the connection, and the next CONNECT resumes it (§4.4).
    pub fn keeps_what_is_under_way(&self) -> bool {
        self.is_persistent() && !self.clean_start
    }

    /// Whether a Session of an earlier run would be resumed, though the run is to begin without: no
    /// first CONNECT discards it.
    pub fn may_find_a_session(&self) -> bool {
        !self.clean_start && self.session == SessionStart::Fresh
    }

    /// Whether the run has to end Sessions of the group that outlive their connections.
    pub fn leaves_no_session(&self) -> bool {
        self.is_persistent() && self.session == SessionStart::Fresh
    }

    /// Time from the last packet until the broker must close: 1.5 times Keep Alive
    /// [MQTT-3.1.2-22]; `None` without Keep Alive.
    pub fn keep_alive_limit(&self) -> Option<Duration> {
        (self.keep_alive > 0).then(|| Duration::from_secs(self.keep_alive.into()) * 3 / 2)
    }
}

/// `session`: whose Sessions a run begins with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SessionStart {
    /// Those of its own making: what an earlier run left in the broker is cleared first, and the
    /// run leaves none behind.
    Fresh,
    /// Those that are in the broker; they are left there.
    Resume,
}

impl SessionStart {
    /// The word in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Resume => "resume",
        }
    }
}

/// Time from the start of a group with this `connect_rate` until the device with this `{index}` connects.
pub fn connects_after(connect_rate: f64, index: u32) -> Duration {
    let seconds = f64::from(index) / connect_rate;
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}
