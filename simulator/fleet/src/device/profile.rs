//! What the devices of one group have in common, and the few things that are one device's own.

use std::rc::Rc;
use std::time::Duration;

use squall_protocol::{
    Version,
    packet::{Connect, ConnectProperties, Subscription, Will, WillProperties},
    topic::{TopicFilter, TopicName},
};
use squall_scenario::{
    Attendance, Backoff, Birth, Carriers, ClientLogin, Distribution, Group, LinesId, Login,
    Network, NetworkId, Publish, Qos2, Reconnect, ReconnectWhen, Respond, Scenario, SessionStart,
    Subscribe, SubscribeTimes, Will as WillTemplate, WillPayload, connects_after,
};

use crate::lines::of_group;
use crate::observation::Wanted;

/// Fills the payload of a will of a given size.
const WILL_FILLER: u8 = b'.';

/// How the devices of a group behave.
#[derive(Debug)]
pub(crate) struct Profile {
    /// MQTT version of every connection.
    pub(crate) version: Version,
    /// What connections run over.
    pub(crate) carriers: Carriers,
    /// Keep Alive; zero is none.
    pub(crate) keep_alive: Duration,
    /// Longest wait for a transport, a CONNACK and a SUBACK, each.
    pub(crate) connect_timeout: Duration,
    /// The streams of messages of each device.
    pub(crate) publishes: Vec<Publish>,
    /// By stream, the command whose lines are its payloads.
    pub(crate) lines: Vec<Option<LinesId>>,
    /// What each device publishes once on each connection.
    pub(crate) birth: Option<Birth>,
    /// What each device answers.
    pub(crate) responds: Vec<Respond>,
    /// Whether and when a device comes back.
    pub(crate) reconnect: Reconnect,
    /// What goes wrong in QoS 2 exchanges.
    pub(crate) qos2: Qos2,
    /// The network that its devices are on; `None` adds nothing to the real one.
    pub(crate) network: Option<(NetworkId, Rc<Network>)>,
    clean_start: bool,
    session_expiry_interval: u32,
    session: SessionStart,
    receive_maximum: u16,
    /// Topic Aliases that a device uses at most, and takes at most; none in 3.1.1.
    pub(crate) topic_aliases: u16,
    /// When its devices are there.
    pub(crate) attendance: Attendance,
    connect_rate: f64,
    login: Login,
    will: Option<WillTemplate>,
    subscribes: Vec<Subscribe>,
}

impl Profile {
    /// How the devices of `group` behave.
    pub(crate) fn new(scenario: &Scenario, group: &Group) -> Self {
        let network = group
            .network
            .map(|id| (id, Rc::new(scenario.network(id).clone())));
        Self {
            version: group.version,
            carriers: group.carriers.clone(),
            keep_alive: Duration::from_secs(group.keep_alive.into()),
            connect_timeout: scenario.run.connect_timeout,
            publishes: group.publishes.clone(),
            lines: of_group(scenario, &group.name, &group.publishes),
            birth: group.birth.clone(),
            responds: group.responds.clone(),
            reconnect: group.reconnect.clone(),
            qos2: group.qos2.clone(),
            network,
            clean_start: group.clean_start,
            session_expiry_interval: group.session_expiry_interval,
            session: group.session,
            receive_maximum: group.receive_maximum.get(),
            topic_aliases: group.topic_alias,
            attendance: group.attendance.clone(),
            connect_rate: group.connect_rate,
            login: group.login.clone(),
            will: group.will.clone(),
            subscribes: group.subscribes.clone(),
        }
    }

    /// How a checker behaves: it connects once, over no link, with a Session that ends with it.
    pub(crate) fn of_checker(scenario: &Scenario) -> Self {
        Self {
            version: scenario.groups[0].version,
            carriers: Carriers::only(scenario.own_carrier()),
            keep_alive: Duration::from_secs(60),
            connect_timeout: scenario.run.connect_timeout,
            publishes: Vec::new(),
            lines: Vec::new(),
            birth: None,
            responds: Vec::new(),
            reconnect: Reconnect {
                when: ReconnectWhen::Never,
                backoff: Backoff::Drawn(Distribution::zero()),
            },
            qos2: Qos2::default(),
            network: None,
            clean_start: true,
            session_expiry_interval: 0,
            session: SessionStart::Fresh,
            receive_maximum: u16::MAX,
            topic_aliases: 0,
            attendance: Attendance::default(),
            connect_rate: 1.0,
            login: scenario.own_login().clone(),
            will: None,
            subscribes: Vec::new(),
        }
    }

    /// Whether a device takes only so many messages of QoS 1 and 2 at once.
    pub(crate) fn limits_quota(&self) -> bool {
        self.version == Version::V5 && self.receive_maximum < u16::MAX
    }

    /// Messages of QoS 1 and 2 that a device has under way at once at most, whatever the broker allows: MQTT 3.1.1 has
    /// nothing by which a broker could say it.
    pub(crate) fn in_flight_max(&self) -> u16 {
        match self.version {
            Version::V5 => u16::MAX,
            Version::V3_1_1 => self.receive_maximum,
        }
    }

    /// Whether the broker had more of them in flight than a device takes.
    pub(crate) fn exceeds_quota(&self, in_flight: usize) -> bool {
        in_flight > usize::from(self.receive_maximum)
    }

    /// Whether a Session outlives its Network Connection.
    pub(crate) fn is_persistent(&self) -> bool {
        self.session_expiry_interval > 0
    }

    /// Whether the run has to end a Session that outlives its connection.
    pub(crate) fn leaves_no_session(&self) -> bool {
        self.is_persistent() && self.session == SessionStart::Fresh
    }

    /// Time from its group's start until the device with this `{index}` connects.
    pub(crate) fn connects_after(&self, index: u32) -> Duration {
        connects_after(self.connect_rate, index)
    }

    /// The CONNECT of one device.
    pub(crate) fn connect(&self, index: u32, client_id: &str) -> Connect {
        let is_v5 = self.version == Version::V5;
        let ClientLogin {
            user_name,
            password,
        } = self.login.of(index, client_id);
        let keep_alive = u16::try_from(self.keep_alive.as_secs()).unwrap_or(u16::MAX);
        let expiry = self.session_expiry_interval;
        let receive_maximum = self.receive_maximum;
        Connect {
            version: self.version,
            clean_start: self.clean_start,
            keep_alive,
            client_id: client_id.to_owned(),
            will: self
                .will
                .as_ref()
                .map(|will| render_will(will, index, client_id)),
            user_name,
            password,
            properties: ConnectProperties {
                session_expiry_interval: (is_v5 && expiry > 0).then_some(expiry),
                receive_maximum: (is_v5 && receive_maximum < u16::MAX).then_some(receive_maximum),
                topic_alias_maximum: (is_v5 && self.topic_aliases > 0)
                    .then_some(self.topic_aliases),
                ..ConnectProperties::default()
            },
        }
    }

    /// What one device subscribes to, and when.
    pub(crate) fn wanted(&self, index: u32, client_id: &str) -> Vec<(Wanted, SubscribeTimes)> {
        self.subscribes
            .iter()
            .map(|subscribe| {
                let wanted = Wanted {
                    filter: subscribe.filter.render(index, client_id),
                    options: subscribe.options,
                    identifier: subscribe.identifier,
                };
                (wanted, subscribe.times.clone())
            })
            .collect()
    }

    /// A Topic Name for a PUBLISH of which only the first half is sent.
    pub(crate) fn any_topic(&self, index: u32, client_id: &str) -> String {
        match &self.will {
            Some(will) => will.topic.render(index, client_id),
            None => client_id.to_owned(),
        }
    }
}

/// What a SUBSCRIBE asks for.
pub(crate) fn subscriptions(wanted: &[Wanted]) -> Vec<Subscription> {
    let filters = filters(wanted).into_iter();
    let subscriptions = filters.zip(wanted).map(|(filter, wanted)| Subscription {
        filter: Ok(filter),
        options: wanted.options,
    });
    subscriptions.collect()
}

/// The filters of an UNSUBSCRIBE.
pub(crate) fn filters(wanted: &[Wanted]) -> Vec<TopicFilter<Box<str>>> {
    // The scenario was checked by the rules of the group's version; 3.1.1 has the fewest.
    let filters = wanted.iter().map(|wanted| {
        TopicFilter::for_version(wanted.filter.clone().into_boxed_str(), Version::V3_1_1)
            .expect("a resolved scenario renders Topic Filters")
    });
    filters.collect()
}

fn render_will(will: &WillTemplate, index: u32, client_id: &str) -> Will {
    let topic = will.topic.render(index, client_id).into_boxed_str();
    Will {
        topic: TopicName::new(topic).expect("a resolved scenario renders Topic Names"),
        payload: render_will_payload(&will.payload, index, client_id),
        qos: will.qos,
        retain: will.retain,
        properties: WillProperties {
            will_delay_interval: (will.delay_interval > 0).then_some(will.delay_interval),
            ..WillProperties::default()
        },
    }
}

fn render_will_payload(payload: &WillPayload, index: u32, client_id: &str) -> Vec<u8> {
    match payload {
        WillPayload::Size(bytes) => vec![WILL_FILLER; *bytes as usize],
        WillPayload::Text(text) | WillPayload::Json(text) => {
            text.render(index, client_id).into_bytes()
        }
        WillPayload::Bytes(fixed) => fixed.bytes.to_vec(),
    }
}
