//! At which QoS the messages of a stream were sent.

use squall_protocol::QoS;

/// The QoS levels that messages of a stream had: several where `[[group.publish]]` blocks of one device share a topic.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct SentAs([bool; 3]);

impl SentAs {
    /// A message was sent at this QoS.
    pub(crate) fn add(&mut self, qos: QoS) {
        self.0[qos as usize] = true;
    }

    /// Whether any message had this QoS.
    pub(crate) fn has(self, qos: QoS) -> bool {
        self.0[qos as usize]
    }

    /// The QoS that all of them had; `None` before the first, and where they had several.
    pub(crate) fn only(self) -> Option<QoS> {
        let mut levels = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce]
            .into_iter()
            .filter(|&qos| self.has(qos));
        levels.next().filter(|_| levels.next().is_none())
    }
}
