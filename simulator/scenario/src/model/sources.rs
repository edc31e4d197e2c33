//! Addresses of this machine to connect from.

use std::net::IpAddr;

/// Most addresses of one target.
pub(crate) const SOURCES_MAX: usize = 256;

/// Why a text names no address to connect from.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SourceError {
    /// It is neither an address nor a range of them.
    #[error(
        "`{text}` is neither an IP address nor a range of them, such as \"127.0.0.1-127.0.0.4\""
    )]
    Malformed {
        /// What the file says.
        text: String,
    },
    /// A range that goes down, or from one family to the other.
    #[error("the range `{text}` does not go up from one address to another of its kind")]
    NotUpwards {
        /// What the file says.
        text: String,
    },
}

/// The addresses that `text` names: one, or a range with both its ends; no more than are of use.
pub(crate) fn parse_sources(text: &str) -> Result<Vec<IpAddr>, SourceError> {
    let malformed = || SourceError::Malformed {
        text: text.to_owned(),
    };
    let address = |part: &str| part.trim().parse::<IpAddr>().map_err(|_| malformed());
    let Some((first, last)) = text.split_once('-') else {
        return Ok(vec![address(text)?]);
    };
    let not_upwards = SourceError::NotUpwards {
        text: text.to_owned(),
    };
    match (address(first)?, address(last)?) {
        (IpAddr::V4(first), IpAddr::V4(last)) if first <= last => {
            let all = (first.to_bits()..=last.to_bits()).take(SOURCES_MAX + 1);
            Ok(all
                .map(|bits| std::net::Ipv4Addr::from_bits(bits).into())
                .collect())
        }
        (IpAddr::V6(first), IpAddr::V6(last)) if first <= last => {
            let all = (first.to_bits()..=last.to_bits()).take(SOURCES_MAX + 1);
            Ok(all
                .map(|bits| std::net::Ipv6Addr::from_bits(bits).into())
                .collect())
        }
        (IpAddr::V4(_) | IpAddr::V6(_), _) => Err(not_upwards),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    /// One address, and a range with both its ends.
    #[test]
    fn an_address_and_a_range_are_read() {
        assert_eq!(parse_sources("::1"), Ok(addresses(&["::1"])));
        let range = addresses(&["127.0.0.254", "127.0.0.255", "127.0.1.0"]);
        assert_eq!(parse_sources("127.0.0.254-127.0.1.0"), Ok(range));
    }

    /// A range that is longer than a target may have tells so by its length, and takes no memory.
    #[test]
    fn a_range_is_not_longer_than_is_of_use() {
        let all = parse_sources("::-ffff::").unwrap();

        assert_eq!(all.len(), SOURCES_MAX + 1);
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in [
            "localhost",
            "127.0.0.2-127.0.0.1",
            "127.0.0.1-::1",
            "127.0.0.1-4",
        ] {
            assert!(parse_sources(text).is_err(), "{text}");
        }
    }
}
