use super::*;
use crate::ambient::{Clock, ManualClock, SystemClock, SystemRandom};
use crate::certificate::CertificateFacts;
use landfall_identity::{DeviceName, Principal, TenantName, TrustDomain, UserName};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

fn spiffe_id() -> SpiffeId {
    SpiffeId::new(
        TrustDomain::parse("landfall.local").unwrap(),
        Principal::Human {
            tenant: TenantName::parse("home").unwrap(),
            user: UserName::parse("bert").unwrap(),
            device: DeviceName::parse("bert-laptop").unwrap(),
        },
    )
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// openssl on files of a folder: succeeded?, and all it said.
fn openssl(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new("openssl").current_dir(folder).args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

fn write_pem(folder: &Path, name: &str, label: &str, der: &[u8]) {
    std::fs::write(folder.join(name), pem::encode(&pem::Pem::new(label, der))).unwrap();
}

struct House {
    root: RootAuthority,
    server: Issuer,
    people: Issuer,
    ambient: Ambient,
}

fn house() -> House {
    let ambient = Ambient::system();
    let root = RootAuthority::create(&ambient).unwrap();
    let server = root.issue(IssuerKind::Server, &ambient).unwrap();
    let people = root.issue(IssuerKind::People, &ambient).unwrap();
    House { root, server, people, ambient }
}

/// The house's certificates as files, for openssl.
fn written(house: &House) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_pem(folder.path(), "root.pem", "CERTIFICATE", house.root.certificate());
    write_pem(folder.path(), "server.pem", "CERTIFICATE", house.server.certificate());
    write_pem(folder.path(), "people.pem", "CERTIFICATE", house.people.certificate());
    folder
}

fn verify(folder: &Path, purpose: &str, issuer: &str, more: &[&str]) -> (bool, String) {
    let base = ["verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", issuer];
    openssl(folder, &[&base[..], &["-purpose", purpose], more, &["leaf.pem"]].concat())
}

#[test]
fn a_device_certificate_says_its_name_and_nothing_else() {
    let house = house();
    let key = KeyPair::generate().unwrap().public_key();
    let issued = house.people.issue_device(&key, &spiffe_id(), &house.ambient).unwrap();
    let folder = written(&house);
    write_pem(folder.path(), "leaf.pem", "CERTIFICATE", &issued.der);
    let (ok, said) = verify(folder.path(), "sslclient", "people.pem", &[]);
    assert!(ok, "{said}");
    let (ok, said) = verify(folder.path(), "sslserver", "people.pem", &[]);
    assert!(!ok, "a device can never pass for a server: {said}");

    let (_, text) = openssl(folder.path(), &["x509", "-in", "leaf.pem", "-noout", "-text"]);
    assert!(text.contains("URI:spiffe://landfall.local/tenant/home/user/bert/device/bert-laptop"));
    for wanted in [
        "Subject: \n",
        "Subject Alternative Name: critical",
        "TLS Web Client Authentication\n",
        "Key Usage: critical\n                Digital Signature\n",
        "Basic Constraints: critical\n                CA:FALSE\n",
    ] {
        assert!(text.contains(wanted), "{wanted}\n{text}");
    }
    for foreign in ["DNS:", "IP Address:", "email:", "TLS Web Server"] {
        assert!(!text.contains(foreign), "{foreign}\n{text}");
    }
}

#[test]
fn a_server_certificate_is_for_its_names_alone() {
    let house = house();
    let key = KeyPair::generate().unwrap().public_key();
    let names = names(&["id.Example.org", "127.0.0.1", "::1", "localhost"]);
    let issued = house.server.issue_server(&key, &names, &house.ambient).unwrap();
    let folder = written(&house);
    write_pem(folder.path(), "leaf.pem", "CERTIFICATE", &issued.der);
    let check = |purpose, more: &[&str]| verify(folder.path(), purpose, "server.pem", more);
    let (ok, said) = check("sslserver", &["-verify_hostname", "id.example.org"]);
    assert!(ok, "{said}");
    assert!(check("sslserver", &["-verify_ip", "::1"]).0);
    assert!(!check("sslserver", &["-verify_hostname", "evil.example.org"]).0);
    assert!(!check("sslclient", &[]).0);
}

#[test]
fn names_that_no_server_has_are_refused() {
    let house = house();
    let key = KeyPair::generate().unwrap().public_key();
    let too_many = vec!["a.example".to_owned(); SERVER_NAMES_MAX + 1];
    for bad in
        [names(&[]), names(&["https://x"]), names(&["a b"]), names(&["ok.org", ""]), too_many]
    {
        let issued = house.server.issue_server(&key, &bad, &house.ambient);
        assert!(matches!(issued, Err(CaError::ServerName(_))), "{bad:?}");
    }
}

#[test]
fn an_issuer_certifies_its_own_kind_only() {
    let house = house();
    let key = KeyPair::generate().unwrap().public_key();
    let crossed = house.server.issue_device(&key, &spiffe_id(), &house.ambient);
    assert!(matches!(crossed, Err(CaError::Mismatch)));
    let crossed = house.people.issue_server(&key, &names(&["localhost"]), &house.ambient);
    assert!(matches!(crossed, Err(CaError::Mismatch)));
}

#[test]
fn even_a_stolen_people_issuer_cannot_name_a_server() {
    let House { root, server, people, ambient } = house();
    // Somebody who holds the key writes whatever certificate they like.
    let stolen = Issuer { kind: IssuerKind::Server, authority: people.authority };
    let key = KeyPair::generate().unwrap().public_key();
    let folder = tempfile::tempdir().unwrap();
    write_pem(folder.path(), "root.pem", "CERTIFICATE", root.certificate());
    write_pem(folder.path(), "people.pem", "CERTIFICATE", stolen.certificate());
    for name in ["id.example.org", "10.0.0.1", "::1"] {
        let forged = stolen.issue_server(&key, &names(&[name]), &ambient).unwrap();
        write_pem(folder.path(), "leaf.pem", "CERTIFICATE", &forged.der);
        let (ok, said) = verify(folder.path(), "any", "people.pem", &[]);
        assert!(!ok && said.contains("excluded subtree violation"), "{name}: {said}");
    }
    assert_eq!(server.kind(), IssuerKind::Server);
}

#[test]
fn parts_that_were_kept_come_back_and_swapped_ones_do_not() {
    let house = house();
    let people = (house.people.private_key().unwrap(), house.people.certificate());
    let server = (house.server.private_key().unwrap(), house.server.certificate());
    let root = (house.root.private_key().unwrap(), house.root.certificate());

    let again = Issuer::from_parts(IssuerKind::People, people.0.expose(), people.1).unwrap();
    let key = KeyPair::generate().unwrap().public_key();
    let issued = again.issue_device(&key, &spiffe_id(), &house.ambient).unwrap();
    let facts = CertificateFacts::read(&issued.der).unwrap();
    let issuer = CertificateFacts::read(house.people.certificate()).unwrap();
    assert!(facts.issued_by(&issuer));
    assert!(!facts.issued_by(&CertificateFacts::read(house.server.certificate()).unwrap()));

    let root_again = RootAuthority::from_parts(root.0.expose(), root.1).unwrap();
    assert_eq!(fingerprint(root_again.certificate()), fingerprint(house.root.certificate()));

    let mismatch = |kind, key: &SecretBytes, certificate| {
        matches!(Issuer::from_parts(kind, key.expose(), certificate), Err(CaError::Mismatch))
    };
    assert!(mismatch(IssuerKind::People, &server.0, people.1), "another key");
    assert!(mismatch(IssuerKind::Server, &people.0, people.1), "another kind");
    assert!(mismatch(IssuerKind::People, &root.0, root.1), "the root");
    assert!(RootAuthority::from_parts(people.0.expose(), people.1).is_err());
    assert!(Issuer::from_parts(IssuerKind::People, b"junk", people.1).is_err());
    assert!(Issuer::from_parts(IssuerKind::People, people.0.expose(), b"junk").is_err());
}

#[test]
fn facts_and_times_are_those_that_were_stamped() {
    let now = Timestamp::from_seconds(1_900_000_000);
    let ambient =
        Ambient { clock: Arc::new(ManualClock::new(now)), random: Arc::new(SystemRandom) };
    let root = RootAuthority::create(&ambient).unwrap();
    let people = root.issue(IssuerKind::People, &ambient).unwrap();
    let key = KeyPair::generate().unwrap().public_key();
    let issued = people.issue_device(&key, &spiffe_id(), &ambient).unwrap();
    let facts = CertificateFacts::read(&issued.der).unwrap();
    assert_eq!((facts.public_key, facts.spiffe_id.as_ref()), (key, Some(&spiffe_id())));
    assert_eq!((facts.not_before, facts.not_after), (now - BACKDATE, now + CERTIFICATE_TTL));
    assert_eq!((issued.not_before, issued.not_after), (facts.not_before, facts.not_after));
    assert_eq!(facts.serial, issued.serial);
    assert!(facts.is_valid_at(now) && facts.is_valid_at(now - BACKDATE));
    assert!(!facts.is_valid_at(now + CERTIFICATE_TTL) && !facts.is_valid_at(now - Seconds(301)));
    let other = people.issue_device(&key, &spiffe_id(), &ambient).unwrap();
    assert_ne!(other.serial, issued.serial);
}

#[test]
fn a_revocation_list_names_what_was_revoked() {
    let house = house();
    let key = KeyPair::generate().unwrap().public_key();
    let issued = house.people.issue_device(&key, &spiffe_id(), &house.ambient).unwrap();
    let folder = written(&house);
    write_pem(folder.path(), "leaf.pem", "CERTIFICATE", &issued.der);
    let now = SystemClock.now();
    let revoked = Revoked { serial: issued.serial, at: now, suspended: false };
    for (entries, revoked) in [(&[][..], false), (&[revoked][..], true)] {
        let list = house.people.revocation_list(entries, 7, now, now + Seconds::hours(1)).unwrap();
        write_pem(folder.path(), "crl.pem", "X509 CRL", &list);
        let check = ["-crl_check", "-CRLfile", "crl.pem"];
        let (ok, said) = verify(folder.path(), "sslclient", "people.pem", &check);
        assert_eq!(ok, !revoked, "{said}");
        assert_eq!(said.contains("certificate revoked"), revoked, "{said}");
    }
    assert!(house.people.revocation_list(&[], 8, now, now).is_err());
}

#[test]
fn issuing_takes_about_as_long_as_a_signature() {
    const ROUNDS: u32 = 200;
    let house = house();
    let key = KeyPair::generate().unwrap().public_key();
    let start = std::time::Instant::now();
    for _ in 0..ROUNDS {
        house.people.issue_device(&key, &spiffe_id(), &house.ambient).unwrap();
    }
    let each = start.elapsed() / ROUNDS;
    println!("one device certificate: {each:?}");
    assert!(each < std::time::Duration::from_millis(20), "{each:?}");
}

#[test]
fn an_svid_is_one_uri_for_both_sides_of_a_connection_and_for_no_server_of_ours() {
    let house = house();
    let workloads = house.root.issue(IssuerKind::Workloads, &house.ambient).unwrap();
    let key = KeyPair::generate().unwrap().public_key();
    let name = "spiffe://landfall.local/tenant/home/workload/payments/ns/shop/cluster/prod";
    let issued = workloads.issue_workload(&key, &name.parse().unwrap(), &house.ambient).unwrap();
    let folder = written(&house);
    write_pem(folder.path(), "workloads.pem", "CERTIFICATE", workloads.certificate());
    write_pem(folder.path(), "leaf.pem", "CERTIFICATE", &issued.der);
    for purpose in ["sslclient", "sslserver"] {
        let (ok, said) = verify(folder.path(), purpose, "workloads.pem", &[]);
        assert!(ok, "{said}");
    }
    let (_, text) = openssl(folder.path(), &["x509", "-in", "leaf.pem", "-noout", "-text"]);
    assert!(text.contains(&format!("URI:{name}\n")), "{text}");
    for foreign in ["DNS:", "IP Address:", "email:"] {
        assert!(!text.contains(foreign), "{foreign}\n{text}");
    }
    assert!(!crate::certificate::is_for_servers_only(&issued.der));
    assert!(!crate::certificate::is_for_servers_only(workloads.certificate()));
    assert_eq!(issued.not_after.since(issued.not_before), Seconds(SVID_TTL.0 + BACKDATE.0));

    let human = workloads.issue_workload(&key, &spiffe_id(), &house.ambient);
    assert!(matches!(human, Err(CaError::Mismatch)), "it names workloads alone");
    let crossed = house.people.issue_workload(&key, &name.parse().unwrap(), &house.ambient);
    assert!(matches!(crossed, Err(CaError::Mismatch)));
}
