//! What the machines take, door by door: from the bare machine's first word to the first secret read on
//! it, and what the other side's machines do for it. People, mail and holds are left out of the clock.

#[path = "slow_doors.rs"]
mod slow;

use anyhow::{Context, Result, bail, ensure};
use landfall_client::words::{RecoveryCode, ServerLine};
use landfall_client::{FlowNext, LinkProgress, LinkRequest, RecoverRequest, RecoveryProgress};
use landfall_crypto::SecretBytes;
use landfall_identity::id::RecoveryId;
use landfall_identity::recovery::Preset;
use landfall_identity::secret::SecretName;
use landfall_identity::{DeviceName, Label, Reason, Seconds, UserName};
use landfall_server::Config;
use landfall_test_support::world::{Machine, NoBrowser, told};
use landfall_test_support::{Person, World};
use std::path::Path;
use std::time::{Duration, Instant};

/// A stop-watch for what the machines do.
#[derive(Default)]
struct Watch(Duration);

impl Watch {
    async fn count<T>(&mut self, act: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let done = act.await;
        self.0 += began.elapsed();
        done
    }
}

/// Ana, the administrator; Bert with a laptop, a key on his ring, a secret, ten codes, and two guardians
/// who accepted yesterday.
struct Scene {
    world: World,
    ana: Person,
    bert: Person,
    guardians: [Person; 2],
    code: RecoveryCode,
    wifi: SecretName,
}

/// Plays each door on a world of its own and prints its line.
pub async fn measure() -> Result<()> {
    println!("\nways back in                       machine waits");
    let mut sum = Duration::ZERO;
    sum += show("a code from another device", by_token(scene().await?).await?);
    sum += show("a link from another device", by_link(scene().await?).await?);
    sum += show("a passkey", by_passkey(scene().await?).await?);
    sum += show("a recovery code and an admin", by_code_and_admin(scene().await?).await?);
    sum += show("two guardians", by_guardians(scene().await?).await?);
    sum += show("a recovery code and a mailed code", slow::by_mailed_code().await?);
    sum += show("a recovery code and three days", slow::by_waiting().await?);
    show("in sum", sum);
    Ok(())
}

fn show(what: &str, took: Duration) -> Duration {
    println!("  {what:<33} {:>9.2} s", took.as_secs_f64());
    took
}

async fn scene() -> Result<Scene> {
    scene_with(|_, _| Ok(())).await
}

async fn scene_with(edit: impl FnOnce(&mut Config, &Path) -> anyhow::Result<()>) -> Result<Scene> {
    let with_guardians = |config: &mut Config, folder: &Path| {
        config.recovery_plan = Preset::Personal.into();
        edit(config, folder)
    };
    let mut world = World::configured(with_guardians).await?;
    let ana = world.admin("ana").await?;
    let bert = world.invited(&ana, "bert").await?;
    let guardians = [world.invited(&ana, "eve").await?, world.invited(&ana, "kim").await?];
    world.clock.advance(Seconds(1));
    bert.client()
        .register_root_key(Label::parse("on the ring")?, &bert.shell)
        .await
        .map_err(told)?;
    let wifi = SecretName::parse("wifi")?;
    bert.client().set_secret(&wifi, &SecretBytes::new(b"hunter2".to_vec())).await.map_err(told)?;
    let mut codes = bert.client().make_recovery_codes(&bert.shell).await.map_err(told)?.codes;
    let code = codes.pop().context("no codes were made")?;
    for guardian in &guardians {
        bert.client().name_guardian(&guardian.name, &bert.shell).await.map_err(told)?;
        guardian.step_up().await?;
        guardian.client().accept_ward(&bert.name).await.map_err(told)?;
    }
    world.pass(Seconds::hours(24)).await?;
    Ok(Scene { world, ana, bert, guardians, code, wifi })
}

impl Scene {
    fn server(&self) -> Result<ServerLine> {
        let profile = self.ana.client().profile().map_err(told)?;
        Ok(ServerLine { url: profile.server, trust: profile.trust })
    }

    fn request(&self, code: Option<RecoveryCode>) -> Result<RecoverRequest> {
        Ok(RecoverRequest {
            server: self.server()?,
            user: UserName::parse("bert")?,
            device: DeviceName::parse("bert-new")?,
            label: None,
            lost: None,
            code,
            replace: false,
        })
    }

    /// The proof that it was a way in.
    async fn reads(&self, machine: &Machine, watch: &mut Watch) -> Result<()> {
        let read = watch.count(machine.client.get_secret(&self.wifi, None)).await.map_err(told)?;
        ensure!(read.value.expose() == b"hunter2", "the secret is not what it was");
        Ok(())
    }

    /// Everybody who could object was cut off an hour ago, so that nothing is held.
    async fn laptop_is_gone(&mut self) -> Result<()> {
        let laptop = DeviceName::parse("bert-laptop")?;
        self.ana.step_up().await?;
        self.ana.client().admin_suspend_device(&self.bert.name, &laptop).await.map_err(told)?;
        self.world.pass(Seconds::hours(1)).await
    }
}

async fn by_token(scene: Scene) -> Result<Duration> {
    let mut watch = Watch::default();
    let token = watch.count(scene.bert.device_token("bert-new")).await?;
    let machine = scene.world.machine("bert-new")?;
    watch.count(machine.enroll(&token, None, None)).await?;
    scene.reads(&machine, &mut watch).await?;
    Ok(watch.0)
}

async fn by_link(scene: Scene) -> Result<Duration> {
    let mut watch = Watch::default();
    let machine = scene.world.machine("bert-new")?;
    let request = LinkRequest {
        server: scene.server()?,
        user: UserName::parse("bert")?,
        device: DeviceName::parse("bert-new")?,
        label: None,
        replace: false,
    };
    let mut linking = machine.client.link(request).map_err(told)?;
    let LinkProgress::Waiting(view) = watch.count(linking.run(&NoBrowser)).await.map_err(told)?
    else {
        bail!("nobody has approved");
    };
    let FlowNext::ShowCode { code, .. } = view.next else { bail!("no code is shown") };
    let (client, shell) = (scene.bert.client(), &scene.bert.shell);
    let offer = watch.count(client.find_link(&code)).await.map_err(told)?;
    // Both sides speak in turn; the watch runs once.
    let both = async {
        let meeting = offer.meet(shell);
        let waiting = linking.wait(&NoBrowser);
        tokio::join!(meeting, waiting)
    };
    let (meeting, seen) = watch.count(both).await;
    let meeting = meeting.map_err(told)?;
    seen.map_err(told)?;
    let digits = meeting.check_code().to_owned();
    watch.count(meeting.approve(&digits, shell)).await.map_err(told)?;
    loop {
        match watch.count(linking.run(&NoBrowser)).await.map_err(told)? {
            LinkProgress::Done(_) => break,
            LinkProgress::Waiting(_) => {}
        }
    }
    scene.reads(&machine, &mut watch).await?;
    Ok(watch.0)
}

async fn by_passkey(scene: Scene) -> Result<Duration> {
    let mut watch = Watch::default();
    let machine = scene.world.machine("bert-new")?;
    let mut recovering = machine.client.recover(scene.request(None)?).map_err(told)?;
    recovering.use_passkey(&scene.bert.shell).await;
    match watch.count(recovering.run(&scene.bert.shell)).await.map_err(told)? {
        RecoveryProgress::Done(_) => {}
        RecoveryProgress::Waiting(_) => bail!("a passkey was not enough"),
    }
    scene.reads(&machine, &mut watch).await?;
    Ok(watch.0)
}

async fn by_code_and_admin(mut scene: Scene) -> Result<Duration> {
    scene.laptop_is_gone().await?;
    let mut watch = Watch::default();
    let machine = scene.world.machine("bert-new")?;
    let code = RecoveryCode::parse(&scene.code.to_text())?;
    let mut recovering = machine.client.recover(scene.request(Some(code))?).map_err(told)?;
    let id = waits(&mut watch, &mut recovering).await?;
    let check = recovering.check_code().context("no check code")?;
    let reason = Reason::parse("knew his badge number")?;
    let approve = scene.ana.client().admin_approve_recovery(&id, &check, reason, &scene.ana.shell);
    watch.count(approve).await.map_err(told)?;
    comes_in(&mut watch, &mut recovering).await?;
    scene.reads(&machine, &mut watch).await?;
    Ok(watch.0)
}

async fn by_guardians(scene: Scene) -> Result<Duration> {
    let mut watch = Watch::default();
    let machine = scene.world.machine("bert-new")?;
    let mut recovering = machine.client.recover(scene.request(None)?).map_err(told)?;
    let id = waits(&mut watch, &mut recovering).await?;
    let check = recovering.check_code().context("no check code")?;
    for guardian in &scene.guardians {
        let word = guardian.client().vouch(&id, &check, &guardian.shell);
        watch.count(word).await.map_err(told)?;
    }
    comes_in(&mut watch, &mut recovering).await?;
    scene.reads(&machine, &mut watch).await?;
    Ok(watch.0)
}

/// Runs up to where somebody else has to say yes.
async fn waits(
    watch: &mut Watch,
    recovering: &mut landfall_client::Recovering,
) -> Result<RecoveryId> {
    match watch.count(recovering.run(&NoBrowser)).await.map_err(told)? {
        RecoveryProgress::Waiting(status) => Ok(status.recovery_id),
        RecoveryProgress::Done(_) => bail!("it needed nobody"),
    }
}

async fn comes_in(watch: &mut Watch, recovering: &mut landfall_client::Recovering) -> Result<()> {
    match watch.count(recovering.run(&NoBrowser)).await.map_err(told)? {
        RecoveryProgress::Done(_) => Ok(()),
        RecoveryProgress::Waiting(status) => bail!("it still waits: {status:?}"),
    }
}
