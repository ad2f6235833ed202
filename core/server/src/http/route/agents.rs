//! The routes of agents: what their own clients call, and what their owners do.

use super::super::{AGENT_BODY_MAX, agents, agents_owned};
use super::{Route, delete, get, post};
use crate::openapi::Docs;
use landfall_identity::Action;
use landfall_protocol::agent::{
    AdminAgentsQuery, AgentCodeInfo, AgentCodeIssueRequest, AgentCodeIssued, AgentCut,
    AgentEnrolRequest, AgentEnrollRequest, AgentGranted, AgentInfo, AgentPairingAnswerRequest,
    AgentPairingBeginRequest, AgentPairingInfo, AgentPairingShowRequest, AgentPairingStatus,
    AgentTokenRequest, SubAgentTokenRequest,
};
use landfall_protocol::capability::{
    ApprovalInfo, ApprovalRaiseRequest, ApprovalShowRequest, CapabilityExchangeRequest,
    CapabilityIssued, CapabilityRequest,
};
use landfall_protocol::link::{LinkClaimRequest, LinkFindRequest, LinkRevealRequest};
use landfall_protocol::{PageQuery, paths};

/// What agents' clients call: the plain listener on the loopback serves these, and nothing else.
pub fn agent_listener_routes() -> Vec<Route> {
    let (read, token) = (Action::ReadPublic, Action::IssueAgentToken);
    let refresh = Docs::both::<AgentTokenRequest, AgentGranted>;
    let routes = vec![
        get(paths::AGENT_METADATA, read, agents::metadata).documented(Docs::json),
        get(paths::AGENT_PROVIDER_KEYS, read, agents::provider_keys).documented(Docs::json),
        get(paths::AGENT_KEYS, read, agents::keys).documented(Docs::json),
        post(paths::AGENT_ENROL, Action::EnrollAgent, agents::enrol)
            .documented(Docs::both::<AgentEnrolRequest, AgentGranted>),
        post(paths::AGENT_ENROLL, Action::EnrollAgent, agents::enroll)
            .documented(Docs::both::<AgentEnrollRequest, AgentGranted>),
        post(paths::AGENT_REFRESH, token, agents::refresh).documented(refresh),
        post(paths::AGENT_TOKEN, token, agents::refresh).documented(refresh),
        post(paths::SUB_AGENT_TOKEN, Action::IssueSubAgentToken, agents::sub_agent)
            .documented(Docs::both::<SubAgentTokenRequest, AgentGranted>),
        post(paths::PAIRING_BEGIN, Action::BeginAgentPairing, agents::begin_pairing)
            .documented(Docs::both::<AgentPairingBeginRequest, AgentPairingStatus>),
        post(paths::PAIRING_SHOW, Action::ReadAgentPairing, agents::show_pairing)
            .documented(Docs::both::<AgentPairingShowRequest, AgentPairingStatus>),
        post(paths::PAIRING_ANSWER, Action::AnswerAgentPairing, agents::answer_pairing)
            .documented(Docs::both::<AgentPairingAnswerRequest, AgentPairingStatus>),
        post(paths::CAPABILITIES, Action::IssueCapability, agents::capability)
            .documented(Docs::both::<CapabilityRequest, CapabilityIssued>),
        post(paths::CAPABILITY_EXCHANGE, Action::ExchangeCapability, agents::exchange)
            .documented(Docs::both::<CapabilityExchangeRequest, CapabilityIssued>),
        post(paths::APPROVALS, Action::RaiseApproval, agents::raise_approval)
            .documented(Docs::both::<ApprovalRaiseRequest, ApprovalInfo>),
        post(paths::APPROVAL_SHOW, Action::ReadApproval, agents::show_approval)
            .documented(Docs::both::<ApprovalShowRequest, ApprovalInfo>),
    ];
    routes.into_iter().map(|route| route.body_max(AGENT_BODY_MAX)).collect()
}

pub fn agent_owner_routes() -> Vec<Route> {
    vec![
        post(paths::AGENT_CODES, Action::IssueAgentCode, agents_owned::issue_code)
            .documented(Docs::both::<AgentCodeIssueRequest, AgentCodeIssued>),
        get(paths::AGENT_CODES, Action::ListAgentCodes, agents_owned::codes)
            .documented(|docs| docs.query::<PageQuery>().lists::<AgentCodeInfo>()),
        delete(paths::AGENT_CODE, Action::CancelAgentCode, agents_owned::cancel_code)
            .documented(Docs::gives::<AgentCodeInfo>),
        get(paths::AGENTS, Action::ListAgents, agents_owned::list)
            .documented(|docs| docs.query::<PageQuery>().lists::<AgentInfo>()),
        post(paths::AGENT_REVOKE, Action::RevokeAgent, agents_owned::revoke)
            .documented(Docs::gives::<AgentCut>),
        post(paths::PAIRING_FIND, Action::FindAgentPairing, agents_owned::find)
            .documented(Docs::both::<LinkFindRequest, AgentPairingInfo>),
        get(paths::PAIRING, Action::WatchAgentPairing, agents_owned::watch)
            .documented(Docs::gives::<AgentPairingInfo>),
        post(paths::PAIRING_CLAIM, Action::ClaimAgentPairing, agents_owned::claim)
            .documented(Docs::both::<LinkClaimRequest, AgentPairingInfo>),
        post(paths::PAIRING_REVEAL, Action::RevealAgentPairing, agents_owned::reveal)
            .documented(Docs::both::<LinkRevealRequest, AgentPairingInfo>),
        post(paths::PAIRING_APPROVE, Action::ApproveAgentPairing, agents_owned::approve)
            .documented(Docs::gives::<AgentPairingInfo>),
        post(paths::PAIRING_STOP, Action::StopAgentPairing, agents_owned::stop)
            .documented(Docs::gives::<AgentPairingInfo>),
        get(paths::APPROVALS, Action::ListApprovals, agents_owned::approvals)
            .documented(|docs| docs.query::<PageQuery>().lists::<ApprovalInfo>()),
        post(paths::APPROVAL_GRANT, Action::GrantApproval, agents_owned::grant)
            .documented(Docs::gives::<ApprovalInfo>),
        post(paths::APPROVAL_REFUSE, Action::RefuseApproval, agents_owned::refuse)
            .documented(Docs::gives::<ApprovalInfo>),
        get(paths::ADMIN_AGENTS, Action::AdminListAgents, agents_owned::admin_list)
            .documented(|docs| docs.query::<AdminAgentsQuery>().lists::<AgentInfo>()),
        post(paths::ADMIN_AGENT_REVOKE, Action::AdminRevokeAgent, agents_owned::revoke)
            .documented(Docs::gives::<AgentCut>),
    ]
}
