use super::*;
use landfall_crypto::Ambient;
use landfall_crypto::ambient::ManualClock;
use landfall_crypto::ca::{Issuer, IssuerKind, RootAuthority, fingerprint};
use landfall_crypto::key::{KeyPair, Signer as _};
use landfall_identity::{Seconds, SpiffeId, Timestamp};

struct World {
    root: RootAuthority,
    server: Issuer,
    people: Issuer,
    ambient: Ambient,
}

fn world() -> World {
    let clock = ManualClock::new(Timestamp::from_seconds(1_800_000_000));
    let ambient = Ambient { clock: Arc::new(clock), ..Ambient::system() };
    let root = RootAuthority::create(&ambient).unwrap();
    let server = root.issue(IssuerKind::Server, &ambient).unwrap();
    let people = root.issue(IssuerKind::People, &ambient).unwrap();
    World { root, server, people, ambient }
}

impl World {
    fn leaf(&self) -> Vec<u8> {
        let key = KeyPair::generate().unwrap().public_key();
        let names = ["landfall.example".to_owned()];
        self.server.issue_server(&key, &names, &self.ambient).unwrap().der
    }

    fn verify(
        &self,
        pin: [u8; 32],
        leaf: &[u8],
        chain: &[&[u8]],
        name: &str,
        after: Seconds,
    ) -> Result<(), rustls::Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = PinnedRoot { pin, provider };
        let chain: Vec<_> = chain.iter().map(|der| CertificateDer::from(der.to_vec())).collect();
        let now = (self.ambient.now() + after).seconds().unsigned_abs();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let leaf = CertificateDer::from(leaf.to_vec());
        verifier.verify_server_cert(&leaf, &chain, &name, &[], now).map(|_| ())
    }
}

const NOW: Seconds = Seconds(0);

#[test]
fn the_pinned_chain_is_believed() {
    let w = world();
    let pin = fingerprint(w.root.certificate());
    let chain = [w.server.certificate(), w.root.certificate()];
    w.verify(pin, &w.leaf(), &chain, "landfall.example", NOW).unwrap();
}

#[test]
fn another_name_another_root_another_time_are_not() {
    let w = world();
    let pin = fingerprint(w.root.certificate());
    let chain = [w.server.certificate(), w.root.certificate()];
    let leaf = w.leaf();
    assert!(w.verify(pin, &leaf, &chain, "evil.example", NOW).is_err());
    assert!(w.verify([0; 32], &leaf, &chain, "landfall.example", NOW).is_err());
    assert!(w.verify(pin, &leaf, &chain[..1], "landfall.example", NOW).is_err(), "no root shown");
    assert!(w.verify(pin, &leaf, &chain, "landfall.example", Seconds::days(40)).is_err());

    let other = world();
    let swapped = [other.server.certificate(), w.root.certificate()];
    assert!(w.verify(pin, &other.leaf(), &swapped, "landfall.example", NOW).is_err());
    let appended = [other.server.certificate(), other.root.certificate(), w.root.certificate()];
    assert!(
        w.verify(pin, &other.leaf(), &appended, "landfall.example", NOW).is_err(),
        "the pinned root is shown, and the chain does not end in it"
    );
}

#[test]
fn a_device_of_the_same_root_cannot_pass_for_the_server() {
    let w = world();
    let pin = fingerprint(w.root.certificate());
    let key = KeyPair::generate().unwrap().public_key();
    let id = SpiffeId::parse("spiffe://td/tenant/home/user/eve/device/x1").unwrap();
    let device = w.people.issue_device(&key, &id, &w.ambient).unwrap().der;
    let chain = [w.people.certificate(), w.root.certificate()];
    assert!(w.verify(pin, &device, &chain, "landfall.example", NOW).is_err());
    // Nor may the people's issuer stand anywhere in the chain.
    let mixed = [w.server.certificate(), w.people.certificate(), w.root.certificate()];
    assert!(w.verify(pin, &w.leaf(), &mixed, "landfall.example", NOW).is_err());
    // Nor a leaf that the root itself made.
    assert!(w.verify(pin, &w.leaf(), &[w.root.certificate()], "landfall.example", NOW).is_err());
}
