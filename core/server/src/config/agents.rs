//! `[agents]`: the agent provider (AAuth). Without this table there is none.

use super::{Config, Site};
use landfall_crypto::aauth::message::normal_authority;
use landfall_crypto::aauth::{Profile, ServerId};
use landfall_crypto::thumbprint::Thumbprint;
use landfall_identity::agent_life::AgentDoor;
use landfall_identity::capability::{Ceiling, Words, WordsError};
use landfall_identity::{AgentId, Seconds};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

/// How long an agent's token lives, unless said otherwise.
const TOKEN_TTL_SECONDS: u64 = 3600;
/// The longest that one may live.
const TOKEN_TTL_MAX_SECONDS: u64 = 86_400;
/// Agents that the list may name.
const ALLOWED_MAX: usize = 1000;
/// Rules of what agents may do.
const SCOPES_MAX: usize = 100;
/// Further authorities that requests may carry.
const AUTHORITIES_MAX: usize = 16;

/// What the operator says of agents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentsConfig {
    /// Who issues agents' tokens, such as `https://agents.example.org`: a host, without port or path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<ServerId>,
    /// What stands behind `@` in agents' names. Defaults to the issuer's host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Further authorities that agents' requests may carry, such as `agents.example.org:8443`, beside the
    /// issuer's and that of the public address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorities: Vec<String>,
    /// Whether this server is used on its own machine alone: the issuer is then a loopback address.
    #[serde(default)]
    pub loopback: bool,
    /// A loopback address at which agents' routes are served over plain HTTP. Off when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loopback_listen: Option<SocketAddr>,
    /// How much of older drafts is taken: `compatible` or `strict`.
    #[serde(default)]
    pub profile: Profile,
    /// Whether naming tokens of the first form are taken. Unless said otherwise, as the profile has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guide_naming_tokens: Option<bool>,
    /// Whether an agent may enrol without a signature. Unless said otherwise, as the profile has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsigned_enrolment: Option<bool>,
    /// What lets an agent in: `link-code`, `pairing`, `allow-list`, and `open` on the loopback.
    #[serde(default = "default_enrolment")]
    pub enrolment: Vec<AgentDoor>,
    /// Keys that `allow-list` lets in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<AllowedAgent>,
    /// How long an agent's token lives; at most 24 h.
    #[serde(default = "default_token_ttl")]
    pub token_ttl_seconds: u64,
    /// What every agent may have a capability for without asking its owner. Nothing when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<ScopeRule>,
    /// Who certifies person servers, PEM. Unless said otherwise, whom the system believes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person_server_ca_file: Option<PathBuf>,
}

/// Words that agents may have a capability for, at these places or anywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeRule {
    /// What.
    pub scope: Vec<String>,
    /// Where; anywhere when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<Vec<String>>,
}

impl ScopeRule {
    fn ceiling(&self) -> Result<Ceiling, WordsError> {
        let audience = self.audience.as_ref().map(Words::new).transpose()?;
        Ok(Ceiling { scope: Words::new(&self.scope)?, audience })
    }
}

/// One key that the operator lets in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowedAgent {
    /// Its thumbprint (RFC 7638).
    pub key: Thumbprint,
    /// What the agent is called: the part before `@`.
    pub name: String,
}

impl Default for AgentsConfig {
    fn default() -> Self {
        Self {
            issuer: None,
            domain: None,
            authorities: Vec::new(),
            loopback: false,
            loopback_listen: None,
            profile: Profile::Compatible,
            guide_naming_tokens: None,
            unsigned_enrolment: None,
            enrolment: default_enrolment(),
            allow: Vec::new(),
            token_ttl_seconds: TOKEN_TTL_SECONDS,
            scopes: Vec::new(),
            person_server_ca_file: None,
        }
    }
}

impl AgentsConfig {
    /// Whether `door` lets agents in.
    pub fn takes(&self, door: AgentDoor) -> bool {
        self.enrolment.contains(&door)
    }

    /// Whether naming tokens of the first form are taken.
    pub fn takes_guide_naming(&self) -> bool {
        self.guide_naming_tokens.unwrap_or(self.profile.is_compatible())
    }

    /// Whether an agent may enrol without a signature.
    pub fn takes_unsigned(&self) -> bool {
        self.unsigned_enrolment.unwrap_or(self.profile.is_compatible())
    }
}

/// What a running provider is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentProvider {
    /// Who issues.
    pub issuer: ServerId,
    /// What stands behind `@`.
    pub domain: String,
    /// Where the routes are, without a slash at the end.
    pub base: String,
    /// The authorities that a request may carry.
    pub authorities: Vec<String>,
    /// What the operator said.
    pub config: AgentsConfig,
}

impl AgentsConfig {
    /// What the operator's list says of a key.
    pub fn listed(&self, thumbprint: &str) -> Option<&AllowedAgent> {
        let listed = self.allow.iter().find(|one| one.key.as_str() == thumbprint);
        listed.filter(|_| self.takes(AgentDoor::AllowList))
    }

    /// Whether the operator's list gives this name to another key. *Whoever took it first would be spoken of by every rule
    /// that names it.*
    pub fn reserves(&self, local: &str, thumbprint: Option<&str>) -> bool {
        let named = self.allow.iter().filter(|one| one.name == local);
        self.takes(AgentDoor::AllowList)
            && named.into_iter().any(|one| Some(one.key.as_str()) != thumbprint)
    }
}

impl AgentProvider {
    /// The provider of a server with this configuration, on these bound addresses; none where none is
    /// wanted.
    ///
    /// # Errors
    /// Why no issuer follows.
    pub fn new(
        config: &Config,
        site: &Site,
        plain: Option<SocketAddr>,
    ) -> Result<Option<Self>, String> {
        let Some(agents) = &config.agents else { return Ok(None) };
        let public = site.url.to_string();
        let base = plain.map_or(public, |address| format!("http://{address}"));
        let issuer = match &agents.issuer {
            Some(issuer) => issuer.clone(),
            None => ServerId::parse_with_loopback(&base)
                .map_err(|_| format!("agents.issuer: {base} cannot be one; set it"))?,
        };
        let domain = agents.domain.clone().unwrap_or_else(|| issuer.host().to_owned());
        AgentId::new("agent", &domain)
            .map_err(|error| format!("agents.domain: {domain} cannot be one: {error}"))?;
        let mut authorities = vec![site.url.authority(), authority_of(&issuer)];
        authorities.extend(plain.map(|address| address.to_string()));
        authorities.extend(agents.authorities.iter().map(|one| normal_authority(one, true)));
        authorities.dedup();
        Ok(Some(Self { issuer, domain, base, authorities, config: agents.clone() }))
    }

    /// What every agent may have a capability for.
    pub fn ceilings(&self) -> Vec<Ceiling> {
        self.config.scopes.iter().filter_map(|rule| rule.ceiling().ok()).collect()
    }

    /// How long a token lives.
    pub fn token_ttl(&self) -> Seconds {
        Seconds(self.config.token_ttl_seconds)
    }
}

fn authority_of(issuer: &ServerId) -> String {
    issuer.as_str().split_once("://").map_or_else(String::new, |(_, rest)| rest.to_owned())
}

/// The rules between keys: the key that is to blame, and what to do.
pub(super) fn rules(config: &Config) -> Result<(), (&'static str, &'static str)> {
    let Some(agents) = &config.agents else { return Ok(()) };
    issuer_rules(config, agents)?;
    let strict = !agents.profile.is_compatible();
    if strict && agents.guide_naming_tokens == Some(true) {
        return Err((
            "agents.guide_naming_tokens",
            "agents.guide_naming_tokens belongs to older drafts, which profile = \"strict\" refuses: leave it out",
        ));
    }
    if strict && agents.unsigned_enrolment == Some(true) {
        return Err((
            "agents.unsigned_enrolment",
            "agents.unsigned_enrolment belongs to older drafts, which profile = \"strict\" refuses: leave it out",
        ));
    }
    if !(1..=TOKEN_TTL_MAX_SECONDS).contains(&agents.token_ttl_seconds) {
        return Err((
            "agents.token_ttl_seconds",
            "agents.token_ttl_seconds must be from 1 to 86400 (24 hours)",
        ));
    }
    if agents.scopes.len() > SCOPES_MAX || agents.scopes.iter().any(|rule| rule.ceiling().is_err())
    {
        return Err((
            "agents.scopes",
            "agents.scopes takes up to 100 rules, each with 1 to 32 plain words as scope, and as audience",
        ));
    }
    door_rules(agents)
}

fn issuer_rules(
    config: &Config,
    agents: &AgentsConfig,
) -> Result<(), (&'static str, &'static str)> {
    let loopback_issuer = agents.issuer.as_ref().is_some_and(ServerId::is_loopback);
    match (&agents.issuer, agents.loopback) {
        (None, false) => {
            return Err((
                "agents.issuer",
                "agents.issuer must say who issues agents' tokens, such as https://agents.example.org; for use \
                 on this machine alone set agents.loopback = true",
            ));
        }
        (Some(_), false) if loopback_issuer => {
            return Err((
                "agents.issuer",
                "agents.issuer is this machine: set it to a name that others resolve, or agents.loopback = true",
            ));
        }
        _ => {}
    }
    if agents.loopback && !config.listen.ip().is_loopback() {
        return Err((
            "agents.loopback",
            "agents.loopback is for this machine alone: set listen to a loopback address, or leave it out",
        ));
    }
    if let Some(address) = agents.loopback_listen
        && !(agents.loopback && address.ip().is_loopback())
    {
        return Err((
            "agents.loopback_listen",
            "agents.loopback_listen serves plain HTTP: it must be a loopback address, and agents.loopback be true",
        ));
    }
    let plain = |text: &String| {
        let authority: Result<http::uri::Authority, _> = text.parse();
        authority.is_ok_and(|one| !one.as_str().contains('@')) && *text == text.to_lowercase()
    };
    if agents.authorities.len() > AUTHORITIES_MAX || !agents.authorities.iter().all(plain) {
        return Err((
            "agents.authorities",
            "agents.authorities takes up to 16 hosts in lower case, with a port where there is one",
        ));
    }
    Ok(())
}

fn door_rules(agents: &AgentsConfig) -> Result<(), (&'static str, &'static str)> {
    if agents.enrolment.is_empty() || agents.takes(AgentDoor::Parent) {
        return Err((
            "agents.enrolment",
            "agents.enrolment must name what lets agents in: link-code, pairing, allow-list, or open",
        ));
    }
    if agents.takes(AgentDoor::Open) && !agents.loopback {
        return Err((
            "agents.enrolment",
            "agents.enrolment: open lets in whoever asks, and is for the loopback alone: take it out, or set \
             agents.loopback = true",
        ));
    }
    if agents.takes(AgentDoor::AllowList) == agents.allow.is_empty() {
        return Err((
            "agents.allow",
            "agents.allow and allow-list in agents.enrolment belong together: name the keys that are let in",
        ));
    }
    let fits = |one: &AllowedAgent| {
        AgentId::new(&one.name, "example.org").is_ok_and(|id| !id.is_sub_agent())
    };
    if agents.allow.len() > ALLOWED_MAX || !agents.allow.iter().all(fits) {
        return Err((
            "agents.allow",
            "agents.allow takes up to 1000 keys, each with a name of a-z, 0-9, '-', '_' and '.'",
        ));
    }
    let keys: BTreeSet<_> = agents.allow.iter().map(|one| one.key.as_str()).collect();
    let names: BTreeSet<_> = agents.allow.iter().map(|one| one.name.as_str()).collect();
    if keys.len().min(names.len()) < agents.allow.len() {
        return Err((
            "agents.allow",
            "agents.allow names a key or an agent twice: one key is one agent; leave one of the two out",
        ));
    }
    Ok(())
}

fn default_enrolment() -> Vec<AgentDoor> {
    vec![AgentDoor::LinkCode, AgentDoor::Pairing]
}

fn default_token_ttl() -> u64 {
    TOKEN_TTL_SECONDS
}
