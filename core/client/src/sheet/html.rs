//! The sheet as one HTML file that needs nothing else and asks nobody.

use super::{CODES, KEEP, LOST, SERVER, Sheet, USER, WHEN};
use crate::qr::{QUIET, dark, qr_picture};
use landfall_crypto::secret::SecretText;
use zeroize::Zeroizing;

const STYLE: &str = "body{font:11pt/1.45 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#000;background:#fff}\
h1{font-size:20pt;margin:0 0 .25rem}h2{font-size:13pt;margin:1rem 0 .25rem}\
.code,.line{font:12pt/1.8 ui-monospace,monospace;overflow-wrap:anywhere}\
ol.code{padding-left:2.5rem;margin:0}ol.code li::after{content:'  \\2610'}\
.server{display:flex;gap:1.5rem;justify-content:space-between}.server svg{width:8rem;flex:none}\
p,ol{margin:.35rem 0}@page{margin:16mm}@media print{body{margin:0;padding:0}}";

impl Sheet<'_> {
    /// The sheet as one HTML file that needs nothing else and asks nobody.
    pub fn html(&self) -> SecretText {
        let mut page = Zeroizing::new(String::with_capacity(32 * 1024));
        let title = escaped(&self.title());
        page.push_str("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
        page.push_str("<meta name=\"viewport\" content=\"width=device-width\">");
        page.push_str(&format!("<title>{title}</title><style>{STYLE}</style></head><body>\n"));
        page.push_str(&format!("<h1>{title}</h1>\n<p>Made on {}. {KEEP}</p>\n", self.made_on()));
        page.push_str(&format!("<h2>{WHEN}</h2>\n<ol>\n"));
        for step in self.steps() {
            page.push_str(&format!("<li>{}</li>\n", typed(&step)));
        }
        let line = self.server.to_string();
        let shown = escaped(&line).replace('#', "#<wbr>");
        page.push_str(&format!("</ol>\n<div class=\"server\"><div><h2>{SERVER}</h2>\n"));
        page.push_str(&format!("<p class=\"line\">{shown}</p>\n"));
        let user = escaped(self.user.as_str());
        page.push_str(&format!("<h2>{USER}</h2>\n<p class=\"line\">{user}</p></div>\n"));
        page.push_str(&picture(&line));
        page.push_str(&format!("</div>\n<h2>{CODES}</h2>\n<ol class=\"code\">\n"));
        for code in self.code_texts() {
            page.push_str("<li>");
            page.push_str(&code);
            page.push_str("</li>\n");
        }
        page.push_str(&format!("</ol>\n<p>{LOST}</p>\n</body></html>\n"));
        page
    }
}

/// The server's line to scan. It holds no secret.
fn picture(line: &str) -> String {
    let drawn = qr_picture(line);
    let size = drawn.rows.len() + 2 * QUIET;
    let path: String =
        dark(&drawn).map(|(x, y)| format!("M{} {}h1v1h-1z", x + QUIET, y + QUIET)).collect();
    format!(
        "<svg viewBox=\"0 0 {size} {size}\" role=\"img\" aria-label=\"The server line as a picture to scan\" shape-rendering=\"crispEdges\"><path d=\"{path}\"/></svg>\n"
    )
}

/// What is typed, set apart.
fn typed(text: &str) -> String {
    let piece = |(place, piece): (usize, &str)| match place % 2 {
        0 => escaped(piece),
        _ => format!("<span class=\"line\">{}</span>", escaped(piece)),
    };
    text.split('`').enumerate().map(piece).collect()
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::with_sheet;
    use super::*;

    #[test]
    fn a_sheet_carries_all_that_a_bare_machine_must_know() {
        with_sheet(8, |sheet| {
            let html = sheet.html();
            assert!(html.contains("Made on 2026-11-21") && html.contains("landfall recover"));
            assert!(html.replace("<wbr>", "").contains(&sheet.server.to_string()));
            for code in sheet.code_texts() {
                assert!(html.contains(code.as_str()));
            }
            assert!(!html.contains("http://") && !html.contains("<script"), "it asks nobody");
            assert!(html.contains("<svg ") && html.contains("M4 4h1v1h-1z"), "it can be scanned");
        });
    }

    #[test]
    fn what_could_be_markup_is_none() {
        assert_eq!(escaped("a<b>&\"c"), "a&lt;b&gt;&amp;&quot;c");
        assert_eq!(typed("type `a<b` now"), "type <span class=\"line\">a&lt;b</span> now");
    }
}
