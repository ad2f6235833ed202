use super::*;

fn device(name: &str) -> DeviceName {
    DeviceName::parse(name).unwrap()
}

fn user(name: &str) -> UserName {
    UserName::parse(name).unwrap()
}

fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

/// One of each kind.
fn all() -> Vec<Happening> {
    let laptop = || (device("laptop"), Some(label("blue")));
    let of = |make: fn(DeviceName, Option<Label>) -> Happening| {
        let (device, label) = laptop();
        make(device, label)
    };
    vec![
        of(|device, label| Happening::DeviceEnrolled { device, label }),
        of(|device, label| Happening::DeviceSuspended { device, label }),
        of(|device, label| Happening::DeviceResumed { device, label }),
        of(|device, label| Happening::DeviceRevoked { device, label }),
        Happening::AccountFrozen,
        Happening::AccountUnfrozen,
        Happening::PasskeyRegistered { label: label("blue") },
        Happening::PasskeyRemoved { label: label("blue") },
        Happening::AddressAdded { address: MailAddress::parse("a@b.c").unwrap() },
        Happening::AddressRemoved { address: MailAddress::parse("a@b.c").unwrap() },
        Happening::DeviceToBeRevoked { device: device("laptop") },
        Happening::WaitBegun { device: device("laptop"), days: 3 },
        Happening::WaitHalf { device: device("laptop") },
        Happening::WaitEnds { device: device("laptop") },
        Happening::WaitContested { device: device("laptop") },
        Happening::WaitingAllowed,
        Happening::WaitingForbidden,
        Happening::GuardianNamed { guardian: user("ana") },
        Happening::GuardianAccepted { guardian: user("ana") },
        Happening::GuardianRemoved { guardian: user("ana") },
        Happening::GuardianLeft { guardian: user("ana") },
        Happening::WardAsks { ward: user("ana") },
        Happening::RecoveryBegun { device: device("laptop") },
        Happening::RecoveryApproved { device: device("laptop") },
        Happening::RecoveryStopped { device: device("laptop") },
        Happening::RecoveryCodeMailed { device: device("laptop") },
        Happening::RecoveryCompleted { device: device("laptop") },
        Happening::RecoveryCodeUsed { left: 9 },
        Happening::RecoveryPlanChanged,
        Happening::BreakGlass { user: UserName::parse("ana").unwrap() },
        Happening::RecoveryCodesRemade { count: 10 },
        Happening::AdminAdded { user: UserName::parse("eve").unwrap() },
        Happening::RulesChanged,
        Happening::RoleChanged { role: crate::caller::Role::Operator },
        Happening::AgentEnrolled { agent: AgentId::new(&"a".repeat(200), "a.example").unwrap() },
        Happening::AgentRevoked { agent: AgentId::new(&"a".repeat(200), "a.example").unwrap() },
        Happening::MachineClaimed { machine: device("build-7") },
    ]
}

fn notice(what: Happening, by: By) -> Notice {
    Notice {
        id: NoticeId::from_bits([1; 16]),
        tenant: TenantName::parse("home").unwrap(),
        user: UserName::parse("bert").unwrap(),
        at: Timestamp::from_seconds(0),
        what,
        by,
        source: None,
    }
}

#[test]
fn every_kind_has_a_code_of_its_own_and_fits_a_subject() {
    let mut kinds: Vec<&str> = all().iter().map(Happening::kind).collect();
    let long = device(&"d".repeat(crate::name::NAME_MAX));
    for what in all() {
        assert!(what.title().is_ascii() && what.title().len() < 80, "{what:?}");
    }
    let title = Happening::RecoveryBegun { device: long }.title();
    assert!(title.len() < 120 && !title.contains(['\r', '\n']), "{title}");
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), all().len());
}

#[test]
fn who_did_it_is_said() {
    let by = |by| notice(Happening::AccountFrozen, by).text();
    let told = by(By::Device { device: device("phone") });
    assert_eq!(told, "Everything of your account was stopped, by your device phone.");
    let ana = || UserName::parse("ana").unwrap();
    assert!(by(By::Administrator { user: ana() }).contains("by the administrator ana"));
    let code = By::Code { made_by: Some(ana()), made_on: Some(device("desk")) };
    assert!(by(code).contains("with a code that ana made on desk"));
}

#[test]
fn a_label_can_neither_leave_its_quotes_nor_break_its_line() {
    let what = Happening::PasskeyRemoved { label: label("x\u{201D} by nobody. \u{201C}") };
    let told = notice(what, By::Device { device: device("d") }).text();
    assert_eq!(told.matches(['\u{201C}', '\u{201D}']).count(), 2, "{told}");
    let hostile = "a\r\nBcc: x\u{202E}y\u{200B}z\0";
    let neutral = neutral(hostile, LABEL_MAX);
    assert!(!neutral.chars().any(is_hostile_in_a_label), "{neutral:?}");
    assert_eq!(super::neutral(&"x".repeat(500), LABEL_MAX).len(), LABEL_MAX);
}
