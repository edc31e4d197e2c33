//! The live page: one file with its style and its script in it, which asks for nothing but the events.

use squall_reports::{page_style, policy_source};

/// What is written, but for style and script.
const WRITTEN: &str = include_str!("page.html");
/// What it has beside the style of reports.
const STYLE: &str = include_str!("page.css");
/// Draws what the events tell. It holds no `</script`, and nothing of a run is in it.
const SCRIPT: &str = include_str!("page.js");

/// The page, and what it is allowed.
#[derive(Clone, Debug)]
pub struct Page {
    /// The whole file.
    pub html: String,
    /// Its content security policy: its own style and script by their hashes, the font in the style, and events from where it came.
    pub policy: String,
}

impl Page {
    /// Puts it together.
    pub fn new() -> Self {
        let style = page_style() + STYLE;
        let policy = format!(
            "default-src 'none'; script-src '{}'; style-src '{}'; font-src data:; connect-src 'self'; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'",
            policy_source(SCRIPT),
            policy_source(&style),
        );
        let html = WRITTEN
            .replace("<!--style-->", &format!("<style>{style}</style>"))
            .replace("<!--script-->", &format!("<script>{SCRIPT}</script>"));
        Self { html, policy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text between `open` and `close`, which is there once.
    fn between<'a>(text: &'a str, open: &str, close: &str) -> &'a str {
        assert_eq!(text.matches(open).count(), 1, "{open}");
        let (_, after) = text.split_once(open).unwrap();
        after.split_once(close).unwrap().0
    }

    /// The policy allows the style and the script that are in the page, and no other.
    #[test]
    fn style_and_script_are_allowed_by_their_hashes() {
        let page = Page::new();

        let script = between(&page.html, "<script>", "</script>");
        let style = between(&page.html, "<style>", "</style>");

        let policy = &page.policy;
        assert!(policy.contains(&format!("script-src '{}';", policy_source(script))));
        assert!(policy.contains(&format!("style-src '{}';", policy_source(style))));
        assert!(!policy.contains("unsafe"));
    }

    /// No address of another place is in it.
    #[test]
    fn nothing_is_fetched_from_elsewhere() {
        let html = Page::new().html;

        for forbidden in [
            "http:",
            "https:",
            "src=",
            "url(h",
            "@import",
            "<link",
            "<iframe",
            "fetch(",
            "import(",
            "style=\"",
            "onclick",
            "innerHTML",
            "eval(",
        ] {
            let found = html.replace("http://www.w3.org/2000/svg", "");
            assert!(!found.contains(forbidden), "{forbidden}");
        }
    }
}
