//! A server that lies: what it swaps shows on the two screens.

use super::{NewMachine, begun, request};
use landfall_client::FlowNext;
use landfall_crypto::Signer;
use landfall_crypto::link::LinkNonce;
use landfall_protocol::ErrorCode;
use landfall_test_support::world::NoBrowser;
use landfall_test_support::{Bare, World};

/// The one link of a key.
const OF_KEY: &str = "(SELECT id FROM recoveries WHERE thumbprint = ?1)";

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_carries_words_from_one_link_into_another_is_found_out() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let machine = world.machine("ana-new").unwrap();
    let mut linking = machine.client.link(request(&ana, "ana-new")).unwrap();
    begun(&mut linking).await;
    let victim: String = world
        .database()
        .unwrap()
        .query_row("SELECT thumbprint FROM recoveries", [], |row| row.get(0))
        .unwrap();
    let new = NewMachine::watching(linking);

    // The relay has a key of its own, and answers what Ana types with its own link: as if it had found
    // one that makes the same eight characters.
    let relay = Bare::new(&world).unwrap();
    let theirs = relay.begin_link("ana", "ana-new").await.unwrap().recovery.recovery_id;
    let offer = ana.client().find_link(&relay.link_code(&theirs)).await.unwrap();
    let shell = ana.shell.clone();
    let meeting = tokio::spawn(async move { offer.meet(&shell).await });

    // It carries Ana's commitment over, the new machine's answer back, and Ana's word over.
    let carried = |sql: &str| {
        let database = world.database().unwrap();
        let sql = sql.replace("OURS", OF_KEY);
        database.execute(&sql, (victim.as_str(), theirs.as_str())).unwrap()
    };
    let claimed = "SELECT COUNT(*) FROM links WHERE stage = 'claimed'";
    world.until("Ana's device commits", |world| world.number(claimed).unwrap() == 1).await;
    carried(
        "UPDATE links SET stage = 'claimed',
             claimed_by = (SELECT claimed_by FROM links WHERE recovery = ?2),
             commitment = (SELECT commitment FROM links WHERE recovery = ?2)
         WHERE recovery = OURS",
    );
    let answered = "SELECT COUNT(*) FROM links WHERE stage = 'answered'";
    world.until("the new machine answers", |world| world.number(answered).unwrap() == 1).await;
    carried(
        "UPDATE links SET stage = 'answered',
             answer = (SELECT answer FROM links WHERE recovery = OURS)
         WHERE recovery = ?2",
    );
    let meeting = meeting.await.unwrap().unwrap();
    carried(
        "UPDATE links SET stage = 'revealed',
             reveal = (SELECT reveal FROM links WHERE recovery = ?2)
         WHERE recovery = OURS",
    );
    // Each link has a name of its own, and so has each commitment: what Ana's device committed to in one
    // does not open in the other.
    let failed = new.end.await.unwrap().err().unwrap();
    assert_eq!(failed.code(), ErrorCode::LinkTampered);
    assert!(new.digits.await.is_err(), "no digits to be compared");
    let guessed = meeting.approve("123456", &ana.shell).await;
    assert!(guessed.is_err() || meeting.check_code() == "123456");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_swaps_the_key_shows_two_different_codes() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let machine = world.machine("ana-new").unwrap();
    let mut linking = machine.client.link(request(&ana, "ana-new")).unwrap();
    begun(&mut linking).await;
    let (ours, thumbprint): (String, String) = world
        .database()
        .unwrap()
        .query_row("SELECT id, thumbprint FROM recoveries", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(thumbprint.len(), 43);
    let new = NewMachine::watching(linking);

    // Towards the new machine it plays Ana's laptop, with a commitment of its own that opens.
    let laptop = "(SELECT id FROM enrollments WHERE device = 'ana-desktop')";
    let played = LinkNonce::generate(world.ambient.random.as_ref());
    let commitment = played.commitment(&ours.parse().unwrap());
    let carried = |sql: &str, word: &[u8]| {
        let sql = sql.replace("LAPTOP", laptop);
        let database = world.database().unwrap();
        assert_eq!(database.execute(&sql, (ours.as_str(), word)).unwrap(), 1);
    };
    carried(
        "UPDATE links SET stage = 'claimed', claimed_by = LAPTOP, commitment = ?2
         WHERE recovery = ?1",
        &commitment,
    );
    let answered = "SELECT COUNT(*) FROM links WHERE stage = 'answered'";
    world.until("the new machine answers", |world| world.number(answered).unwrap() == 1).await;

    // Towards Ana it plays the new machine, with the very word that the real one gave.
    let relay = Bare::new(&world).unwrap();
    let theirs = relay.begin_link("ana", "ana-new").await.unwrap().recovery.recovery_id;
    let offer = ana.client().find_link(&relay.link_code(&theirs)).await.unwrap();
    let shell = ana.shell.clone();
    let meeting = tokio::spawn(async move { offer.meet(&shell).await });
    let claimed = "SELECT COUNT(*) FROM links WHERE stage = 'claimed'";
    world.until("Ana's device commits", |world| world.number(claimed).unwrap() == 1).await;
    let word: Vec<u8> = world
        .database()
        .unwrap()
        .query_row("SELECT answer FROM links WHERE recovery = ?1", [&ours], |row| row.get(0))
        .unwrap();
    let word = LinkNonce::parse(&data_encoding::BASE64URL_NOPAD.encode(&word)).unwrap();
    let commitment = relay.show_link(&theirs).await.unwrap().approver.unwrap().commitment;
    relay.answer_link(&theirs, &commitment, &word).await.unwrap();
    let meeting = meeting.await.unwrap().unwrap();
    carried("UPDATE links SET stage = 'revealed', reveal = ?2 WHERE recovery = ?1", played.word());

    let digits = new.digits.await.unwrap();
    // Once in a million tries they meet; this world's chance is the system's.
    assert_ne!(digits, meeting.check_code());
    let refused = meeting.approve(&digits, &ana.shell).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::CheckCodeWrong);
    let done = relay.complete(&theirs, "ana-new", None).await.unwrap();
    assert_eq!(done.code(), ErrorCode::RecoveryUnproved, "so the relay's key gets nothing");
    new.end.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_swapped_in_the_row_does_not_fit_the_code_that_was_typed() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let machine = world.machine("ana-new").unwrap();
    let mut linking = machine.client.link(request(&ana, "ana-new")).unwrap();
    let (code, scan) = begun(&mut linking).await;
    let key = Bare::new(&world).unwrap().key.public_key();
    let (thumbprint, spki) = (key.thumbprint().to_string(), key.spki());
    let sql = "UPDATE recoveries SET thumbprint = ?1, spki = ?2";
    world.database().unwrap().execute(sql, (thumbprint, spki)).unwrap();
    for shown in [&code, &scan] {
        let refused = ana.client().find_link(shown).await.err().unwrap();
        assert_eq!(refused.code(), ErrorCode::LinkTampered, "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_machine_answers_one_commitment_and_believes_no_other_word() {
    for forgery in [
        // Another commitment, after the first was answered: a second try at the digits.
        "UPDATE links SET stage = 'claimed', commitment = zeroblob(32), reveal = NULL",
        // A word that is not what was committed to.
        "UPDATE links SET reveal = zeroblob(32)",
    ] {
        let world = World::new().await.unwrap();
        let ana = world.admin("ana").await.unwrap();
        let machine = world.machine("ana-new").unwrap();
        let mut linking = machine.client.link(request(&ana, "ana-new")).unwrap();
        let (code, _) = begun(&mut linking).await;
        let new = NewMachine::watching(linking);
        ana.client().find_link(&code).await.unwrap().meet(&ana.shell).await.unwrap();
        new.digits.await.unwrap();
        world.database().unwrap().execute(forgery, []).unwrap();
        let failed = new.end.await.unwrap().err().unwrap();
        assert_eq!(failed.code(), ErrorCode::LinkTampered, "{forgery}");
        // Nothing is left to go on with: a new try has a new key.
        assert!(machine.client.resume_link().unwrap().is_none());
        let mut anew = machine.client.link(request(&ana, "ana-new")).unwrap();
        anew.run(&NoBrowser).await.unwrap();
        assert!(matches!(anew.view().next, FlowNext::ShowCode { approver: None, .. }));
    }
}
