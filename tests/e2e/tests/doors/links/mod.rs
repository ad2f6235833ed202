//! Links: a machine in front of somebody becomes another device of theirs, and never anybody else's.

mod claims;
mod door;
mod floods;
mod forged;
mod relay;
mod stale;

use landfall_client::words::ServerLine;
use landfall_client::{Enrolled, Failure, FlowNext, FlowView, LinkProgress, LinkRequest, Linking};
use landfall_identity::{DeviceName, UserName};
use landfall_protocol::link::LinkInfo;
use landfall_test_support::link::Approver;
use landfall_test_support::world::NoBrowser;
use landfall_test_support::{Bare, Person};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

fn device(name: &str) -> DeviceName {
    DeviceName::parse(name).unwrap()
}

/// What a person types on a new machine: the line that their other device shows, and two names.
fn request(of: &Person, name: &str) -> LinkRequest {
    let profile = of.client().profile().unwrap();
    let line = ServerLine { url: profile.server, trust: profile.trust }.to_string();
    LinkRequest {
        server: ServerLine::parse(&line).unwrap(),
        user: UserName::parse(of.name.as_str()).unwrap(),
        device: device(name),
        label: None,
        replace: false,
    }
}

/// What a new machine shows.
fn shown(view: &FlowView) -> (String, String) {
    match &view.next {
        FlowNext::ShowCode { code, scan, .. } => (code.clone(), scan.clone()),
        other => panic!("{}", serde_json::to_string(other).unwrap()),
    }
}

/// Begins, up to the code on the screen.
async fn begun(linking: &mut Linking) -> (String, String) {
    match linking.run(&NoBrowser).await.unwrap() {
        LinkProgress::Waiting(view) => shown(&view),
        LinkProgress::Done(_) => panic!("nobody has approved"),
    }
}

/// A new machine that goes on by itself, while somebody looks at its screen.
struct NewMachine {
    /// The six digits, once it shows them.
    digits: oneshot::Receiver<String>,
    /// What comes of it.
    end: JoinHandle<Result<Box<Enrolled>, Failure>>,
}

impl NewMachine {
    fn watching(mut linking: Linking) -> Self {
        let (tell, digits) = oneshot::channel();
        let mut tell = Some(tell);
        let end = tokio::spawn(async move {
            let mut look = linking.is_resumed();
            loop {
                let progress = match std::mem::take(&mut look) {
                    true => linking.run(&NoBrowser).await?,
                    false => linking.wait(&NoBrowser).await?,
                };
                match progress {
                    LinkProgress::Done(enrolled) => return Ok(enrolled),
                    LinkProgress::Waiting(view) => {
                        if let FlowNext::CompareCode { digits, .. } = view.next
                            && let Some(tell) = tell.take()
                        {
                            tell.send(digits).unwrap();
                        }
                    }
                }
            }
        });
        Self { digits, end }
    }
}

/// A link that both sides have spoken by hand up to the reveal: what is left is to approve.
struct Met {
    bare: Bare,
    approver: Approver,
    info: LinkInfo,
    /// The touch for it.
    token: String,
}

/// Begins on `bare`, and meets `person`'s device.
async fn met(person: &Person, bare: Bare, name: &str) -> Met {
    let link = bare.begin_link(person.name.as_str(), name).await.unwrap();
    let id = link.recovery.recovery_id;
    let approver = Approver::of(person).await.unwrap();
    let found = approver.find(&bare.link_code(&id)).await.unwrap();
    let info: LinkInfo =
        serde_json::from_value(found.body.clone()).unwrap_or_else(|_| panic!("{found:?}"));
    let token = person.touch_for(&info).await.unwrap();
    let claimed = approver.claim(&id, &token).await.unwrap();
    assert_eq!(claimed.status, 200, "{claimed:?}");
    let seen = bare.show_link(&id).await.unwrap().approver.unwrap();
    let answered = bare.answer_link(&id, &seen.commitment, &approver.nonce).await.unwrap();
    assert_eq!(answered.status, 200, "{answered:?}");
    let revealed = approver.reveal(&id).await.unwrap();
    assert_eq!(revealed.status, 200, "{revealed:?}");
    Met { bare, approver, info, token }
}
