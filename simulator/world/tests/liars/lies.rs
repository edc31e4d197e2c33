//! The lies, and which packets each of them touches.

use std::time::Duration;

use squall_protocol::QoS;
use squall_protocol::packet::Publish;
use squall_world::Passing;

use crate::notes::Notes;

/// What passes within this time of the CONNACK is at the beginning of a connection.
const BEGINNING: Duration = Duration::from_millis(60);

/// How many messages at the end of each connection are its last.
const LAST: u64 = 2;

/// What a broker does that it must not.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Lie {
    /// It drops every tenth message that it sends at QoS 0.
    DropQos0,
    /// The same at QoS 1.
    DropQos1,
    /// The same at QoS 2.
    DropQos2,
    /// It drops what it sends just after a connection began.
    DropEarly,
    /// It drops what it sends last on a connection that ends.
    DropLast,
    /// It drops every third message that waited for a Session that was away.
    DropWaited,
    /// It sends every tenth message at QoS 0 twice.
    DoubleQos0,
    /// It sends every tenth message at QoS 1 twice, without DUP.
    DoublePlain,
    /// The same, with DUP.
    DoubleDup,
    /// It sends every third message that waited twice on one connection, with DUP.
    DoubleWaited,
    /// It sends every tenth message at QoS 2 twice.
    DoubleQos2,
    /// It sends messages at QoS 1 that were answered again on the next connection, without DUP.
    AgainPlain,
    /// The same, with DUP.
    AgainDup,
    /// It sends messages that were answered before the last connection again, with DUP.
    AgainLate,
    /// It sends every tenth message behind the next one of its topic.
    Reorder,
    /// It changes the last byte of every tenth message.
    Corrupt,
    /// It drops every third message that it sends out of its store.
    DropRetained,
    /// It drops every second will.
    DropWill,
    /// It sends every second will three seconds late.
    DelayWill,
    /// It sends every second will twice.
    DoubleWill,
    /// It sends what has expired.
    Expired,
    /// It sends every tenth message to another device as well: to another member, where a subscription is shared.
    ToAnother,
    /// It sends every tenth message at a lower QoS.
    LowerQos,
    /// It answers every tenth PUBLISH at QoS 2 with no PUBREC.
    NoPubrec,
    /// It answers every tenth PUBREC with no PUBREL.
    NoPubrel,
    /// It answers every tenth PUBREL with no PUBCOMP.
    NoPubcomp,
    /// Every tenth PUBREC has the identifier of another exchange.
    WrongPubrec,
    /// Every tenth PUBREL has.
    WrongPubrel,
    /// Every tenth PUBCOMP has.
    WrongPubcomp,
    /// It knows nothing of exchanges that began on an earlier connection, and says nothing to what they ask for.
    ForgetExchange,
}

impl Lie {
    /// All of them.
    pub(crate) const ALL: [Self; 30] = [
        Self::DropQos0,
        Self::DropQos1,
        Self::DropQos2,
        Self::DropEarly,
        Self::DropLast,
        Self::DropWaited,
        Self::DoubleQos0,
        Self::DoublePlain,
        Self::DoubleDup,
        Self::DoubleWaited,
        Self::DoubleQos2,
        Self::AgainPlain,
        Self::AgainDup,
        Self::AgainLate,
        Self::Reorder,
        Self::Corrupt,
        Self::DropRetained,
        Self::DropWill,
        Self::DelayWill,
        Self::DoubleWill,
        Self::Expired,
        Self::ToAnother,
        Self::LowerQos,
        Self::NoPubrec,
        Self::NoPubrel,
        Self::NoPubcomp,
        Self::WrongPubrec,
        Self::WrongPubrel,
        Self::WrongPubcomp,
        Self::ForgetExchange,
    ];

    /// Those in the answers of exchanges at QoS 2.
    pub(crate) const IN_EXCHANGES: [Self; 7] = [
        Self::NoPubrec,
        Self::NoPubrel,
        Self::NoPubcomp,
        Self::WrongPubrec,
        Self::WrongPubrel,
        Self::WrongPubcomp,
        Self::ForgetExchange,
    ];

    /// How many packets it must have touched for a run to be judged by it.
    pub(crate) fn touched_min(self) -> u64 {
        match self {
            Self::DropWill | Self::DelayWill | Self::DoubleWill => 3,
            // One exchange that does not end breaks the claim.
            Self::NoPubrec
            | Self::NoPubrel
            | Self::NoPubcomp
            | Self::WrongPubrec
            | Self::WrongPubrel
            | Self::WrongPubcomp => 5,
            Self::DropQos0
            | Self::DropQos1
            | Self::DropQos2
            | Self::DropEarly
            | Self::DropLast
            | Self::DropWaited
            | Self::DoubleQos0
            | Self::DoublePlain
            | Self::DoubleDup
            | Self::DoubleWaited
            | Self::DoubleQos2
            | Self::AgainPlain
            | Self::AgainDup
            | Self::AgainLate
            | Self::Reorder
            | Self::Corrupt
            | Self::DropRetained
            | Self::Expired
            | Self::ToAnother
            | Self::LowerQos
            | Self::ForgetExchange => 20,
        }
    }

    /// Of the packets that it may touch, one in so many.
    pub(crate) fn one_in(self) -> u64 {
        match self {
            Self::DropEarly
            | Self::DropLast
            | Self::Expired
            | Self::AgainPlain
            | Self::AgainDup
            | Self::AgainLate
            | Self::ForgetExchange => 1,
            Self::DropWill | Self::DelayWill | Self::DoubleWill => 2,
            Self::DropWaited | Self::DoubleWaited | Self::DropRetained => 3,
            Self::DropQos0
            | Self::DropQos1
            | Self::DropQos2
            | Self::DoubleQos0
            | Self::DoublePlain
            | Self::DoubleDup
            | Self::DoubleQos2
            | Self::Reorder
            | Self::Corrupt
            | Self::ToAnother
            | Self::LowerQos
            | Self::NoPubrec
            | Self::NoPubrel
            | Self::NoPubcomp
            | Self::WrongPubrec
            | Self::WrongPubrel
            | Self::WrongPubcomp => 10,
        }
    }

    fn is_about_wills(self) -> bool {
        matches!(self, Self::DropWill | Self::DelayWill | Self::DoubleWill)
    }

    /// Whether it may touch a message on its way to a device.
    pub(crate) fn may_touch(
        self,
        passing: &Passing<'_>,
        publish: &Publish<'_>,
        notes: &Notes,
    ) -> bool {
        let is_will = publish.topic.as_str().starts_with("will/");
        if is_will || self.is_about_wills() {
            return is_will && self.is_about_wills();
        }
        if publish.retain || self == Self::DropRetained {
            return publish.retain && self == Self::DropRetained;
        }
        let is_at = |qos| publish.qos == qos;
        match self {
            Self::DropQos0 | Self::DoubleQos0 => is_at(QoS::AtMostOnce),
            Self::DropQos1 | Self::DoublePlain | Self::DoubleDup => is_at(QoS::AtLeastOnce),
            Self::DropQos2 | Self::DoubleQos2 => is_at(QoS::ExactlyOnce),
            Self::DropEarly => notes.age(passing) <= BEGINNING,
            Self::DropLast => notes
                .comes_before_end(passing.socket)
                .is_some_and(|more| more < LAST),
            Self::DropWaited => notes.has_waited(passing, publish),
            Self::DoubleWaited => is_at(QoS::AtLeastOnce) && notes.has_waited(passing, publish),
            Self::ToAnother | Self::Reorder | Self::Corrupt => true,
            Self::LowerQos => !is_at(QoS::AtMostOnce),
            Self::AgainPlain
            | Self::AgainDup
            | Self::AgainLate
            | Self::DropRetained
            | Self::DropWill
            | Self::DelayWill
            | Self::DoubleWill
            | Self::Expired
            | Self::NoPubrec
            | Self::NoPubrel
            | Self::NoPubcomp
            | Self::WrongPubrec
            | Self::WrongPubrel
            | Self::WrongPubcomp
            | Self::ForgetExchange => false,
        }
    }
}
