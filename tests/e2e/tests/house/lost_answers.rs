//! Answers that never arrive: what was asked may have been done, and nobody is told that nothing was.

use landfall_client::words::ServerLine;
use landfall_crypto::aauth::ServerId;
use landfall_identity::DeviceName;
use landfall_protocol::ErrorCode;
use landfall_server::config::{AgentsConfig, PublicUrl};
use landfall_test_support::{Person, World};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What becomes of what the server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Open,
    /// It is lost on the way.
    Mute,
    /// Whoever comes is greeted; what is said to them after that is lost on the way.
    Greet,
    /// Every connection ends, and none is made.
    Cut,
}

/// A line between people and the server.
struct Relay {
    url: String,
    server: Arc<OnceLock<SocketAddr>>,
    line: watch::Sender<Line>,
}

impl Relay {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let server = Arc::new(OnceLock::new());
        let line = watch::Sender::new(Line::Open);
        let (upstream, watched) = (Arc::clone(&server), line.subscribe());
        tokio::spawn(async move {
            while let Ok((person, _)) = listener.accept().await {
                let (upstream, line) = (*upstream.get().unwrap(), watched.clone());
                tokio::spawn(carry(person, upstream, line));
            }
        });
        Self { url, server, line }
    }

    fn is(&self, line: Line) {
        self.line.send_replace(line);
    }
}

async fn carry(person: TcpStream, server: SocketAddr, mut line: watch::Receiver<Line>) {
    let state = line.clone();
    let server = TcpStream::connect(server).await.unwrap();
    let (mut from_person, mut to_person) = person.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    // A handshake is over, for us, when the person has spoken twice.
    let spoken = AtomicUsize::new(0);
    let asked = async {
        let mut bytes = [0; 16 * 1024];
        while let Ok(read @ 1..) = from_person.read(&mut bytes).await {
            spoken.fetch_add(1, Ordering::Relaxed);
            if to_server.write_all(&bytes[..read]).await.is_err() {
                break;
            }
        }
    };
    let answered = async {
        let mut bytes = [0; 16 * 1024];
        while let Ok(read @ 1..) = from_server.read(&mut bytes).await {
            let heard = match *state.borrow() {
                Line::Open => true,
                Line::Greet => spoken.load(Ordering::Relaxed) < 2,
                Line::Mute | Line::Cut => false,
            };
            if heard && to_person.write_all(&bytes[..read]).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        () = asked => {}
        () = answered => {}
        _ = line.wait_for(|line| *line == Line::Cut) => {}
    }
}

/// A server behind a line, and Bert, whom its administrator has invited.
async fn behind_a_line() -> (Relay, World, Person) {
    let relay = Relay::new().await;
    let public_url = PublicUrl::parse(&relay.url).unwrap();
    let world = World::configured(|config, _| {
        config.public_url = Some(public_url);
        let issuer = Some(ServerId::parse("https://agents.example.org").unwrap());
        config.agents = Some(AgentsConfig { issuer, ..AgentsConfig::default() });
        Ok(())
    });
    let world = world.await.unwrap();
    relay.server.set(world.server().https_addr).unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    (relay, world, bert)
}

/// Cuts the line when the act is done, and before its answer has passed.
async fn cut_when(relay: &Relay, world: &World, done: &str) {
    world.until(done, |world| world.number(done).unwrap() == 1).await;
    relay.is(Line::Cut);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_whose_answer_was_lost_is_never_called_undone() {
    let (relay, world, bert) = behind_a_line().await;
    let token = bert.device_token("bert-phone").await.unwrap();
    let phone = world.machine("bert-phone").unwrap();
    phone.enroll(&token, None, None).await.unwrap();
    bert.step_up().await.unwrap();

    let name = DeviceName::parse("bert-phone").unwrap();
    let suspended = "SELECT COUNT(*) FROM enrollments WHERE state = 'suspended'";
    let frozen = "SELECT COUNT(*) FROM users WHERE frozen_at IS NOT NULL";
    relay.is(Line::Mute);
    let cut = cut_when(&relay, &world, suspended);
    let (told, ()) = tokio::join!(bert.client().suspend_device(&name), cut);
    let told = told.unwrap_err();
    assert_eq!(told.code(), ErrorCode::ServerUnreachable);
    let detail = &told.problem().detail;
    // The tries after it reached nobody, which says nothing about the first.
    assert!(!detail.contains("Nothing was changed"), "{detail}");
    for words in ["may have been done", "`landfall device list`", relay.url.as_str()] {
        assert!(detail.contains(words), "{detail}");
    }

    // Where nobody was reached at all, nothing was done, and that is said.
    let told = bert.client().freeze().await.unwrap_err();
    assert!(told.problem().detail.contains("Nothing was changed"), "{told}");
    assert_eq!(world.number(frozen).unwrap(), 0);

    relay.is(Line::Open);
    bert.client().whoami().await.unwrap();
    relay.is(Line::Mute);
    let (told, ()) = tokio::join!(bert.client().freeze(), cut_when(&relay, &world, frozen));
    let told = told.unwrap_err();
    let detail = &told.problem().detail;
    assert!(!detail.contains("Nothing was changed"), "{detail}");
    assert!(detail.contains("`landfall whoami`"), "{detail}");
    relay.is(Line::Open);
    assert!(bert.client().whoami().await.unwrap().frozen);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_whose_answer_was_lost_is_let_in_by_the_same_again() {
    let (relay, world, bert) = behind_a_line().await;
    bert.step_up().await.unwrap();
    let profile = bert.client().profile().unwrap();
    let server = || ServerLine { url: profile.server.clone(), trust: profile.trust };
    let made = bert.client().make_agent_code(Some("research".into()), None, &bert.shell).await;
    let code = made.map_err(|failure| failure.code()).unwrap().text;
    let machine = world.machine("agents").unwrap();
    let enrol = async |name| {
        let new = machine.client.new_agent(name, server()).unwrap();
        new.enroll(&code, None).await.map_err(|failure| failure.code())
    };
    let keys = || std::fs::read_dir(machine.folder.join("keys")).unwrap().count();

    relay.is(Line::Greet);
    let agents = "SELECT COUNT(*) FROM agents";
    let (lost, ()) = tokio::join!(enrol("helper"), cut_when(&relay, &world, agents));
    assert_eq!(lost.unwrap_err(), ErrorCode::ServerUnreachable);
    assert!(machine.client.has_new_agent("helper").unwrap());
    relay.is(Line::Open);
    let helper = enrol("helper").await.unwrap();
    assert_eq!(helper.agent.local(), "research");
    machine.client.agent_token(&helper).await.unwrap();
    assert!(!machine.client.has_new_agent("helper").unwrap());
    assert_eq!((keys(), world.number(agents).unwrap()), (1, 1));

    // Another key has used it, and that is the end of this one.
    assert_eq!(enrol("other").await.unwrap_err(), ErrorCode::TokenUsed);
    assert!(!machine.client.has_new_agent("other").unwrap());
    assert_eq!(keys(), 1);
}
