//! The sheet that is printed and put in a drawer: all that a frightened person needs at an airport.

use landfall_crypto::recovery_code::RecoveryCode;
use landfall_crypto::secret::SecretText;
use landfall_crypto::server_line::ServerLine;
use landfall_identity::UserName;
use landfall_protocol::At;
use zeroize::Zeroizing;

/// What stands on a sheet.
pub struct Sheet<'a> {
    /// The server, and how to know it.
    pub server: &'a ServerLine,
    /// Whose codes these are.
    pub user: &'a UserName,
    /// When they were made.
    pub made_at: At,
    /// The codes.
    pub codes: &'a [RecoveryCode],
}

const STYLE: &str = "body{font:12pt/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#000;background:#fff}\
h1{font-size:20pt;margin:0 0 .25rem}h2{font-size:14pt;margin:1.5rem 0 .5rem}\
.code,.line{font:13pt/1.9 ui-monospace,monospace;overflow-wrap:anywhere}\
ol.code{padding-left:2.5rem}ol.code li::after{content:'  \\2610'}\
p{margin:.5rem 0}@media print{body{margin:0}}";

impl Sheet<'_> {
    /// The sheet as one HTML file that needs nothing else and asks nobody.
    pub fn html(&self) -> SecretText {
        let mut page = Zeroizing::new(String::with_capacity(8 * 1024));
        let user = escaped(self.user.as_str());
        let made = self.made_at.to_text().unwrap_or_default();
        let made = made.split('T').next().unwrap_or_default();
        page.push_str("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
        page.push_str("<meta name=\"viewport\" content=\"width=device-width\">");
        page.push_str(&format!("<title>Landfall recovery codes of {user}</title>"));
        page.push_str(&format!("<style>{STYLE}</style></head><body>\n"));
        page.push_str(&format!("<h1>Recovery codes of {user}</h1>\n<p>Made on {made}. "));
        page.push_str(
            "Print this, keep it where you keep your passport, and delete the file. Whoever has a \
             code and one more proof can become you.</p>\n",
        );
        page.push_str("<h2>When every device is gone</h2>\n<ol>\n");
        for step in [
            "Take any computer that you trust and install Landfall on it.",
            "Type: <span class=\"line\">landfall recover</span>",
            "When it asks for the server, type the line below, all of it.",
            "Give your user name, and one code. Tick it off: a used code works no more.",
            "Call an administrator and read out the eight characters that the screen shows.",
            "Write the new code that you are given onto this sheet.",
        ] {
            page.push_str(&format!("<li>{step}</li>\n"));
        }
        page.push_str("</ol>\n<p>Nothing is lost when you close it in between: ");
        page.push_str("<span class=\"line\">landfall recover</span> goes on.</p>\n");
        let line = escaped(&self.server.to_string()).replace('#', "#<wbr>");
        page.push_str(&format!("<h2>Server</h2>\n<p class=\"line\">{line}</p>\n"));
        page.push_str(&format!("<h2>User</h2>\n<p class=\"line\">{user}</p>\n"));
        page.push_str("<h2>Codes</h2>\n<ol class=\"code\">\n");
        for code in self.codes {
            page.push_str("<li>");
            page.push_str(&code.to_text());
            page.push_str("</li>\n");
        }
        page.push_str("</ol>\n</body></html>\n");
        page
    }
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
    use super::*;
    use landfall_crypto::ambient::SystemRandom;
    use landfall_identity::Timestamp;

    #[test]
    fn a_sheet_carries_all_that_a_bare_machine_must_know() {
        let codes: Vec<_> = (0..10).map(|_| RecoveryCode::generate(&SystemRandom)).collect();
        let server = ServerLine::parse(&format!("https://x.example:8443#{}0", "A".repeat(51)));
        let server = server.unwrap();
        let user = UserName::parse("bert").unwrap();
        let made_at = At(Timestamp::from_seconds(1_795_269_600));
        let sheet = Sheet { server: &server, user: &user, made_at, codes: &codes };
        let html = sheet.html();
        assert!(html.contains("Made on 2026-11-21") && html.contains("landfall recover"));
        assert!(html.replace("<wbr>", "").contains(&server.to_string()));
        for code in &codes {
            assert!(html.contains(code.to_text().as_str()));
        }
        assert!(!html.contains("http://") && !html.contains("<script"), "it asks nobody");
    }

    #[test]
    fn what_could_be_markup_is_none() {
        assert_eq!(escaped("a<b>&\"c"), "a&lt;b&gt;&amp;&quot;c");
    }
}
