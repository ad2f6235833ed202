//! What a window asks on the way back in: the texts as people type them, slips and all, and every answer
//! with all that is shown.

use landfall_client::SheetFormat;
use landfall_client::screen::{RecoveryChange, RecoveryHere, RecoveryStage, RecoveryTyped};
use landfall_identity::{DeviceName, Seconds};
use landfall_protocol::ErrorCode;
use landfall_protocol::recovery::RecoveryStateName;
use landfall_test_support::World;
use landfall_test_support::world::NoBrowser;

fn typed(server: &str, code: Option<&str>) -> RecoveryTyped {
    RecoveryTyped {
        server: server.to_owned(),
        user: " bert ".to_owned(),
        code: code.map(str::to_owned),
        device: "bert-new".to_owned(),
        lost: Some("bert-lptop".to_owned()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_leads_all_the_way_in_through_every_slip_and_every_closing() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let sheet = bert.client().make_sheet(&bert.shell).await.unwrap();
    assert_eq!((sheet.codes.len(), sheet.user.as_str()), (10, "bert"));
    let window = world.machine("bert-new").unwrap().client;

    // Nothing is sent while it is read; a slip is noticed on this machine.
    let code = sheet.codes[0].to_lowercase().replace('-', " ");
    let good = typed(&sheet.server, Some(&code));
    assert!(window.read_sheet(&good).unwrap().pinned);
    // One slip in 32 makes another code; of four different ones at least two are noticed.
    let slip =
        |first: char| typed(&sheet.server, Some(&format!("{first}{}", &sheet.codes[0][1..])));
    let said = ['0', '1', '2', '3'].map(|first| window.read_sheet(&slip(first)).err());
    let noticed =
        said.iter().flatten().filter(|said| said.code() == ErrorCode::RecoveryCodeMistyped);
    assert!(noticed.count() >= 2);
    let capital = RecoveryTyped { device: "Bert's".to_owned(), ..good.clone() };
    assert_eq!(window.read_sheet(&capital).err().unwrap().code(), ErrorCode::InvalidField);
    assert!(window.recovery_here().unwrap().is_none(), "and nothing was begun");

    let here = window.recover_here(&good, &NoBrowser).await.unwrap();
    assert_eq!(here.stage, RecoveryStage::Waiting);
    let check = here.check_code.clone().unwrap();
    // Closed and opened again: from its disk alone, then from the server.
    let again = window.recovery_here().unwrap().unwrap();
    assert_eq!((again.stage, again.check_code), (RecoveryStage::Waiting, here.check_code));
    let asked = bert.client().recoveries().await.unwrap();
    assert_eq!((asked.len(), asked[0].device.as_str()), (1, "bert-new"), "the owner sees it");

    let id = &asked[0].id;
    let approve = ana.client().approve_recovery_here(id, "0000-0000", "called", &ana.shell).await;
    assert_eq!(approve.err().unwrap().code(), ErrorCode::CheckCodeWrong);
    let nameless = ana.client().approve_recovery_here(id, &check, " ", &ana.shell).await;
    assert_eq!(nameless.err().unwrap().code(), ErrorCode::InvalidField);
    let heard = check.to_lowercase().replace('-', " ");
    let held = ana.client().approve_recovery_here(id, &heard, "called", &ana.shell).await.unwrap();
    assert_eq!(held.state, RecoveryStateName::Held);
    let here = go_on(&window, None).await;
    assert!(here.status.unwrap().held_until.is_some());
    let laptop = DeviceName::parse("bert-laptop").unwrap();
    ana.step_up().await.unwrap();
    ana.client().admin_suspend_device(&bert.name, &laptop).await.unwrap();
    assert_eq!(go_on(&window, None).await.stage, RecoveryStage::Waiting, "it ends no hour");
    world.pass(Seconds::hours(1)).await.unwrap();

    // The name of the lost one has a slip in it: that costs neither the code nor the approval.
    let here = go_on(&window, None).await;
    assert_eq!(here.stage, RecoveryStage::OtherLost, "{:?}", here.flow.failure);
    let said = here.flow.failure.unwrap().detail;
    assert!(said.contains("bert-lptop"), "{said}");
    assert!(window.recovery_seen().await.is_err(), "what is kept is still needed");
    let lost = RecoveryChange::Lost { lost: Some("bert-laptop".to_owned()) };
    let here = go_on(&window, Some(&lost)).await;
    assert_eq!(here.stage, RecoveryStage::In, "{:?}", here.flow.failure);
    assert!(here.passkey_until.is_some());

    // Shown until it is on paper, whatever is closed in between; then nowhere.
    let kept = window.recovery_here().unwrap().unwrap();
    assert_eq!((kept.new_code.clone(), kept.stage), (here.new_code, RecoveryStage::In));
    assert!(!sheet.codes.contains(&kept.new_code.unwrap()));
    window.recovery_seen().await.unwrap();
    assert!(window.recovery_here().unwrap().is_none());
    assert_eq!(window.whoami().await.unwrap().user, bert.name);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_goes_another_way_leaves_nothing_behind_and_used_no_code() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let sheet = bert.client().make_sheet(&bert.shell).await.unwrap();
    let window = world.machine("bert-new").unwrap().client;
    let begun = typed(&sheet.server, None);
    let first = window.recover_here(&begun, &NoBrowser).await.unwrap();
    let wrong = RecoveryChange::Code { code: sheet.codes[0].clone() };
    assert_eq!(go_on(&window, Some(&wrong)).await.status.unwrap().proofs.len(), 1);
    window.recovery_drop().await.unwrap();
    assert!(window.recovery_here().unwrap().is_none());
    assert!(window.recovery_go_on(None, &NoBrowser).await.unwrap().is_none());
    // Begun anew it is another machine to an administrator: another key, other characters.
    let second = window.recover_here(&begun, &NoBrowser).await.unwrap();
    assert_ne!(first.check_code, second.check_code);
    let live = bert.client().recovery_codes().await.unwrap();
    assert!(live.iter().all(|code| code.ended_at.is_none()));

    // The owner says no: the window is told that it is over.
    for asked in bert.client().recoveries().await.unwrap() {
        bert.client().stop_recovery_here(&asked.id, &bert.shell).await.unwrap();
    }
    let over = go_on(&window, None).await;
    assert_eq!(over.stage, RecoveryStage::Over);
    assert!(window.recovery_here().unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_on_the_screen_is_kept_as_it_is_shown_and_nothing_else_is() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let sheet = ana.client().make_sheet(&ana.shell).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let keep = |sheet, format| ana.client().save_sheet(sheet, format, folder.path());
    let page = std::fs::read_to_string(keep(&sheet, SheetFormat::Html).unwrap().path).unwrap();
    for text in sheet.codes.iter().chain(&sheet.steps[..1]) {
        assert!(page.contains(text.as_str()), "{text}");
    }
    let pdf = std::fs::read(keep(&sheet, SheetFormat::Pdf).unwrap().path).unwrap();
    assert!(pdf.starts_with(b"%PDF-"));
    let mut forged = sheet.clone();
    forged.codes[0] = "<script>".to_owned();
    assert!(keep(&forged, SheetFormat::Html).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

async fn go_on(window: &landfall_client::Client, change: Option<&RecoveryChange>) -> RecoveryHere {
    window.recovery_go_on(change, &NoBrowser).await.unwrap().expect("it is under way")
}
