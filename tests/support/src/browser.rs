//! A browser without a screen. It opens the ceremony page as a person's browser would, asks its
//! passkeys, and goes where the page sends it. It speaks the page's own routes and no others.

use crate::keys::SoftKeys;
use anyhow::{Context, bail};
use landfall_protocol::ceremony::{
    CeremonyFinishRequest, CeremonyFinished, CeremonyOptions, CeremonyOptionsRequest,
    CeremonyPurpose,
};
use landfall_protocol::paths;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, ORIGIN};
use reqwest::{Client, Response, redirect};
use serde::Serialize;
use serde_json::Value;
use url::Url;

/// A browser with passkeys in reach.
pub struct SoftBrowser {
    keys: SoftKeys,
    http: Client,
}

/// How a ceremony ended in the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrived {
    /// At the app's listener.
    AtTheApp,
    /// The page shows this for the person to type.
    Showing(String),
}

/// A page's address, taken apart as the page does.
#[derive(Clone)]
pub struct Page {
    /// Without the fragment.
    pub url: Url,
    /// What it is for.
    pub purpose: CeremonyPurpose,
    /// What the fragment says.
    pub request: CeremonyOptionsRequest,
}

impl Page {
    /// Takes an address apart.
    ///
    /// # Errors
    /// When it is not a ceremony page's.
    pub fn parse(address: &str) -> anyhow::Result<Self> {
        let mut url = Url::parse(address)?;
        let fragment = url.fragment().context("the address has no fragment")?.to_owned();
        url.set_fragment(None);
        let parts: Vec<&str> = fragment.split('.').collect();
        let [purpose, id, secret] = parts[..] else { bail!("the fragment has not three parts") };
        let purpose = match purpose {
            "register" => CeremonyPurpose::Register,
            "step-up" => CeremonyPurpose::StepUp,
            "recover" => CeremonyPurpose::Recover,
            other => bail!("{other} is no purpose"),
        };
        let request =
            CeremonyOptionsRequest { ceremony_id: id.parse()?, secret: secret.to_owned() };
        Ok(Self { url, purpose, request })
    }

    /// The page's origin as browsers write it.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    fn route(&self, [register, step_up, recover]: [&str; 3]) -> anyhow::Result<Url> {
        let path = match self.purpose {
            CeremonyPurpose::Register => register,
            CeremonyPurpose::StepUp => step_up,
            CeremonyPurpose::Recover => recover,
        };
        Ok(self.url.join(path)?)
    }
}

impl SoftBrowser {
    /// A browser that reaches these authenticators. It uses no proxy and follows no redirect of HTTP.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(keys: SoftKeys) -> anyhow::Result<Self> {
        // A second call finds the provider installed, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http = Client::builder().no_proxy().redirect(redirect::Policy::none()).build()?;
        Ok(Self { keys, http })
    }

    /// The authenticators.
    pub fn keys(&mut self) -> &mut SoftKeys {
        &mut self.keys
    }

    /// Opens a ceremony page, touches the passkey and arrives.
    ///
    /// # Errors
    /// When the page, the passkey or the app's listener refuses.
    pub async fn open(&mut self, address: &str) -> anyhow::Result<Arrived> {
        let page = Page::parse(address)?;
        let html = self.http.get(page.url.clone()).send().await?;
        if !html.status().is_success() {
            bail!("the page answered {}", html.status());
        }
        let options = self.options(&page).await?;
        let credential = self.touch(&page, &options).await?;
        match self.finish(&page, credential).await? {
            CeremonyFinished::Redirect { url } => {
                let at_the_app = self.http.get(&url).send().await?;
                if at_the_app.status().is_client_error() || at_the_app.status().is_server_error() {
                    bail!("the app answered {}", at_the_app.status());
                }
                Ok(Arrived::AtTheApp)
            }
            CeremonyFinished::Show { code } => Ok(Arrived::Showing(code)),
        }
    }

    /// Reads what the page shows.
    ///
    /// # Errors
    /// The server's problem.
    pub async fn options(&self, page: &Page) -> anyhow::Result<CeremonyOptions> {
        let routes = [paths::REGISTER_OPTIONS, paths::STEP_UP_OPTIONS, paths::RECOVER_OPTIONS];
        let url = page.route(routes)?;
        Ok(self.post(page, url, &page.request).await?.json().await?)
    }

    /// Asks an authenticator what the page asks.
    ///
    /// # Errors
    /// When none answers.
    pub async fn touch(&mut self, page: &Page, options: &CeremonyOptions) -> anyhow::Result<Value> {
        let origin = Url::parse(&page.origin())?;
        match options.purpose {
            CeremonyPurpose::Register => self.keys.create(&origin, &options.public_key).await,
            CeremonyPurpose::StepUp | CeremonyPurpose::Recover => {
                self.keys.get(&origin, &options.public_key).await
            }
        }
    }

    /// Hands in the answer.
    ///
    /// # Errors
    /// The server's problem.
    pub async fn finish(&self, page: &Page, credential: Value) -> anyhow::Result<CeremonyFinished> {
        let routes = [paths::REGISTER_FINISH, paths::STEP_UP_FINISH, paths::RECOVER_FINISH];
        let url = page.route(routes)?;
        let CeremonyOptionsRequest { ceremony_id, secret } = page.request.clone();
        let body = CeremonyFinishRequest { ceremony_id, secret, credential };
        Ok(self.post(page, url, &body).await?.json().await?)
    }

    /// A `fetch` of the page's script, with the headers that Chromium sends.
    async fn post<T: Serialize>(
        &self,
        page: &Page,
        url: Url,
        body: &T,
    ) -> anyhow::Result<Response> {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, HeaderValue::from_str(&page.origin())?);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
        headers.insert("sec-fetch-mode", HeaderValue::from_static("cors"));
        headers.insert("sec-fetch-dest", HeaderValue::from_static("empty"));
        let body = serde_json::to_vec(body)?;
        let answer = self.http.post(url).headers(headers).body(body).send().await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        bail!("{status}: {}", answer.text().await.unwrap_or_default())
    }
}
