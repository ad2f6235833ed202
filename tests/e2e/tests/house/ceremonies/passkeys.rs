//! Keeping passkeys: which can be used, and how they go.

use super::world::{Machine, ORIGIN, PORT, RP_ID, World, completion, label, loopback, refusal};
use landfall_identity::passkey::Attachment;
use landfall_identity::{Action, DeviceState, Refusal};
use landfall_protocol::PageQuery;
use landfall_protocol::ceremony::BoundActBody;
use landfall_protocol::passkey::{PasskeyInfo, PasskeyRemoveQuery};
use landfall_server::ceremony::RelyingParty;
use landfall_server::failure::Failure;
use landfall_test_support::SoftKeys;
use landfall_test_support::forge::{BE, BS, Forge, UP, UV};
use url::Url;

const DAY: u64 = 24 * 3600;

async fn list(world: &World, machine: &Machine) -> Vec<PasskeyInfo> {
    let token = world.sign_in(machine).await;
    let request = world.request_of(machine, Action::ListPasskeys, Some(&token));
    world.service.list_passkeys(request, PageQuery::default()).await.unwrap().items
}

async fn remove(
    world: &World,
    machine: &Machine,
    keys: &mut SoftKeys,
    passkey: &PasskeyInfo,
    confirm_last: bool,
) -> Result<(), Failure> {
    let act = BoundActBody::RemovePasskey { passkey: passkey.id.clone() };
    let session = world.step_up(machine, keys, Some(act)).await;
    let request = world.request_of(machine, Action::RemovePasskey, Some(&session.token));
    let query = PasskeyRemoveQuery { confirm_last };
    world.service.remove_passkey(request, passkey.id.clone(), query).await
}

/// Registers what a forge makes, with these flags.
async fn register_forged(
    world: &World,
    machine: &Machine,
    kind: Attachment,
    seed: u8,
    flags: u8,
) -> Forge {
    let forge = Forge { flags, ..Forge::honest(ORIGIN, RP_ID, seed) };
    let token = world.sign_in(machine).await;
    let begun = world.begin_register(machine, &token, kind, "key").await.unwrap();
    let options = world.options(&begun).await.unwrap();
    let finished = world.finish(&begun, forge.create(&options.public_key)).await.unwrap();
    world.redeem_passkey(machine, &token, &begun, &completion(finished)).await.unwrap();
    forge
}

#[tokio::test]
async fn the_page_calls_a_passkey_by_its_name_before_it_goes() {
    let world = World::new().await;
    let bert = world.machine("bert", "laptop").await;
    let mut keys = SoftKeys::in_memory().unwrap();
    let passkey = world.register(&bert, &mut keys, Attachment::Roaming).await;
    let token = world.sign_in(&bert).await;
    let removal = BoundActBody::RemovePasskey { passkey: passkey.id };
    for (act, label) in [(Some(removal), Some(passkey.label)), (None, None)] {
        let begun = world.begin_step_up(&bert, &token, act, loopback()).await.unwrap();
        assert_eq!(world.options(&begun).await.unwrap().passkey_label, label);
    }
}

#[tokio::test]
async fn a_label_is_its_owners_to_change() {
    let world = World::new().await;
    let bert = world.machine("bert", "laptop").await;
    let anna = world.machine("anna", "laptop").await;
    let mut keys = SoftKeys::in_memory().unwrap();
    let passkey = world.register(&bert, &mut keys, Attachment::Roaming).await;
    let token = world.sign_in(&bert).await;
    let request = world.request_of(&bert, Action::RenamePasskey, Some(&token));
    let renamed =
        world.service.rename_passkey(request, passkey.id.clone(), label("Bert's key")).await;
    assert_eq!(renamed.unwrap().label, "Bert's key");
    let token = world.sign_in(&anna).await;
    let request = world.request_of(&anna, Action::RenamePasskey, Some(&token));
    let foreign = world.service.rename_passkey(request, passkey.id, label("mine")).await;
    assert_eq!(refusal(foreign), Refusal::NotFound);
    assert_eq!(list(&world, &bert).await[0].label, "Bert's key");
    assert!(list(&world, &anna).await.is_empty());
}

#[tokio::test]
async fn lists_come_in_pages_oldest_first() {
    let world = World::new().await;
    let mut labels = Vec::new();
    let mut machine = None;
    for (seed, device) in ["one", "two", "three"].into_iter().enumerate() {
        let made = world.machine("bert", device).await;
        register_forged(&world, &made, Attachment::Roaming, seed as u8 + 1, UP | UV).await;
        world.pass(1);
        labels.push(made.device.clone());
        machine = Some(made);
    }
    let machine = machine.unwrap();
    let token = world.sign_in(&machine).await;
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let request = world.request_of(&machine, Action::ListPasskeys, Some(&token));
        let query = PageQuery { limit: Some(2), after };
        let page = world.service.list_passkeys(request, query).await.unwrap();
        seen.extend(page.items.into_iter().map(|info| info.registered_on));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, labels);
}

#[tokio::test]
async fn the_last_passkey_goes_only_when_the_loss_was_confirmed() {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    let mut keys = SoftKeys::in_memory().unwrap();
    let passkey = world.register(&laptop, &mut keys, Attachment::Roaming).await;
    let act = BoundActBody::RemovePasskey { passkey: passkey.id.clone() };
    let session = world.step_up(&laptop, &mut keys, Some(act)).await;
    let ask = |confirm_last| {
        let request = world.request_of(&laptop, Action::RemovePasskey, Some(&session.token));
        world.service.remove_passkey(
            request,
            passkey.id.clone(),
            PasskeyRemoveQuery { confirm_last },
        )
    };
    assert_eq!(refusal(ask(false).await), Refusal::LastPasskey);
    // The refusal did not spend the approval.
    ask(true).await.unwrap();
    assert_eq!(refusal(ask(true).await), Refusal::SessionOver, "it ended with its passkey");
    assert!(list(&world, &laptop).await.is_empty());
}

#[tokio::test]
async fn removing_one_of_two_needs_no_warning_and_ends_its_sessions() {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    let phone = world.machine("bert", "phone").await;
    let mut old = SoftKeys::in_memory().unwrap();
    let mut new = SoftKeys::in_memory().unwrap();
    world.register(&laptop, &mut old, Attachment::Roaming).await;
    world.pass(1);
    let young = world.register(&phone, &mut new, Attachment::Roaming).await;
    let of_young = world.step_up(&phone, &mut new, None).await;
    remove(&world, &laptop, &mut old, &young, false).await.unwrap();
    let request = world.request_of(&phone, Action::ListPasskeys, Some(&of_young.token));
    let listed = world.service.list_passkeys(request, PageQuery::default()).await;
    assert_eq!(refusal(listed), Refusal::SessionOver);
    assert_eq!(list(&world, &laptop).await.len(), 1);
}

#[tokio::test]
async fn a_young_passkey_does_not_remove_an_older_one() {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    let stolen = world.machine("bert", "stolen").await;
    let mut old = SoftKeys::in_memory().unwrap();
    let mut new = SoftKeys::in_memory().unwrap();
    let older = world.register(&laptop, &mut old, Attachment::Roaming).await;
    world.pass(1);
    world.register(&stolen, &mut new, Attachment::Roaming).await;
    let refused = remove(&world, &stolen, &mut new, &older, false).await;
    assert!(matches!(refusal(refused), Refusal::Probation { .. }));
    world.pass(DAY - 1);
    let refused = remove(&world, &stolen, &mut new, &older, false).await;
    assert!(matches!(refusal(refused), Refusal::Probation { .. }));
    world.pass(1);
    let sessions = remove(&world, &stolen, &mut new, &older, false).await;
    sessions.unwrap();
}

#[tokio::test]
async fn a_passkey_bound_to_a_device_stands_and_falls_with_it() {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    let desk = world.machine("bert", "desk").await;
    let bound = register_forged(&world, &laptop, Attachment::Platform, 1, UP | UV).await;
    let state = |usable, device_bound| (usable, device_bound);
    let seen = |info: &PasskeyInfo| (info.usable, info.device_bound);
    assert_eq!(seen(&list(&world, &desk).await[0]), state(true, true));
    let token = world.sign_in(&desk).await;
    let begun = world.begin_step_up(&desk, &token, None, loopback()).await.unwrap();
    let options = world.options(&begun).await.unwrap();

    world.set_state(&laptop, DeviceState::Suspended { at: world.now() }).await;
    assert_eq!(seen(&list(&world, &desk).await[0]), state(false, true));
    let refused = world.begin_step_up(&desk, &token, None, loopback()).await;
    assert_eq!(refusal(refused), Refusal::NoPasskey);
    // Nor does it finish what was begun before.
    let refused = world.finish(&begun, bound.get(&options.public_key)).await;
    assert_eq!(refusal(refused), Refusal::PasskeyRefused);

    world.set_state(&laptop, DeviceState::Active).await;
    world.begin_step_up(&desk, &token, None, loopback()).await.unwrap();
    world.set_state(&laptop, DeviceState::Revoked { at: world.now() }).await;
    let refused = world.begin_step_up(&desk, &token, None, loopback()).await;
    assert_eq!(refusal(refused), Refusal::NoPasskey);
}

#[tokio::test]
async fn synced_and_roaming_passkeys_outlive_their_device() {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    let phone = world.machine("bert", "phone").await;
    let desk = world.machine("bert", "desk").await;
    register_forged(&world, &laptop, Attachment::Platform, 1, UP | UV | BE | BS).await;
    world.pass(1);
    register_forged(&world, &phone, Attachment::Roaming, 2, UP | UV).await;
    world.set_state(&laptop, DeviceState::Revoked { at: world.now() }).await;
    world.set_state(&phone, DeviceState::Revoked { at: world.now() }).await;
    let kept = list(&world, &desk).await;
    assert!(kept.iter().all(|info| info.usable && !info.device_bound));
    assert_eq!((kept[0].backup_eligible, kept[0].backed_up), (true, true));
    let token = world.sign_in(&desk).await;
    let begun = world.begin_step_up(&desk, &token, None, loopback()).await.unwrap();
    let options = world.options(&begun).await.unwrap();
    assert_eq!(options.public_key["allowCredentials"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_removed_passkey_finishes_nothing() {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    let phone = world.machine("bert", "phone").await;
    let mut keys = SoftKeys::in_memory().unwrap();
    let mut other = SoftKeys::in_memory().unwrap();
    world.register(&laptop, &mut keys, Attachment::Roaming).await;
    world.pass(1);
    let passkey = world.register(&phone, &mut other, Attachment::Roaming).await;
    let token = world.sign_in(&phone).await;
    let begun = world.begin_step_up(&phone, &token, None, loopback()).await.unwrap();
    let proved = world.begin_step_up(&phone, &token, None, loopback()).await.unwrap();
    let completion = world.touch(&proved, &mut other).await;
    remove(&world, &laptop, &mut keys, &passkey, false).await.unwrap();
    let options = world.options(&begun).await.unwrap();
    let answer = other.get(&Url::parse(ORIGIN).unwrap(), &options.public_key).await.unwrap();
    assert_eq!(refusal(world.finish(&begun, answer).await), Refusal::PasskeyRefused);
    let redeemed = world.redeem_step_up(&phone, &token, &proved, &completion).await;
    assert_eq!(refusal(redeemed), Refusal::NoPasskey);
}

#[tokio::test]
async fn the_first_passkey_fixes_the_relying_party() {
    let world = World::new().await;
    let public = || RelyingParty::public(&Url::parse("https://id.example.org").unwrap()).unwrap();
    let laptop = world.machine("bert", "laptop").await;
    let world = world.restart_as(public()).await;
    world.service.check_relying_party().await.unwrap();
    let world = world.restart_as(RelyingParty::local(PORT).unwrap()).await;
    let mut keys = SoftKeys::in_memory().unwrap();
    world.register(&laptop, &mut keys, Attachment::Roaming).await;
    // Another port is the same relying party.
    let world = world.restart_as(RelyingParty::local(PORT + 1).unwrap()).await;
    world.service.check_relying_party().await.unwrap();
    let world = world.restart_as(public()).await;
    let refused = world.service.check_relying_party().await.unwrap_err().to_string();
    assert!(refused.contains("`localhost`") && refused.contains("`id.example.org`"), "{refused}");
}
