use super::*;
use crate::key::KeyPair;
use proptest::prelude::*;
use rcgen::{BasicConstraints, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, SanType};

fn pem_of(der: &[u8]) -> String {
    pem::encode(&pem::Pem::new("CERTIFICATE REQUEST", der))
}

/// A request made by somebody else's tool, for its own key of the given kind.
fn foreign(algorithm: &'static rcgen::SignatureAlgorithm) -> Vec<u8> {
    let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
    CertificateParams::default().serialize_request(&key).unwrap().der().to_vec()
}

#[test]
fn a_request_yields_its_key_as_der_and_as_pem() {
    let key = KeyPair::generate().unwrap();
    let der = build_csr(&key).unwrap();
    assert_eq!(public_key_of(&der), Ok(key.public_key()));
    assert_eq!(public_key_of(pem_of(&der).as_bytes()), Ok(key.public_key()));
}

#[test]
fn names_and_powers_that_are_asked_for_go_nowhere() {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "root");
    params.distinguished_name.push(DnType::OrganizationalUnitName, "admins");
    let uri = |text: &str| SanType::URI(text.try_into().unwrap());
    params.subject_alt_names = vec![
        uri("spiffe://other/tenant/x/user/admin/device/d"),
        uri("spiffe://HOME/%2e%2e//"),
        SanType::DnsName("id.example.org".try_into().unwrap()),
        SanType::IpAddress([127, 0, 0, 1].into()),
        SanType::Rfc822Name("root@example.org".try_into().unwrap()),
    ];
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any];
    let der = params.serialize_request(&RcgenKey::new(&key)).unwrap().der().to_vec();
    // The type is the test: nothing but a key can come out.
    assert_eq!(public_key_of(&der), Ok(key.public_key()));
}

#[test]
fn other_keys_are_refused() {
    for algorithm in [
        &rcgen::PKCS_ECDSA_P384_SHA384,
        &rcgen::PKCS_ECDSA_P521_SHA512,
        &rcgen::PKCS_ED25519,
        &rcgen::PKCS_RSA_SHA256,
    ] {
        assert_eq!(public_key_of(&foreign(algorithm)), Err(CsrError::Key), "{algorithm:?}");
    }
}

#[test]
fn rsa_1024_and_p224_are_refused() {
    for arguments in [
        &["-newkey", "rsa:1024"][..],
        &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp224r1"],
        &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"],
    ] {
        let folder = tempfile::tempdir().unwrap();
        let made = std::process::Command::new("openssl")
            .current_dir(folder.path())
            .args(["req", "-new", "-nodes", "-subj", "/CN=x", "-keyout", "k", "-outform", "DER"])
            .args(["-out", "csr"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let der = std::fs::read(folder.path().join("csr")).unwrap();
        assert_eq!(public_key_of(&der), Err(CsrError::Key), "{arguments:?}");
    }
}

#[test]
fn a_request_for_a_key_that_one_does_not_hold_is_refused() {
    struct Thief {
        own: KeyPair,
        victim: PublicKey,
    }
    impl Signer for Thief {
        fn public_key(&self) -> PublicKey {
            self.victim
        }
        fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
            self.own.sign(message)
        }
    }
    let victim = KeyPair::generate().unwrap().public_key();
    let der = build_csr(&Thief { own: KeyPair::generate().unwrap(), victim }).unwrap();
    assert_eq!(public_key_of(&der), Err(CsrError::Signature));
}

#[test]
fn a_point_off_the_curve_is_refused() {
    let key = KeyPair::generate().unwrap();
    let mut der = build_csr(&key).unwrap();
    let point = key.public_key().point()[1..].to_vec();
    let at = der.windows(64).position(|window| window == point).unwrap();
    der[at + 63] ^= 1;
    assert_eq!(public_key_of(&der), Err(CsrError::Key));
}

#[test]
fn too_large_too_many_or_too_little_is_refused() {
    let der = build_csr(&KeyPair::generate().unwrap()).unwrap();
    let pem = pem_of(&der);
    let mut padded = pem.clone().into_bytes();
    padded.resize(CSR_MAX + 1, b'\n');
    assert_eq!(public_key_of(&padded), Err(CsrError::TooLarge));
    let trailing = [&der[..], &[0]].concat();
    let in_pem = pem_of(&trailing);
    let (before, after) = (format!("Subject: CN=x\n{pem}"), format!("{pem}\u{1}\u{2}"));
    let tail = format!("{pem}{}", pem.lines().last().unwrap());
    for bad in [&in_pem, &before, &after, &tail] {
        assert_eq!(public_key_of(bad.as_bytes()), Err(CsrError::Malformed), "{bad}");
    }
    let (twice, relabelled) = (format!("{pem}{pem}"), pem.replace("CERTIFICATE REQUEST", "X"));
    for bad in [b"", &der[..der.len() - 1], &trailing, twice.as_bytes(), relabelled.as_bytes()] {
        assert_eq!(public_key_of(bad), Err(CsrError::Malformed));
    }
}

#[test]
fn the_signers_own_failure_is_reported() {
    #[derive(Debug, thiserror::Error)]
    #[error("the token was pulled out")]
    struct Gone;
    struct Broken(PublicKey);
    impl Signer for Broken {
        fn public_key(&self) -> PublicKey {
            self.0
        }
        fn sign(&self, _: &[u8]) -> Result<Signature, SignerError> {
            Err(SignerError(Box::new(Gone)))
        }
    }
    let error = build_csr(&Broken(KeyPair::generate().unwrap().public_key())).unwrap_err();
    assert_eq!(error.to_string(), "the key did not sign: the token was pulled out");
}

proptest! {
    #[test]
    fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
        prop_assert!(public_key_of(&bytes).is_err());
    }
}

#[test]
fn one_flipped_bit_is_noticed() {
    let der = build_csr(&KeyPair::generate().unwrap()).unwrap();
    for at in 0..der.len() * 8 {
        let mut flipped = der.clone();
        flipped[at / 8] ^= 1 << (at % 8);
        assert!(public_key_of(&flipped).is_err(), "bit {} of byte {}", at % 8, at / 8);
    }
}
