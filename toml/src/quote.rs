//! Pieces of TOML text: what is printed where a person, or a parser, reads TOML.

/// `text` as a TOML string.
pub fn quote(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// `key` as a TOML key: quoted only if it has to be.
pub fn quote_key(key: &str) -> String {
    let is_bare = !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if is_bare { key.to_owned() } else { quote(key) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_quoted_if_it_has_to_be() {
        assert_eq!(quote_key("power-cut_2"), "power-cut_2");
        assert_eq!(quote_key("e2e_latency{qos=1}"), "\"e2e_latency{qos=1}\"");
        assert_eq!(quote_key(""), "\"\"");
    }

    #[test]
    fn a_quoted_text_reads_back() {
        let every: String = ('\0'..='\u{FF}')
            .chain("\u{2028}\u{FEFF}\u{10FFFF}".chars())
            .collect();
        let each = every.chars().map(String::from);
        let texts = [
            "plain",
            "a \"b\" \\ c",
            "two\nlines",
            "'''\u{1F}",
            "",
            &every,
        ]
        .map(str::to_owned);
        for text in each.chain(texts) {
            let document: toml::Table = toml::from_str(&format!("x = {}", quote(&text))).unwrap();
            assert_eq!(document["x"].as_str(), Some(text.as_str()));
        }
    }
}
