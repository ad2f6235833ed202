//! The table of routes: method, path, what it demands, what it takes and gives. The router, the route
//! matrix test and the OpenAPI document all read this one table.

mod agents;

pub(super) use self::agents::agent_listener_routes;

use super::route_tenant::{policy_routes, proof_routes, role_routes};
use super::{App, BODY_MAX};
use super::{CSR_BODY_MAX, EXCHANGE_BODY_MAX, SECRET_BODY_MAX};
use super::{
    admin, audit, ceremony, devices, guardians, links, me, notices, passkeys, provisioned, public,
    readiness, recovery, secrets, sessions, tokens, workloads,
};
use crate::openapi::Docs;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use landfall_identity::Action;
use landfall_protocol::admin::{AdminDevicesQuery, UserInfo};
use landfall_protocol::audit::{AuditQuery, AuditRow};
use landfall_protocol::ceremony::{
    CeremonyBegun, CeremonyFinishRequest, CeremonyFinished, CeremonyOptions,
    CeremonyOptionsRequest, CeremonyRedeemRequest, RecoverBeginRequest, RecoverRedeemRequest,
    RegisterBeginRequest, StepUpBeginRequest,
};
use landfall_protocol::device::{
    DeviceAct, DeviceCut, DeviceInfo, DeviceReviewQuery, ExposedSecret,
};
use landfall_protocol::enroll::{
    CertIssueRequest, CertIssued, CertRenewRequest, TokenInfo, TokenIssueRequest, TokenIssued,
};
use landfall_protocol::guardian::{GuardianInfo, GuardianNameRequest, WaitingInfo};
use landfall_protocol::link::{
    LinkAnswerRequest, LinkBeginRequest, LinkClaimRequest, LinkFindRequest, LinkInfo,
    LinkRevealRequest, LinkShowRequest, LinkStatus,
};
use landfall_protocol::me::Frozen;
use landfall_protocol::meta::{Health, WellKnown};
use landfall_protocol::notice::{
    AddressAddRequest, AddressConfirmRequest, AddressInfo, FreezeByLinkRequest, NoticeInfo,
};
use landfall_protocol::passkey::{PasskeyInfo, PasskeyRemoveQuery, RenameRequest};
use landfall_protocol::provisioned::{
    ClaimRequest, MachineCut, MachineKeyInfo, ProvisionApproveRequest, ProvisionApproved,
    ProvisionRequest, ProvisionedCredential, WhoAmI,
};
use landfall_protocol::readiness::{
    AdminReadinessQuery, AdminsReadiness, DrillCodeRequest, DrillInfo, ReadinessInfo,
    RecoveryPlanInfo, RecoveryPlanRequest, UserReadiness,
};
use landfall_protocol::recovery::{
    Recovered, RecoveryApproveRequest, RecoveryBeginRequest, RecoveryCodeInfo, RecoveryCodesMade,
    RecoveryCodesRequest, RecoveryCompleteRequest, RecoveryInfo, RecoveryMailProveRequest,
    RecoveryMailRequest, RecoveryProveRequest, RecoveryShowRequest, RecoveryStatus,
    RecoveryWaitRequest,
};
use landfall_protocol::secret::{SecretInfo, SecretSetRequest, SecretValue, SecretVersionInfo};
use landfall_protocol::session::{SessionOpenRequest, SessionOpened};
use landfall_protocol::workload::{
    WorkloadExchangeRequest, WorkloadIssued, WorkloadIssuerInfo, WorkloadIssuerRequest,
};
use landfall_protocol::{PageQuery, paths};
use std::sync::LazyLock;

/// One route, as the matrix test sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteInfo {
    /// The method, in upper case.
    pub method: &'static str,
    /// The path, with `{x}` for segments.
    pub path: &'static str,
    /// What it demands.
    pub action: Action,
}

/// One route.
pub struct Route {
    /// Where it is and what it demands.
    pub info: RouteInfo,
    /// What it does.
    pub handler: MethodRouter<App>,
    /// The most bytes of its body.
    pub body_max: usize,
    /// What it takes and gives.
    pub docs: Docs,
}

impl Route {
    fn body_max(mut self, bytes: usize) -> Self {
        self.body_max = bytes;
        self
    }

    pub(super) fn documented(mut self, write: impl FnOnce(Docs) -> Docs) -> Self {
        self.docs = write(self.docs);
        self
    }
}

/// Every route of the public port.
pub fn routes() -> &'static [RouteInfo] {
    static ROUTES: LazyLock<Vec<RouteInfo>> =
        LazyLock::new(|| table().into_iter().map(|route| route.info).collect());
    &ROUTES
}

/// The whole table.
pub(crate) fn table() -> Vec<Route> {
    let areas = [
        public_routes(),
        door_routes(),
        ceremony_routes(),
        recovery_routes(),
        link_routes(),
        guardian_routes(),
        own_routes(),
        secret_routes(),
        admin_routes(),
        role_routes(),
        provisioned_routes(),
        workload_routes(),
        agent_listener_routes(),
        agents::agent_owner_routes(),
        policy_routes(),
        proof_routes(),
    ];
    areas.into_iter().flatten().collect()
}

fn public_routes() -> Vec<Route> {
    let read = Action::ReadPublic;
    vec![
        get(paths::HEALTHZ, read, public::healthz).documented(Docs::gives::<Health>),
        get(paths::READYZ, read, public::readyz).documented(Docs::gives::<Health>),
        get(paths::OPENAPI, read, public::openapi).documented(Docs::json),
        get(paths::WELL_KNOWN, read, public::well_known).documented(Docs::gives::<WellKnown>),
        get(paths::SPIFFE_BUNDLE, read, public::spiffe_bundle).documented(Docs::json),
        get(paths::JWKS, read, public::jwks).documented(Docs::json),
        get(paths::WEBHOOK_KEYS, read, public::webhook_keys).documented(Docs::json),
        get(paths::CA_PEM, read, public::ca_pem)
            .documented(|docs| docs.file("application/x-pem-file")),
        get(paths::CRL, read, public::crl).documented(|docs| docs.file("application/pkix-crl")),
    ]
}

fn door_routes() -> Vec<Route> {
    vec![
        post(paths::TOKEN_ISSUE, Action::IssueToken, tokens::issue)
            .documented(Docs::both::<TokenIssueRequest, TokenIssued>),
        get(paths::TOKENS, Action::ListTokens, tokens::list)
            .documented(|docs| docs.query::<PageQuery>().lists::<TokenInfo>()),
        delete(paths::TOKEN, Action::CancelToken, tokens::cancel)
            .documented(Docs::gives::<TokenInfo>),
        post(paths::CERT_ISSUE, Action::Enroll, tokens::enroll)
            .body_max(CSR_BODY_MAX)
            .documented(Docs::both::<CertIssueRequest, CertIssued>),
        post(paths::CERT_RENEW, Action::RenewCertificate, tokens::renew)
            .documented(Docs::both::<CertRenewRequest, CertIssued>),
        post(paths::SESSION, Action::OpenSession, sessions::open)
            .documented(Docs::both::<SessionOpenRequest, SessionOpened>),
        delete(paths::SESSION, Action::CloseSession, sessions::close).documented(Docs::nothing),
    ]
}

fn ceremony_routes() -> Vec<Route> {
    let mut routes = ceremony_listener_routes();
    routes.extend([
        post(paths::REGISTER_BEGIN, Action::RegisterPasskey, ceremony::begin_register)
            .documented(Docs::both::<RegisterBeginRequest, CeremonyBegun>),
        post(paths::REGISTER_REDEEM, Action::RedeemPasskey, ceremony::redeem_passkey)
            .documented(Docs::both::<CeremonyRedeemRequest, PasskeyInfo>),
        post(paths::STEP_UP_BEGIN, Action::BeginStepUp, ceremony::begin_step_up)
            .documented(Docs::both::<StepUpBeginRequest, CeremonyBegun>),
        post(paths::STEP_UP_REDEEM, Action::RedeemStepUp, ceremony::redeem_step_up)
            .documented(Docs::both::<CeremonyRedeemRequest, SessionOpened>),
        post(paths::RECOVER_BEGIN, Action::BeginRecoveryPasskey, ceremony::begin_recover)
            .documented(Docs::both::<RecoverBeginRequest, CeremonyBegun>),
        post(paths::RECOVER_REDEEM, Action::RedeemRecoveryPasskey, ceremony::redeem_recover)
            .documented(Docs::both::<RecoverRedeemRequest, RecoveryStatus>),
        get(paths::PASSKEYS, Action::ListPasskeys, passkeys::list)
            .documented(|docs| docs.query::<PageQuery>().lists::<PasskeyInfo>()),
        patch(paths::PASSKEY, Action::RenamePasskey, passkeys::rename)
            .documented(Docs::both::<RenameRequest, PasskeyInfo>),
        post(paths::PASSKEY_BIND, Action::BindPasskey, passkeys::bind)
            .documented(Docs::gives::<PasskeyInfo>),
        delete(paths::PASSKEY, Action::RemovePasskey, passkeys::remove)
            .documented(|docs| docs.query::<PasskeyRemoveQuery>().nothing()),
    ]);
    routes
}

/// The page and the browser half: the local listener serves these, and nothing else.
pub(super) fn ceremony_listener_routes() -> Vec<Route> {
    let page = Action::ReadCeremonyPage;
    let (read, finish) = (Action::ReadCeremony, Action::FinishCeremony);
    let options = Docs::both::<CeremonyOptionsRequest, CeremonyOptions>;
    let finished = Docs::both::<CeremonyFinishRequest, CeremonyFinished>;
    vec![
        get(paths::CEREMONY_PAGE, page, ceremony::page).documented(|docs| docs.file("text/html")),
        get(paths::CEREMONY_FILE, page, ceremony::page_file)
            .documented(|docs| docs.file("application/octet-stream")),
        post(paths::REGISTER_OPTIONS, read, ceremony::register_options).documented(options),
        post(paths::REGISTER_FINISH, finish, ceremony::register_finish).documented(finished),
        post(paths::STEP_UP_OPTIONS, read, ceremony::step_up_options).documented(options),
        post(paths::STEP_UP_FINISH, finish, ceremony::step_up_finish).documented(finished),
        post(paths::RECOVER_OPTIONS, read, ceremony::recover_options).documented(options),
        post(paths::RECOVER_FINISH, finish, ceremony::recover_finish).documented(finished),
    ]
}

fn recovery_routes() -> Vec<Route> {
    vec![
        post(paths::RECOVERY_CODES, Action::MakeRecoveryCodes, recovery::make_codes)
            .documented(Docs::both::<RecoveryCodesRequest, RecoveryCodesMade>),
        get(paths::RECOVERY_CODES, Action::ListRecoveryCodes, recovery::list_codes)
            .documented(|docs| docs.query::<PageQuery>().lists::<RecoveryCodeInfo>()),
        post(paths::RECOVERY_BEGIN, Action::BeginRecovery, recovery::begin)
            .body_max(CSR_BODY_MAX)
            .documented(Docs::both::<RecoveryBeginRequest, RecoveryStatus>),
        post(paths::RECOVERY_SHOW, Action::ReadRecovery, recovery::show)
            .documented(Docs::both::<RecoveryShowRequest, RecoveryStatus>),
        post(paths::RECOVERY_PROVE, Action::ProveRecovery, recovery::prove)
            .documented(Docs::both::<RecoveryProveRequest, RecoveryStatus>),
        post(paths::RECOVERY_WAIT, Action::AskForWait, recovery::ask_for_wait)
            .documented(Docs::both::<RecoveryWaitRequest, RecoveryStatus>),
        post(paths::RECOVERY_MAIL, Action::MailRecoveryCode, recovery::mail)
            .documented(Docs::both::<RecoveryMailRequest, RecoveryStatus>),
        post(paths::RECOVERY_MAIL_PROVE, Action::ProveRecovery, recovery::prove_by_mail)
            .documented(Docs::both::<RecoveryMailProveRequest, RecoveryStatus>),
        post(paths::RECOVERY_COMPLETE, Action::CompleteRecovery, recovery::complete)
            .documented(Docs::both::<RecoveryCompleteRequest, Recovered>),
        get(paths::RECOVERIES, Action::ListRecoveries, recovery::list)
            .documented(|docs| docs.query::<PageQuery>().lists::<RecoveryInfo>()),
        post(paths::RECOVERY_OBJECT, Action::ObjectToRecovery, recovery::stop)
            .documented(Docs::gives::<RecoveryInfo>),
    ]
}

fn link_routes() -> Vec<Route> {
    vec![
        post(paths::LINK_BEGIN, Action::BeginLink, links::begin)
            .body_max(CSR_BODY_MAX)
            .documented(Docs::both::<LinkBeginRequest, LinkStatus>),
        post(paths::LINK_SHOW, Action::ReadLink, links::show)
            .documented(Docs::both::<LinkShowRequest, LinkStatus>),
        post(paths::LINK_ANSWER, Action::AnswerLink, links::answer)
            .documented(Docs::both::<LinkAnswerRequest, LinkStatus>),
        post(paths::LINK_FIND, Action::FindLink, links::find)
            .documented(Docs::both::<LinkFindRequest, LinkInfo>),
        get(paths::LINK, Action::WatchLink, links::watch).documented(Docs::gives::<LinkInfo>),
        post(paths::LINK_CLAIM, Action::ClaimLink, links::claim)
            .documented(Docs::both::<LinkClaimRequest, LinkInfo>),
        post(paths::LINK_REVEAL, Action::RevealLink, links::reveal)
            .documented(Docs::both::<LinkRevealRequest, LinkInfo>),
        post(paths::LINK_APPROVE, Action::ApproveLink, links::approve)
            .documented(Docs::gives::<LinkInfo>),
        post(paths::LINK_STOP, Action::StopLink, links::stop).documented(Docs::gives::<LinkInfo>),
    ]
}

fn guardian_routes() -> Vec<Route> {
    vec![
        get(paths::WAITING, Action::ReadWaiting, guardians::show_waiting)
            .documented(Docs::gives::<WaitingInfo>),
        post(paths::WAITING, Action::AllowWaiting, guardians::allow_waiting)
            .documented(Docs::gives::<WaitingInfo>),
        delete(paths::WAITING, Action::ForbidWaiting, guardians::forbid_waiting)
            .documented(Docs::gives::<WaitingInfo>),
        post(paths::GUARDIANS, Action::NameGuardian, guardians::name)
            .documented(Docs::both::<GuardianNameRequest, GuardianInfo>),
        get(paths::GUARDIANS, Action::ListGuardians, guardians::list)
            .documented(|docs| docs.query::<PageQuery>().lists::<GuardianInfo>()),
        delete(paths::GUARDIAN, Action::RemoveGuardian, guardians::remove)
            .documented(Docs::nothing),
        get(paths::WARDS, Action::ListWards, guardians::wards)
            .documented(|docs| docs.query::<PageQuery>().lists::<GuardianInfo>()),
        post(paths::WARD_ACCEPT, Action::AcceptWard, guardians::accept)
            .documented(Docs::gives::<GuardianInfo>),
        delete(paths::WARD, Action::LeaveWard, guardians::leave).documented(Docs::nothing),
        get(paths::WARD_RECOVERIES, Action::ListWardRecoveries, guardians::recoveries)
            .documented(|docs| docs.query::<PageQuery>().lists::<RecoveryInfo>()),
        post(paths::WARD_VOUCH, Action::VouchForWard, guardians::vouch)
            .documented(Docs::gives::<RecoveryInfo>),
    ]
}

fn own_routes() -> Vec<Route> {
    vec![
        get(paths::ME, Action::ReadSelf, me::show).documented(Docs::gives::<WhoAmI>),
        get(paths::FREEZE_PAGE, Action::ReadFreezePage, notices::freeze_page)
            .documented(|docs| docs.file("text/html")),
        post(paths::FREEZE_PAGE, Action::FreezeByLink, notices::freeze_by_link)
            .documented(Docs::both::<FreezeByLinkRequest, Frozen>),
        post(paths::FREEZE, Action::FreezeAccount, me::freeze).documented(Docs::gives::<Frozen>),
        post(paths::UNFREEZE, Action::UnfreezeAccount, me::unfreeze)
            .documented(Docs::gives::<Frozen>),
        get(paths::ADDRESSES, Action::ListAddresses, notices::addresses)
            .documented(|docs| docs.query::<PageQuery>().lists::<AddressInfo>()),
        post(paths::ADDRESSES, Action::AddAddress, notices::add)
            .documented(Docs::both::<AddressAddRequest, AddressInfo>),
        post(paths::ADDRESS_CONFIRM, Action::ConfirmAddress, notices::confirm)
            .documented(Docs::both::<AddressConfirmRequest, AddressInfo>),
        delete(paths::ADDRESS, Action::RemoveAddress, notices::remove).documented(Docs::nothing),
        get(paths::NOTICES, Action::ReadNotices, notices::list)
            .documented(|docs| docs.query::<PageQuery>().lists::<NoticeInfo>()),
        get(paths::DEVICES, Action::ListDevices, devices::list)
            .documented(|docs| docs.query::<PageQuery>().lists::<DeviceInfo>()),
        patch(paths::DEVICE, Action::RenameDevice, devices::rename)
            .documented(Docs::both::<RenameRequest, DeviceInfo>),
        post(paths::DEVICE_SUSPEND, Action::SuspendDevice, devices::suspend)
            .documented(Docs::gives::<DeviceCut>),
        post(paths::DEVICE_RESUME, Action::ResumeDevice, devices::resume)
            .documented(Docs::gives::<DeviceInfo>),
        get(paths::DEVICE_REVIEW, Action::ReviewDevice, devices::review)
            .documented(|docs| docs.query::<DeviceReviewQuery>().lists::<DeviceAct>()),
        get(paths::DEVICE_EXPOSURE, Action::ListExposure, devices::exposure)
            .documented(|docs| docs.query::<PageQuery>().lists::<ExposedSecret>()),
        post(paths::DEVICE_REVOKE, Action::RevokeDevice, devices::revoke)
            .documented(Docs::gives::<DeviceCut>),
        get(paths::READINESS, Action::ReadReadiness, readiness::own)
            .documented(Docs::gives::<ReadinessInfo>),
        get(paths::RECOVERY_PLAN, Action::ReadRecoveryPlan, readiness::plan)
            .documented(Docs::gives::<RecoveryPlanInfo>),
        post(paths::RECOVERY_PLAN, Action::SetRecoveryPlan, readiness::set_plan)
            .documented(Docs::both::<RecoveryPlanRequest, RecoveryPlanInfo>),
        delete(paths::RECOVERY_PLAN, Action::SetRecoveryPlan, readiness::clear_plan)
            .documented(Docs::gives::<RecoveryPlanInfo>),
        post(paths::DRILL_CODE, Action::DrillRecoveryCode, readiness::drill_code)
            .documented(Docs::both::<DrillCodeRequest, DrillInfo>),
        post(paths::DRILL_PASSKEY, Action::DrillPasskey, readiness::drill_passkey)
            .documented(Docs::gives::<DrillInfo>),
        get(paths::AUDIT, Action::ReadAudit, audit::list)
            .documented(|docs| docs.query::<AuditQuery>().lists::<AuditRow>()),
    ]
}

fn secret_routes() -> Vec<Route> {
    vec![
        get(paths::SECRETS, Action::ListSecrets, secrets::list)
            .documented(|docs| docs.query::<PageQuery>().lists::<SecretInfo>()),
        post(paths::SECRETS, Action::WriteSecret, secrets::set)
            .body_max(SECRET_BODY_MAX)
            .documented(Docs::both::<SecretSetRequest, SecretInfo>),
        get(paths::SECRET, Action::ReadSecret, secrets::get).documented(Docs::gives::<SecretValue>),
        delete(paths::SECRET, Action::DeleteSecret, secrets::delete).documented(Docs::nothing),
        get(paths::SECRET_VERSIONS, Action::ListSecretVersions, secrets::versions)
            .documented(|docs| docs.query::<PageQuery>().lists::<SecretVersionInfo>()),
        get(paths::SECRET_VERSION, Action::ReadSecret, secrets::get_version)
            .documented(Docs::gives::<SecretValue>),
        delete(paths::SECRET_VERSION, Action::DeleteSecretVersion, secrets::delete_version)
            .documented(Docs::nothing),
    ]
}

fn workload_routes() -> Vec<Route> {
    vec![
        post(paths::WORKLOAD_EXCHANGE, Action::ExchangeWorkload, workloads::exchange)
            .body_max(EXCHANGE_BODY_MAX)
            .documented(Docs::both::<WorkloadExchangeRequest, WorkloadIssued>),
        get(
            paths::ADMIN_WORKLOAD_ISSUERS,
            Action::AdminListWorkloadIssuers,
            workloads::list_issuers,
        )
        .documented(|docs| docs.query::<PageQuery>().lists::<WorkloadIssuerInfo>()),
        post(paths::ADMIN_WORKLOAD_ISSUERS, Action::AdminAddWorkloadIssuer, workloads::add_issuer)
            .documented(Docs::both::<WorkloadIssuerRequest, WorkloadIssuerInfo>),
        delete(
            paths::ADMIN_WORKLOAD_ISSUER,
            Action::AdminRemoveWorkloadIssuer,
            workloads::remove_issuer,
        )
        .documented(Docs::nothing),
    ]
}

fn admin_routes() -> Vec<Route> {
    vec![
        get(paths::ADMIN_USERS, Action::AdminListUsers, admin::users)
            .documented(|docs| docs.query::<PageQuery>().lists::<UserInfo>()),
        post(paths::ADMIN_FREEZE, Action::AdminFreezeUser, admin::freeze)
            .documented(Docs::gives::<Frozen>),
        post(paths::ADMIN_UNFREEZE, Action::AdminUnfreezeUser, admin::unfreeze)
            .documented(Docs::gives::<Frozen>),
        get(paths::ADMIN_DEVICES, Action::AdminListDevices, admin::devices)
            .documented(|docs| docs.query::<AdminDevicesQuery>().lists::<DeviceInfo>()),
        post(paths::ADMIN_DEVICE_SUSPEND, Action::AdminSuspendDevice, admin::suspend)
            .documented(Docs::gives::<DeviceCut>),
        post(paths::ADMIN_DEVICE_RESUME, Action::AdminResumeDevice, admin::resume)
            .documented(Docs::gives::<DeviceInfo>),
        post(paths::ADMIN_DEVICE_REVOKE, Action::AdminRevokeDevice, admin::revoke)
            .documented(Docs::gives::<DeviceCut>),
        get(paths::ADMIN_RECOVERIES, Action::AdminListRecoveries, recovery::admin_list)
            .documented(|docs| docs.query::<PageQuery>().lists::<RecoveryInfo>()),
        post(paths::ADMIN_RECOVERY_APPROVE, Action::AdminApproveRecovery, recovery::approve)
            .documented(Docs::both::<RecoveryApproveRequest, RecoveryInfo>),
        post(paths::ADMIN_RECOVERY_REFUSE, Action::AdminRefuseRecovery, recovery::stop)
            .documented(Docs::gives::<RecoveryInfo>),
        get(paths::ADMIN_READINESS, Action::AdminReadReadiness, readiness::admin_list)
            .documented(|docs| docs.query::<AdminReadinessQuery>().lists::<UserReadiness>()),
        get(paths::ADMIN_READINESS_ADMINS, Action::AdminReadReadiness, readiness::admins)
            .documented(Docs::gives::<AdminsReadiness>),
        get(paths::ADMIN_AUDIT, Action::AdminReadAudit, audit::admin_list)
            .documented(|docs| docs.query::<AuditQuery>().lists::<AuditRow>()),
    ]
}

pub(super) fn provisioned_routes() -> Vec<Route> {
    vec![
        post(paths::PROVISION, Action::ProvisionCredential, provisioned::provision)
            .documented(Docs::both::<ProvisionRequest, ProvisionedCredential>),
        post(paths::PROVISION_APPROVE, Action::ApproveProvision, provisioned::approve)
            .documented(Docs::both::<ProvisionApproveRequest, ProvisionApproved>),
        post(paths::CLAIM_CREDENTIAL, Action::ClaimCredential, provisioned::claim)
            .body_max(CSR_BODY_MAX)
            .documented(Docs::both::<ClaimRequest, CertIssued>),
        get(paths::PROVISIONED, Action::ListProvisioned, provisioned::list)
            .documented(|docs| docs.query::<PageQuery>().lists::<MachineKeyInfo>()),
        post(paths::KEY_DISABLE, Action::DisableKey, provisioned::disable)
            .documented(Docs::gives::<MachineKeyInfo>),
        post(paths::KEY_ENABLE, Action::EnableKey, provisioned::enable)
            .documented(Docs::gives::<MachineKeyInfo>),
        post(paths::MACHINE_SUSPEND, Action::AdminSuspendDevice, provisioned::cut)
            .documented(Docs::gives::<MachineCut>),
        post(paths::MACHINE_RESUME, Action::AdminResumeDevice, provisioned::resume)
            .documented(Docs::gives::<MachineCut>),
        post(paths::MACHINE_REVOKE, Action::AdminRevokeDevice, provisioned::cut)
            .documented(Docs::gives::<MachineCut>),
    ]
}

pub(super) fn get<H: Handler<T, App>, T: 'static>(
    path: &'static str,
    action: Action,
    handler: H,
) -> Route {
    route("GET", MethodFilter::GET, path, action, handler)
}

pub(super) fn post<H: Handler<T, App>, T: 'static>(
    path: &'static str,
    action: Action,
    handler: H,
) -> Route {
    route("POST", MethodFilter::POST, path, action, handler)
}

fn patch<H: Handler<T, App>, T: 'static>(path: &'static str, action: Action, handler: H) -> Route {
    route("PATCH", MethodFilter::PATCH, path, action, handler)
}

fn delete<H: Handler<T, App>, T: 'static>(path: &'static str, action: Action, handler: H) -> Route {
    route("DELETE", MethodFilter::DELETE, path, action, handler)
}

fn route<H: Handler<T, App>, T: 'static>(
    method: &'static str,
    filter: MethodFilter,
    path: &'static str,
    action: Action,
    handler: H,
) -> Route {
    Route {
        info: RouteInfo { method, path, action },
        handler: on(filter, handler),
        body_max: BODY_MAX,
        docs: Docs::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfall_identity::action::Entry;

    #[test]
    fn every_path_of_the_contract_is_served() {
        let contract = include_str!("../../../protocol/src/paths.rs");
        for line in contract.lines().filter(|line| line.starts_with("pub const ")) {
            let path = line.split('"').nth(1).unwrap();
            assert!(routes().iter().any(|route| route.path == path), "{path} has no route");
        }
    }

    #[test]
    fn every_action_is_demanded_by_some_route_or_chosen_behind_one() {
        let behind = [Action::IssueInvite, Action::CancelOwnToken, Action::SuspendThisDevice];
        for action in Action::ALL.iter().filter(|action| !behind.contains(action)) {
            assert!(routes().iter().any(|route| route.action == *action), "{action:?}");
        }
    }

    #[test]
    fn a_route_is_there_once() {
        for (place, route) in routes().iter().enumerate() {
            let same = |other: &RouteInfo| (other.method, other.path) == (route.method, route.path);
            assert_eq!(routes().iter().position(same), Some(place), "{route:?}");
        }
    }

    #[test]
    fn the_local_listener_serves_the_browser_half_alone() {
        for route in ceremony_listener_routes() {
            let entry = route.info.action.demand().entry;
            let page = route.info.action == Action::ReadCeremonyPage;
            assert!(page || entry == Entry::CeremonySecret, "{:?}", route.info);
        }
    }
}
