//! What is special about the devices of a group, for a person: each part as the file would write it.

use squall_protocol::Version;
use squall_toml::quote::quote;

use super::distribution::{backoff, distribution};
use super::text::{duration, pair, table};
use crate::{Availability, Group, ReconnectWhen, Respond, Will};

impl Group {
    /// How its devices differ from those that connect before the load with a clean start, stay, and neither answer nor
    /// leave a will: one line each, in the words of the file. Empty if they do not.
    pub fn specials(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.clean_start {
            lines.push(pair("clean_start", false));
        }
        if self.version == Version::V5 && self.session_expiry_interval > 0 {
            let expiry = std::time::Duration::from_secs(self.session_expiry_interval.into());
            lines.push(pair("session_expiry", duration(expiry)));
        }
        let attendance = &self.attendance;
        lines.extend(attendance.start.map(|at| pair("start", duration(at))));
        lines.extend(attendance.leave.map(|at| pair("leave", duration(at))));
        lines.extend(attendance.availability.as_ref().map(availability));
        match self.reconnect.when {
            ReconnectWhen::Unexpected => {}
            when @ (ReconnectWhen::Never | ReconnectWhen::Always) => {
                let pairs = [
                    pair("when", quote(when.name())),
                    pair("backoff", backoff(&self.reconnect.backoff)),
                ];
                lines.extend(table(pairs.into_iter()).map(|table| pair("reconnect", table)));
            }
        }
        lines.extend(self.will.as_ref().map(will));
        lines.extend(self.responds.iter().map(respond));
        let asked = self.publishes.iter();
        let asked = asked.filter_map(|publish| publish.properties.response_topic.as_ref());
        lines.extend(asked.map(|topic| pair("response_topic", quote(topic.source()))));
        lines
    }
}

fn availability(availability: &Availability) -> String {
    let pairs = [
        pair("up", distribution(&availability.up)),
        pair("down", distribution(&availability.down)),
        pair("how", quote(availability.how.name())),
    ];
    pair("availability", table(pairs.into_iter()).unwrap_or_default())
}

fn will(will: &Will) -> String {
    let retained = if will.retain { ", retained" } else { "" };
    let delay = match will.delay_interval {
        0 => String::new(),
        seconds => format!(", {seconds} s later"),
    };
    let (topic, qos) = (will.topic.source(), will.qos as u8);
    format!("will to {topic}, QoS {qos}{retained}{delay}")
}

fn respond(respond: &Respond) -> String {
    let topic = respond.topic.as_ref();
    let topic = topic.map_or(String::new(), |topic| format!(" on {}", topic.source()));
    let delay = distribution(&respond.delay);
    let (filter, qos) = (respond.filter.source(), respond.qos as u8);
    format!("responds to {filter}{topic}, QoS {qos}, delay {delay}")
}

#[cfg(test)]
mod tests {
    use crate::Scenario;

    fn specials(group: &str) -> Vec<String> {
        let text =
            format!("version = 1\nname = \"a\"\n[[group]]\nname = \"g\"\ncount = 1\n{group}\n");
        let scenario = Scenario::parse("a.toml", &text, &[]);
        scenario.unwrap_or_else(|errors| panic!("{errors}")).groups[0].specials()
    }

    /// What makes a group what it is is said in the words of its file; of plain devices there is nothing to say.
    #[test]
    fn what_is_special_about_a_group_is_said_as_the_file_says_it() {
        let special = specials(
            "clean_start = false\nsession_expiry = \"5m\"\nstart = \"5s\"\nleave = \"20s\"\n\
             availability = { up = \"40s\", down = \"2s\", how = \"rst\" }\n\
             reconnect = { when = \"always\", backoff = \"2s\" }\n\
             [group.will]\ntopic = \"status/{client_id}\"\nretain = true\n\
             [[group.respond]]\nfilter = \"cmd/{client_id}\"\nqos = 1\ndelay = \"5ms\"\n\
             [[group.publish]]\ntopic = \"ask\"\nevery = \"1s\"\nresponse_topic = \"answer\"",
        );

        assert_eq!(
            special,
            [
                "clean_start = false",
                "session_expiry = \"5m\"",
                "start = \"5s\"",
                "leave = \"20s\"",
                "availability = { up = \"40s\", down = \"2s\", how = \"rst\" }",
                "reconnect = { when = \"always\", backoff = \"2s\" }",
                "will to status/{client_id}, QoS 0, retained",
                "responds to cmd/{client_id}, QoS 1, delay \"5ms\"",
                "response_topic = \"answer\"",
            ]
        );
        assert_eq!(specials(""), [""; 0]);
    }
}
