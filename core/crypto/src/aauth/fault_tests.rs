use super::*;

#[test]
fn every_code_reads_as_it_is_written_and_carries_what_would_be_right() {
    for code in FaultCode::ALL {
        assert_eq!(FaultCode::parse(code.as_str()), Some(code));
        let fault = SignatureFault::new(code, "why");
        assert_eq!(fault.signature_error(), format!("error={}", code.as_str()));
        assert_eq!((fault.accept_schemes(), fault.accept_algorithms()), (None, None));
        let problem = serde_json::to_value(fault.problem()).unwrap();
        assert_eq!(problem["type"], format!("urn:ietf:params:sig-error:{}", code.as_str()));
        assert_eq!(problem["error"], code.as_str());
        assert_eq!(
            (&problem["detail"], &problem["error_description"]),
            (&"why".into(), &"why".into())
        );
    }
    let fault = SignatureFault::uncovered(vec!["@method", "signature-key"]);
    let value = r#"error=invalid_input, required_input=("@method" "signature-key")"#;
    assert_eq!(fault.signature_error(), value);
    let fault = SignatureFault::unsupported_scheme(&[Scheme::Hwk, Scheme::JktJwt]);
    assert_eq!(fault.accept_schemes().unwrap(), "hwk, jkt-jwt");
    let fault = SignatureFault::unsupported_algorithm();
    assert_eq!(fault.accept_algorithms().unwrap(), "Ed25519, ES256");
    assert_eq!(
        fault.signature_error(),
        r#"error=unsupported_algorithm, supported_algorithms=("ed25519" "ecdsa-p256-sha256")"#
    );
}

#[test]
fn a_client_reads_back_what_a_server_wrote() {
    let faults = [
        SignatureFault::uncovered(vec!["@method", "content-digest"]),
        SignatureFault::unsupported_scheme(&[Scheme::Jwt]),
        SignatureFault::unsupported_algorithm(),
        SignatureFault::new(FaultCode::ClockSkew, "why"),
    ];
    for fault in faults {
        let (schemes, algorithms) = (fault.accept_schemes(), fault.accept_algorithms());
        let challenge =
            Challenge::read(&fault.signature_error(), schemes.as_deref(), algorithms.as_deref())
                .unwrap();
        assert_eq!(challenge.code, fault.code);
        assert_eq!(challenge.required_input, fault.required_input);
        assert_eq!((challenge.schemes, challenge.algorithms), (fault.schemes, fault.algorithms));
    }
    let old = r#"error=unsupported_algorithm, supported_algorithms=("ed25519" "rsa-pss-sha512")"#;
    assert_eq!(Challenge::read(old, None, None).unwrap().algorithms, [Algorithm::Ed25519]);
    let quoted = Challenge::read("error=\"invalid_jwt\"", Some("jwt, ???"), None).unwrap();
    assert_eq!((quoted.code, quoted.schemes), (FaultCode::InvalidJwt, Vec::new()));
    for nothing in ["", "error=new_code", "error", "error=(a)", "=", &"a".repeat(CHALLENGE_MAX + 1)]
    {
        assert_eq!(Challenge::read(nothing, None, None), None, "{nothing:.20}");
    }
}
