//! Two machines of one person, side by side, each with a terminal.

use super::terminal::{Scene, Screen, touch};
use landfall_client::words::ServerLine;

/// The new machine, and the code that it shows.
fn asking(scene: &Scene, home: &str) -> (Screen, String) {
    let profile = scene.ana.client().profile().unwrap();
    let server = ServerLine { url: profile.server, trust: profile.trust };
    let home = scene.folder.path().join(home);
    let words = format!("link --server '{server}' --user ana --device ana-new --yes");
    let mut new = Screen::run(&home, &words);
    let code = new.until(|seen| {
        let (_, after) = seen.split_once("landfall device link ")?;
        after.get(..9).map(str::to_owned)
    });
    (new, code)
}

/// Ana's desktop, where she has touched her key for that code and is asked whether she sees the machine.
async fn asked(scene: &Scene, code: &str) -> Screen {
    let words = format!("device link {code} --browser true");
    let mut desktop = Screen::run(&scene.ana.machine.folder, &words);
    touch(&mut desktop, scene).await;
    desktop.until(|seen| seen.contains("in front of you? [y/n]").then_some(()));
    desktop
}

/// Who reads six digits on the new machine types them wherever they are asked for something: that refuses
/// nobody. A plain no does.
#[tokio::test(flavor = "multi_thread")]
async fn only_a_no_refuses_the_machine_in_front_of_one() {
    let scene = Scene::new().await;
    let (mut new, code) = asking(&scene, "refused");
    let mut desktop = asked(&scene, &code).await;
    desktop.press("n\n");
    desktop.child.wait().unwrap();
    new.until(|seen| seen.contains("recovery-stopped").then_some(()));
    assert!(!new.child.wait().unwrap().success());

    let (mut new, code) = asking(&scene, "new");
    let mut desktop = asked(&scene, &code).await;
    let digits: String = new.until(|seen| {
        let (_, after) = seen.split_once("and nowhere else:")?;
        let line = after.lines().map(str::trim).find(|line| !line.is_empty())?;
        let digits: String = line.chars().filter(char::is_ascii_digit).collect();
        (digits.len() == 6).then_some(digits)
    });
    for typed in [&*digits, ""] {
        let before = desktop.seen.len();
        desktop.press(&format!("{typed}\n"));
        desktop.until(|seen| seen[before..].contains("in front of you? [y/n]").then_some(()));
    }
    assert!(desktop.seen.contains("Type y or n. The digits come next"), "{}", desktop.seen);
    desktop.press("y\n");
    desktop.until(|seen| seen.contains("that ana-new shows: ").then_some(()));
    desktop.press(&format!("{digits}\n"));
    assert!(desktop.child.wait().unwrap().success(), "{}", desktop.seen);
    new.until(|seen| seen.contains("This machine is ana-new of ana").then_some(()));
    assert!(new.child.wait().unwrap().success());
}
