//! Agents, as their owners and administrators see them.

use super::extract::{Json, Query, Segments};
use super::{Answer, App, reply};
use crate::service::RequestContext;
use axum::extract::State;
use landfall_identity::AgentId;
use landfall_protocol::agent::{
    AdminAgentsQuery, AgentCodeInfo, AgentCodeIssueRequest, AgentCodeIssued, AgentCut, AgentInfo,
    AgentPairingInfo,
};
use landfall_protocol::capability::ApprovalInfo;
use landfall_protocol::link::{LinkClaimRequest, LinkFindRequest, LinkRevealRequest};
use landfall_protocol::{Page, PageQuery};

pub(super) async fn issue_code(
    State(app): State<App>,
    context: RequestContext,
    Json(body): Json<AgentCodeIssueRequest>,
) -> Answer<AgentCodeIssued> {
    reply(app.service.issue_agent_code(context, body).await)
}

pub(super) async fn codes(
    State(app): State<App>,
    context: RequestContext,
    Query(query): Query<PageQuery>,
) -> Answer<Page<AgentCodeInfo>> {
    reply(app.service.list_agent_codes(context, query).await)
}

pub(super) async fn cancel_code(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<AgentCodeInfo> {
    reply(app.service.cancel_agent_code(context, segments.get("id")?).await)
}

pub(super) async fn list(
    State(app): State<App>,
    context: RequestContext,
    Query(query): Query<PageQuery>,
) -> Answer<Page<AgentInfo>> {
    reply(app.service.list_agents(context, query).await)
}

pub(super) async fn admin_list(
    State(app): State<App>,
    context: RequestContext,
    Query(query): Query<AdminAgentsQuery>,
) -> Answer<Page<AgentInfo>> {
    reply(app.service.admin_list_agents(context, query).await)
}

/// The owner's and the administrator's: what differs is what the route demands.
pub(super) async fn revoke(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<AgentCut> {
    reply(app.service.revoke_agent(context, segments.get::<AgentId>("agent")?).await)
}

pub(super) async fn find(
    State(app): State<App>,
    context: RequestContext,
    Json(body): Json<LinkFindRequest>,
) -> Answer<AgentPairingInfo> {
    reply(app.service.find_agent_pairing(context, body).await)
}

pub(super) async fn watch(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<AgentPairingInfo> {
    reply(app.service.watch_agent_pairing(context, segments.get("id")?).await)
}

pub(super) async fn claim(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
    Json(body): Json<LinkClaimRequest>,
) -> Answer<AgentPairingInfo> {
    reply(app.service.claim_agent_pairing(context, segments.get("id")?, body).await)
}

pub(super) async fn reveal(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
    Json(body): Json<LinkRevealRequest>,
) -> Answer<AgentPairingInfo> {
    reply(app.service.reveal_agent_pairing(context, segments.get("id")?, body).await)
}

pub(super) async fn approve(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<AgentPairingInfo> {
    reply(app.service.approve_agent_pairing(context, segments.get("id")?).await)
}

pub(super) async fn stop(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<AgentPairingInfo> {
    reply(app.service.stop_agent_pairing(context, segments.get("id")?).await)
}

pub(super) async fn approvals(
    State(app): State<App>,
    context: RequestContext,
    Query(query): Query<PageQuery>,
) -> Answer<Page<ApprovalInfo>> {
    reply(app.service.list_approvals(context, query).await)
}

pub(super) async fn grant(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<ApprovalInfo> {
    reply(app.service.grant_approval(context, segments.get("id")?).await)
}

pub(super) async fn refuse(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<ApprovalInfo> {
    reply(app.service.refuse_approval(context, segments.get("id")?).await)
}
