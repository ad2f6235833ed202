//! The soft browser against a real server's page routes, over real HTTP: both kinds of passkey, both
//! ways back to the app, the command, and a restart under an open page.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use landfall_identity::AuthStrength;
use landfall_identity::passkey::Attachment;
use landfall_protocol::ceremony::{
    CeremonyBegun, CeremonyRedeemRequest, RegisterBeginRequest, ReturnPath, StepUpBeginRequest,
};
use landfall_protocol::passkey::PasskeyInfo;
use landfall_protocol::paths;
use landfall_protocol::session::SessionOpened;
use landfall_test_support::{Arrived, Raw, SoftBrowser, SoftKeys, World};
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::process::Stdio;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const PATH: &str = "a-random-path-of-the-app";

/// An enrolled device that holds its grant, and a session of it.
struct Device {
    raw: Raw,
    token: String,
}

impl Device {
    async fn claimed(world: &World) -> Self {
        let machine = world.machine("laptop").unwrap();
        let token = world.server().claim_token.as_ref().unwrap();
        machine.enroll(token, Some("bert"), Some("laptop")).await.unwrap();
        let raw = Raw::of(&machine).unwrap();
        let token = raw.session().await.unwrap().token;
        Self { raw, token }
    }

    async fn post<B: Serialize, T: DeserializeOwned>(&self, path: &str, body: &B) -> T {
        let body = serde_json::to_value(body).unwrap();
        let answer = self.raw.send(Method::POST, path, Some(&self.token), Some(&body)).await;
        let answer = answer.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_value(answer.body).unwrap()
    }

    /// Registers a passkey; the completion comes back to a listener of the app.
    async fn register(&self, browser: &mut SoftBrowser, attachment: Attachment) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let return_path = ReturnPath::Loopback { port, path: PATH.into() };
        let request = RegisterBeginRequest {
            attachment,
            label: "key".parse().unwrap(),
            resident: false,
            return_path,
        };
        let begun: CeremonyBegun = self.post(paths::REGISTER_BEGIN, &request).await;
        let (arrived, completion) = tokio::join!(browser.open(&begun.page_url), one_get(listener));
        assert_eq!(arrived.unwrap(), Arrived::AtTheApp);
        let body = redeem(&begun, &completion);
        let passkey: PasskeyInfo = self.post(paths::REGISTER_REDEEM, &body).await;
        assert_eq!(passkey.attachment, attachment);
    }

    /// Begins a step-up whose completion is typed.
    async fn begin_typed(&self) -> CeremonyBegun {
        let request =
            StepUpBeginRequest { act: None, return_path: ReturnPath::Typed, attachment: None };
        self.post(paths::STEP_UP_BEGIN, &request).await
    }

    async fn type_code(&self, begun: &CeremonyBegun, code: &str) {
        let opened: SessionOpened = self.post(paths::STEP_UP_REDEEM, &redeem(begun, code)).await;
        assert_eq!(opened.auth_strength, AuthStrength::CertHuman);
    }
}

fn redeem(begun: &CeremonyBegun, completion: &str) -> CeremonyRedeemRequest {
    CeremonyRedeemRequest {
        ceremony_id: begun.ceremony_id.clone(),
        completion: completion.to_owned(),
    }
}

/// The app's listener: takes one GET and answers with what it carried.
async fn one_get(listener: TcpListener) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut head = vec![0; 4096];
    let mut length = 0;
    while !head[..length].ends_with(b"\r\n\r\n") {
        let read = stream.read(&mut head[length..]).await.unwrap();
        assert_ne!(read, 0, "the request ended early");
        length += read;
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    let head = String::from_utf8(head[..length].to_vec()).unwrap();
    let target = head.split(' ').nth(1).unwrap();
    target.strip_prefix(&format!("/{PATH}?completion=")).unwrap().to_owned()
}

#[tokio::test]
async fn a_browser_registers_and_steps_up_through_the_page() {
    for attachment in Attachment::ALL {
        let world = World::new().await.unwrap();
        let device = Device::claimed(&world).await;
        let mut browser = SoftBrowser::new(SoftKeys::in_memory().unwrap()).unwrap();
        device.register(&mut browser, attachment).await;
        let begun = device.begin_typed().await;
        let Arrived::Showing(code) = browser.open(&begun.page_url).await.unwrap() else {
            panic!("a code was asked for");
        };
        device.type_code(&begun, &code).await;
    }
}

#[tokio::test]
async fn the_command_holds_the_same_key_in_another_process() {
    let world = World::new().await.unwrap();
    let device = Device::claimed(&world).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    let mut browser = SoftBrowser::new(SoftKeys::kept_in(&file).unwrap()).unwrap();
    device.register(&mut browser, Attachment::Roaming).await;
    let begun = device.begin_typed().await;
    let shown = tokio::process::Command::new(env!("CARGO_BIN_EXE_soft-browser"))
        .arg("--keys")
        .arg(&file)
        .arg(&begun.page_url)
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    let code = String::from_utf8(shown.stdout).unwrap();
    device.type_code(&begun, code.trim()).await;
}

#[tokio::test]
async fn a_server_that_restarts_under_an_open_page_goes_on() {
    let mut world = World::new().await.unwrap();
    let device = Device::claimed(&world).await;
    let mut browser = SoftBrowser::new(SoftKeys::in_memory().unwrap()).unwrap();
    device.register(&mut browser, Attachment::Platform).await;
    let begun = device.begin_typed().await;
    world.restart().await.unwrap();
    let Arrived::Showing(code) = browser.open(&begun.page_url).await.unwrap() else {
        panic!("a code was asked for");
    };
    world.restart().await.unwrap();
    device.type_code(&begun, &code).await;
}
