//! A world with mail.

use landfall_identity::MailAddress;
use landfall_protocol::notice::AddressInfo;
use landfall_server::Config;
use landfall_server::config::SmtpUrl;
use landfall_test_support::{Mail, Person, Protection, SmtpServer, World};

/// Where Ana reads her mail.
pub const ANA: &str = "ana@example.org";

/// A server that mails by `smtp`.
pub async fn world_with(smtp: &SmtpServer, scheme: &str) -> World {
    world_with_login(smtp, scheme, "").await
}

/// A server that mails by `smtp`, with a file of credentials unless it is empty.
pub async fn world_with_login(smtp: &SmtpServer, scheme: &str, credentials: &str) -> World {
    World::configured(mailing(smtp, scheme, credentials)).await.unwrap()
}

/// What makes a server mail by `smtp`.
pub fn mailing(
    smtp: &SmtpServer,
    scheme: &str,
    credentials: &str,
) -> impl FnOnce(&mut Config, &std::path::Path) -> anyhow::Result<()> + use<> {
    let credentials = credentials.to_owned();
    let url = format!("{scheme}://localhost:{}", smtp.address.port());
    let certificate = smtp.certificate_pem.clone();
    move |config: &mut Config, folder: &std::path::Path| {
        config.smtp_url = Some(SmtpUrl::parse(&url)?);
        config.smtp_from = Some(MailAddress::parse("landfall@id.example.org")?);
        if !credentials.is_empty() {
            let file = folder.join("credentials");
            std::fs::write(&file, credentials)?;
            config.smtp_credentials_file = Some(file);
        }
        if let Some(pem) = certificate {
            let file = folder.join("mail.pem");
            std::fs::write(&file, pem)?;
            config.smtp_ca_file = Some(file);
        }
        Ok(())
    }
}

/// A plain mail server, a world that mails by it, and Ana with her address in it.
pub async fn ana_with_mail() -> (SmtpServer, World, Person) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let smtp = SmtpServer::start(Protection::Plain).await.unwrap();
    let world = world_with(&smtp, "smtp").await;
    let ana = world.admin("ana").await.unwrap();
    world.clock.advance(landfall_identity::Seconds(1));
    confirm(&world, &smtp, &ana, ANA).await;
    (smtp, world, ana)
}

/// Asks for a code, and waits for its mail.
pub async fn ask_code(
    world: &World,
    smtp: &SmtpServer,
    person: &Person,
    address: &str,
) -> (AddressInfo, Mail) {
    person.step_up().await.unwrap();
    let before = smtp.mails_to(address).len();
    let address = MailAddress::parse(address).unwrap();
    let added = person.client().add_address(&address).await.unwrap();
    let came = |_: &World| smtp.mails_to(address.as_str()).len() > before;
    world.until("the mail with the code", came).await;
    (added, smtp.mails_to(address.as_str()).pop().unwrap())
}

/// The code in a mail.
pub fn code_in(mail: &Mail) -> String {
    let text = mail.text().unwrap();
    let line = text.lines().find(|line| line.contains("landfall notices confirm ")).unwrap();
    line.rsplit(' ').next().unwrap().to_owned()
}

/// Adds an address and proves it; returns when the mail that says so has come.
pub async fn confirm(world: &World, smtp: &SmtpServer, person: &Person, address: &str) {
    let (added, mail) = ask_code(world, smtp, person, address).await;
    let confirmed = person.client().confirm_address(&added.id, &code_in(&mail)).await.unwrap();
    assert!(confirmed.confirmed_at.is_some());
    until_subject(world, smtp, address, "New address for notices", 1).await;
}

/// Mails to an address whose subject ends like this.
pub fn with_subject(smtp: &SmtpServer, address: &str, ending: &str) -> Vec<Mail> {
    let ends = |mail: &Mail| mail.field("Subject").is_some_and(|it| it.ends_with(ending));
    smtp.mails_to(address).into_iter().filter(ends).collect()
}

/// Waits until that many such mails have come.
pub async fn until_subject(
    world: &World,
    smtp: &SmtpServer,
    address: &str,
    ending: &str,
    count: usize,
) -> Vec<Mail> {
    let came = |_: &World| with_subject(smtp, address, ending).len() >= count;
    world.until(ending, came).await;
    with_subject(smtp, address, ending)
}
