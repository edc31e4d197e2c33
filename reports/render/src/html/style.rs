//! The page's stylesheet: the written part, the font, and the charts' dark colours.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::chart::font;
use crate::chart::theme::{Theme, dark_rules, variables};

const WRITTEN: &str = include_str!("style.css");

/// The whole stylesheet.
pub(super) fn sheet() -> String {
    let mut sheet = String::new();
    for (weight, bytes) in [(400, font::REGULAR), (600, font::SEMI_BOLD)] {
        let data = BASE64.encode(bytes);
        sheet.push_str(&format!(
            "@font-face{{font-family:Inter;font-weight:{weight};src:url(data:font/otf;base64,{data})}}\n"
        ));
    }
    sheet.push_str(WRITTEN);
    sheet.push_str("@media screen and (prefers-color-scheme: dark){");
    sheet.push_str(&dark_rules(".chart"));
    sheet.push_str("}\n");
    sheet
}

/// The stylesheet of a page of squall's that is no report: that of reports, with the colours of charts as variables:
/// `--series-0` to `--series-5`, `--grid`, `--axis`, `--fault`, `--phase`.
pub fn page_style() -> String {
    let mut sheet = sheet();
    sheet.push_str(&format!(":root{{{}}}\n", variables(Theme::Light)));
    sheet.push_str(&format!(
        "@media screen and (prefers-color-scheme: dark){{:root{{{}}}}}\n",
        variables(Theme::Dark)
    ));
    sheet
}
