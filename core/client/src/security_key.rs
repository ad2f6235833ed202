//! The browser's half of a ceremony, done by the app itself because the key is plugged into this machine.
//!
//! A browser protects its user by telling the authenticator only the site that it shows. The app must do
//! the same: a server that was broken into could else have the key sign for any other site in the world.
//! So the page must be the server's own, and what the key is asked for is checked against the page's
//! origin as WebAuthn says.

use crate::ask::read_json;
use crate::enroll::misplaced;
use crate::failure::Failure;
use crate::http::{Http, Request};
use crate::loss::Loss;
use crate::shell::Shell;
use crate::texts;
use landfall_identity::id::CeremonyId;
use landfall_protocol::ceremony::{
    CeremonyBegun, CeremonyFinishRequest, CeremonyFinished, CeremonyOptions,
    CeremonyOptionsRequest, CeremonyPurpose,
};
use landfall_protocol::{ErrorCode, paths};
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::{Host, Url};
use zeroize::Zeroizing;

/// The server that asks, and a line to it.
pub(crate) struct Site<'a> {
    pub(crate) server: &'a Url,
    pub(crate) http: &'a Http,
}

/// A ceremony page's address, taken apart as the page's own script does.
pub(crate) struct Page {
    /// The page's origin: what the key signs for.
    origin: Url,
    purpose: CeremonyPurpose,
    ceremony_id: CeremonyId,
    secret: Zeroizing<String>,
}

impl Page {
    /// Takes the address apart.
    ///
    /// # Errors
    /// `security-key-unusable` when it is not the server's own page: a browser shows whose it is.
    pub(crate) fn of(begun: &CeremonyBegun, site: &Site<'_>) -> Result<Self, Failure> {
        let page = Url::parse(&begun.page_url).map_err(|_| misplaced())?;
        if !is_own(&page, site.server) {
            return Err(Failure::new(ErrorCode::SecurityKeyUnusable, texts::PAGE_OF_ANOTHER));
        }
        let fragment = page.fragment().unwrap_or_default();
        let parts: Vec<&str> = fragment.split('.').collect();
        let [purpose, id, secret] = parts[..] else { return Err(misplaced()) };
        let purpose = match purpose {
            "register" => CeremonyPurpose::Register,
            "step-up" => CeremonyPurpose::StepUp,
            "recover" => CeremonyPurpose::Recover,
            _ => return Err(misplaced()),
        };
        let ceremony_id = id.parse().map_err(|_| misplaced())?;
        let secret = Zeroizing::new(secret.to_owned());
        let mut origin = page;
        origin.set_path("/");
        origin.set_query(None);
        origin.set_fragment(None);
        Ok(Self { origin, purpose, ceremony_id, secret })
    }

    /// Has the key answer, and hands the answer in. Yields where a browser would be sent.
    ///
    /// # Errors
    /// What the key, or the server, says.
    pub(crate) async fn by_key(&self, shell: &dyn Shell, http: &Http) -> Result<String, Failure> {
        let (ceremony_id, secret) = (self.ceremony_id.clone(), self.secret.to_string());
        let body = CeremonyOptionsRequest { ceremony_id, secret };
        let options: CeremonyOptions = self.post(http, self.routes().0, &body).await?;
        let credential = shell.use_security_key(&self.origin, &options).await?;
        let CeremonyOptionsRequest { ceremony_id, secret } = body;
        let body = CeremonyFinishRequest { ceremony_id, secret, credential };
        match self.post(http, self.routes().1, &body).await? {
            CeremonyFinished::Redirect { url } => Ok(url),
            CeremonyFinished::Show { .. } => Err(misplaced()),
        }
    }

    /// Where the page reads what to ask, and where it hands in the answer.
    fn routes(&self) -> (&'static str, &'static str) {
        match self.purpose {
            CeremonyPurpose::Register => (paths::REGISTER_OPTIONS, paths::REGISTER_FINISH),
            CeremonyPurpose::StepUp => (paths::STEP_UP_OPTIONS, paths::STEP_UP_FINISH),
            CeremonyPurpose::Recover => (paths::RECOVER_OPTIONS, paths::RECOVER_FINISH),
        }
    }

    /// What the page's script would send, on the line that this app trusts.
    async fn post<T: DeserializeOwned>(
        &self,
        http: &Http,
        path: &'static str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let bytes = serde_json::to_vec(body).map_err(|_| misplaced())?;
        let mut request = Request::new(Method::POST, path);
        request.body = Some(Zeroizing::new(bytes));
        // Nothing is done before this app collects it.
        request.loss = Loss::Nothing;
        request.headers = vec![
            ("origin", self.origin.origin().ascii_serialization()),
            ("sec-fetch-site", "same-origin".to_owned()),
        ];
        read_json(&http.send(&request).await?)
    }
}

/// Whether `page` is one of `server`'s: on the same host over https, or on this machine's own
/// `localhost` when the server is on this machine too.
fn is_own(page: &Url, server: &Url) -> bool {
    let bare = page.username().is_empty() && page.password().is_none();
    let same = page.scheme() == "https" && page.host().is_some() && page.host() == server.host();
    let local = page.scheme() == "http"
        && page.host_str() == Some("localhost")
        && server.host().is_some_and(|host| match host {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        });
    bare && (same || local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_signs_for_the_servers_own_page_only() {
        let own = |page: &str, server: &str| {
            is_own(&Url::parse(page).unwrap(), &Url::parse(server).unwrap())
        };
        assert!(own("https://id.example/ceremony#x", "https://id.example:8443"));
        assert!(own("http://localhost:8480/ceremony", "https://127.0.0.1:8443"));
        assert!(own("http://localhost:8480/ceremony", "https://localhost:8443"));
        assert!(own("http://localhost:8480/ceremony", "https://[::1]:8443"));
        for (page, server) in [
            ("https://bank.example/", "https://id.example"),
            ("https://example/", "https://id.example"),
            ("https://id.example.evil.example/", "https://id.example"),
            ("https://id.example@evil.example/", "https://id.example"),
            ("https://evil@id.example/", "https://id.example"),
            ("http://id.example/", "https://id.example"),
            ("http://localhost:8480/", "https://id.example"),
            ("http://localhost.evil.example/", "https://127.0.0.1:8443"),
            ("https://192.0.2.1/", "https://127.0.0.1:8443"),
        ] {
            assert!(!own(page, server), "{page} for {server}");
        }
    }
}
