//! What lets an agent in.
//!
//! Load: the key, the name, the code. Decide: whether the key is known (then nothing changes, and no code
//! is used up), whether the name has another key (then no), what lets it in. Apply: the agent and the code,
//! together. A credential that was shown and is not right is the end of it: nothing else is tried.

use super::Service;
use super::agents::{prove, settle_server};
use super::agents_enrol::{Shown, Wish, asked_name};
use super::perform::Notes;
use crate::config::AgentProvider;
use crate::failure::Failure;
use crate::store::agent_codes::{self, AgentCode};
use crate::store::agent_pairings::{self, PairingState};
use crate::store::agents::{self, Agent};
use crate::store::{Tx, enrollments, users};
use landfall_crypto::agent_code::AgentCodeText;
use landfall_crypto::door::AuthHash;
use landfall_identity::agent_life::{
    AGENTS_PER_USER, AgentDoor, AgentState, Backing, Meets, UNPROVEN_MAX, UNPROVEN_TTL, may_act,
    meets,
};
use landfall_identity::id::EnrollmentId;
use landfall_identity::token::{Redemption, RedemptionRefusal};
use landfall_identity::{Action, AgentId, Refusal, Timestamp, UserName};

/// Who lets it in, and what as.
struct Entry {
    door: AgentDoor,
    name: Option<String>,
    owner: Option<(UserName, EnrollmentId)>,
    backing: Backing,
    code: Option<AgentCode>,
}

/// One enrolment, inside its transaction.
pub(super) struct Enrolment<'a> {
    pub(super) service: &'a Service,
    pub(super) provider: &'a AgentProvider,
    /// What the rules are asked about, and where it is noted.
    pub(super) asked: (Action, &'a Notes),
    pub(super) now: Timestamp,
    pub(super) until: Timestamp,
}

impl Enrolment<'_> {
    /// The agent that the key is, or becomes; and whether it is new.
    pub(super) async fn of(&self, tx: &mut Tx<'_>, wish: &Wish) -> Result<(Agent, bool), Failure> {
        let thumbprint = wish.key.thumbprint().to_string();
        let asked = wish.agent.as_ref();
        agents::drop_gone(tx, &thumbprint, asked.map_or("", AgentId::as_str), self.now).await?;
        self.service.may_be_agents(tx, &thumbprint, self.now).await?;
        let mut known = agents::by_thumbprint(tx, &thumbprint).await?;
        if let Some(row) = &known
            && self.is_superseded(tx, wish, row).await?
        {
            agents::forget_unproven(tx, &row.id).await?;
            known = None;
        }
        match meeting(tx, known.as_ref(), asked, &thumbprint).await {
            Ok((Meets::Itself, Some(row))) => self.again(tx, wish, row).await,
            Ok(_) => self.anew(tx, wish, thumbprint).await,
            Err(taken) => {
                self.if_used(tx, wish, &thumbprint).await?;
                Err(taken)
            }
        }
    }

    /// The key is known. No code is used up, but for one that lets an agent back in whose device was
    /// revoked.
    async fn again(
        &self,
        tx: &mut Tx<'_>,
        wish: &Wish,
        mut row: Agent,
    ) -> Result<(Agent, bool), Failure> {
        if row.parent.is_some() {
            return Err(Refusal::AgentKeyKnown.into());
        }
        let mut standing = may_act(row.state, &row.backing, self.now);
        if let (Err(Refusal::AgentUnvouched), Shown::Code(code)) = (&standing, &wish.shown) {
            row = self.introduced_again(tx, row, code.as_ref()).await?;
            standing = may_act(row.state, &row.backing, self.now);
        }
        standing?;
        self.may_try(&row, wish)?;
        if wish.signed {
            row.person_server = settle_server(&row, wish.person_server.clone())?;
            prove(tx, &mut row).await?;
        }
        if wish.signed || !matches!(row.state, AgentState::Active) {
            // Of an agent that has proved its key nobody else's word says that it was seen.
            agents::saw(tx, &row.id, row.person_server.as_deref(), self.until, self.now).await?;
        }
        Ok((row, false))
    }

    /// Another device of the same owner vouches from now on.
    async fn introduced_again(
        &self,
        tx: &mut Tx<'_>,
        row: Agent,
        code: Option<&AgentCodeText>,
    ) -> Result<Agent, Failure> {
        let entry = self.by_code(tx, code, &row.thumbprint).await?;
        let (Some((owner, device)), Some(code)) = (&entry.owner, &entry.code) else {
            return Err(Refusal::AgentCodeWrong.into());
        };
        let same = row.owner.as_ref() == Some(owner)
            && code.name.as_deref().is_none_or(|name| name == row.agent.local());
        if !same {
            return Err(Refusal::AgentCodeWrong.into());
        }
        use_up(tx, code, &row.thumbprint, &row.agent, self.now).await?;
        agents::introduce(tx, &row.id, entry.door, owner, device).await?;
        Ok(agents::by_thumbprint(tx, &row.thumbprint).await?.ok_or(Refusal::AgentUnknown)?)
    }

    /// The key is new: what lets it in?
    async fn anew(
        &self,
        tx: &mut Tx<'_>,
        wish: &Wish,
        thumbprint: String,
    ) -> Result<(Agent, bool), Failure> {
        let entry = self.entry(tx, wish, &thumbprint).await?;
        let agent = self.name_of(wish, &entry)?;
        if self.provider.config.reserves(agent.local(), Some(thumbprint.as_str())) {
            return Err(Refusal::AgentIdTaken.into());
        }
        if agents::find(tx, &agent).await?.is_some() {
            return Err(Refusal::AgentIdTaken.into());
        }
        let state = match wish.signed {
            true => AgentState::Active,
            false => AgentState::Unproven { until: self.now + UNPROVEN_TTL },
        };
        may_act(state, &entry.backing, self.now)?;
        self.make_room(tx, &entry, state).await?;
        if let Some(code) = &entry.code {
            use_up(tx, code, &thumbprint, &agent, self.now).await?;
        }
        let tenant = &self.service.settings.tenant;
        users::ensure_tenant(tx, tenant, self.now).await?;
        let (owner, introduced_by) = entry.owner.unzip();
        let row = Agent {
            id: wish.row.clone(),
            tenant: tenant.clone(),
            agent: agent.clone(),
            jwk: serde_json::to_string(&wish.key.jwk()).map_err(Failure::internal)?,
            state,
            door: entry.door,
            owner,
            introduced_by,
            parent: None,
            person_server: wish.person_server.clone(),
            label: wish.label.clone(),
            enrolled_at: self.now,
            last_seen_at: self.now,
            token_until: self.until,
            backing: entry.backing,
            introducer: None,
            parent_agent: None,
            thumbprint,
        };
        agents::insert(tx, &row).await?;
        // With the names of those who stand behind it.
        let row = agents::find(tx, &agent).await?.ok_or(Refusal::AgentUnknown)?;
        // A refusal leaves nothing of what was done for it: neither the row, nor a code that is used up.
        self.may_try(&row, wish)?;
        Ok((row, true))
    }

    /// Whether the tenant's rules let it in, as the one that it is or becomes; and whether they let it have a token,
    /// where it is given one at once: whoever keeps an agent from its next one keeps it from this one.
    fn may_try(&self, row: &Agent, wish: &Wish) -> Result<(), Failure> {
        let (action, notes) = self.asked;
        self.service.ask_rules_of_agent(action, row, wish.signed, notes)?;
        match wish.token {
            Some(_) => {
                let action = Action::IssueAgentToken;
                self.service.ask_rules_of_agent(action, row, wish.signed, notes)
            }
            None => Ok(()),
        }
    }

    /// Whether a key that somebody else has named, and that has proved nothing yet, now comes by itself with a code of its
    /// owner's. *Whoever knows its public half would name it first, and be its owner once it signs.*
    async fn is_superseded(
        &self,
        tx: &mut Tx<'_>,
        wish: &Wish,
        row: &Agent,
    ) -> Result<bool, Failure> {
        if !wish.signed || !matches!(row.state, AgentState::Unproven { .. }) {
            return Ok(false);
        }
        let Shown::Code(shown) = &wish.shown else {
            return self.comes_otherwise(tx, row).await;
        };
        if let Some(text) = shown
            && let Some(code) = agent_codes::find(tx, &text.id).await?
            && text.auth.matches(&AuthHash::from_bytes(code.auth_hash))
            && code.state.redeem(&row.thumbprint, code.expires_at, self.now) == Redemption::Resume
        {
            // The very code that it was named with.
            return Ok(false);
        }
        self.by_code(tx, shown.as_ref(), &row.thumbprint).await.map(|_| true)
    }

    /// Says so to somebody whose code another key has used. *Whoever stole it took the name as well:* what its
    /// rightful holder has to hear is that and when, and not that the name is taken.
    async fn if_used(&self, tx: &mut Tx<'_>, wish: &Wish, thumbprint: &str) -> Result<(), Failure> {
        let Shown::Code(shown) = &wish.shown else { return Ok(()) };
        match self.by_code(tx, shown.as_ref(), thumbprint).await {
            Err(Failure::Refused(used @ Refusal::TokenUsed { .. })) => Err(used.into()),
            _ => Ok(()),
        }
    }

    /// Whether a key that somebody has named with a code of theirs is let in without one: its owner has compared six
    /// digits with it, or the operator has listed it.
    async fn comes_otherwise(&self, tx: &mut Tx<'_>, row: &Agent) -> Result<bool, Failure> {
        let key = row.thumbprint.as_str();
        if row.door != AgentDoor::AllowList && self.provider.config.listed(key).is_some() {
            return Ok(true);
        }
        let pairing = agent_pairings::of_key(tx, key, self.now).await?;
        Ok(pairing.is_some_and(|one| one.state == PairingState::Approved))
    }

    async fn make_room(
        &self,
        tx: &mut Tx<'_>,
        entry: &Entry,
        state: AgentState,
    ) -> Result<(), Failure> {
        if let Some((owner, _)) = &entry.owner {
            let tenant = &self.service.settings.tenant;
            if agents::count_of_user(tx, tenant, owner).await? >= AGENTS_PER_USER {
                return Err(Refusal::TooManyAgents.into());
            }
        }
        let unproven = matches!(state, AgentState::Unproven { .. });
        // Who holds a right code waits behind no stranger.
        let unproven = unproven && entry.code.is_none();
        if unproven && agents::count_unproven(tx, self.now).await? >= UNPROVEN_MAX {
            return Err(Refusal::RateLimited { retry_after: UNPROVEN_TTL }.into());
        }
        Ok(())
    }

    /// What lets a new key in.
    async fn entry(
        &self,
        tx: &mut Tx<'_>,
        wish: &Wish,
        thumbprint: &str,
    ) -> Result<Entry, Failure> {
        let config = &self.provider.config;
        match &wish.shown {
            Shown::Assertion => return Err(Refusal::AgentDoorOff.into()),
            // The operator has said whose it is; a key that has not signed cannot say otherwise.
            Shown::Code(_) if !wish.signed && config.listed(thumbprint).is_some() => {
                return Err(Refusal::AgentKeyKnown.into());
            }
            Shown::Code(code) => return self.by_code(tx, code.as_ref(), thumbprint).await,
            Shown::Nothing => {}
        }
        if wish.signed && config.takes(AgentDoor::Pairing) {
            let pairing = agent_pairings::of_key(tx, thumbprint, self.now).await?;
            let approved = pairing.filter(|one| one.state == PairingState::Approved);
            if let Some(pairing) = approved {
                let device = pairing.exchange.claimed_by().cloned();
                let device =
                    device.ok_or_else(|| Failure::internal("a pairing without a device"))?;
                let (from, to) = (PairingState::Approved, PairingState::Enrolled);
                if !agent_pairings::set_state(tx, &pairing.id, from, to).await? {
                    return Err(Refusal::PairingOver.into());
                }
                let backing = self.backing(tx, &pairing.user, &device).await?;
                return Ok(Entry {
                    door: AgentDoor::Pairing,
                    name: Some(pairing.name),
                    owner: Some((pairing.user, device)),
                    backing,
                    code: None,
                });
            }
        }
        let nobody = |door: AgentDoor, name: Option<String>| Entry {
            door,
            name,
            owner: None,
            backing: Backing::default(),
            code: None,
        };
        if let Some(listed) = config.listed(thumbprint) {
            return Ok(nobody(AgentDoor::AllowList, Some(listed.name.clone())));
        }
        // Both locks on the same door: the configuration is for the loopback, and so is the request.
        if config.takes(AgentDoor::Open) && config.loopback && wish.here {
            return Ok(nobody(AgentDoor::Open, None));
        }
        Err(Refusal::AgentDoorShut.into())
    }

    /// A code: one answer for all that are not right; to who holds the secret, the true reason.
    async fn by_code(
        &self,
        tx: &mut Tx<'_>,
        shown: Option<&AgentCodeText>,
        thumbprint: &str,
    ) -> Result<Entry, Failure> {
        if !self.provider.config.takes(AgentDoor::LinkCode) {
            return Err(Refusal::AgentDoorOff.into());
        }
        let shown = shown.ok_or(Refusal::AgentCodeWrong)?;
        let code = agent_codes::find(tx, &shown.id).await?;
        let stored = code.as_ref().map_or([0; 32], |code| code.auth_hash);
        let holds = shown.auth.matches(&AuthHash::from_bytes(stored));
        let code = code.filter(|_| holds).ok_or(Refusal::AgentCodeWrong)?;
        match code.state.redeem(thumbprint, code.expires_at, self.now) {
            Redemption::Issue => {}
            Redemption::Refuse(RedemptionRefusal::Expired { at }) => {
                return Err(Refusal::TokenExpired { at }.into());
            }
            Redemption::Refuse(RedemptionRefusal::Cancelled { at }) => {
                return Err(Refusal::TokenCancelled { at }.into());
            }
            Redemption::Refuse(RedemptionRefusal::Used { at }) => {
                let device = code.agent.clone().unwrap_or_default();
                return Err(Refusal::TokenUsed { at, device }.into());
            }
            // Its agent never proved its key, and is gone.
            Redemption::Resume => return Err(Refusal::AgentCodeWrong.into()),
        }
        let backing = self.backing(tx, &code.user, &code.enrollment).await?;
        Ok(Entry {
            door: AgentDoor::LinkCode,
            name: code.name.clone(),
            owner: Some((code.user.clone(), code.enrollment.clone())),
            backing,
            code: Some(code),
        })
    }

    async fn backing(
        &self,
        tx: &mut Tx<'_>,
        user: &UserName,
        device: &EnrollmentId,
    ) -> Result<Backing, Failure> {
        let lost = || Failure::internal("an agent's owner without a row");
        let user = users::find(tx, &self.service.settings.tenant, user).await?.ok_or_else(lost)?;
        let device = enrollments::by_id(tx, device).await?.ok_or_else(lost)?;
        Ok(Backing { parent: None, owner: Some(user.account()), introducer: Some(device.state) })
    }

    /// What it will be called: as who let it in said, as it asked, or as we invent. It asks for no other
    /// name than the one that was said.
    fn name_of(&self, wish: &Wish, entry: &Entry) -> Result<AgentId, Failure> {
        let agent = match (&entry.name, &wish.agent) {
            (Some(name), Some(asked)) if name != asked.local() => {
                return Err(Refusal::TokenNamesAnother.into());
            }
            (_, Some(asked)) => asked.clone(),
            (Some(name), None) => asked_name(self.provider, "agent_id", name)?,
            (None, None) => asked_name(self.provider, "agent_id", &wish.invented)?,
        };
        Ok(agent)
    }
}

/// Whom a key meets, by the rows.
async fn meeting(
    tx: &mut Tx<'_>,
    known: Option<&Agent>,
    asked: Option<&AgentId>,
    thumbprint: &str,
) -> Result<(Meets, Option<Agent>), Failure> {
    let holder = match asked {
        Some(asked) => agents::find(tx, asked).await?,
        None => None,
    };
    let holder = holder.as_ref().map(|row| row.thumbprint.as_str());
    let met = meets(known.map(|row| &row.agent), asked, holder, thumbprint)?;
    Ok((met, known.cloned()))
}

async fn use_up(
    tx: &mut Tx<'_>,
    code: &AgentCode,
    thumbprint: &str,
    agent: &AgentId,
    now: Timestamp,
) -> Result<(), Failure> {
    // Inside one writer the state was read a moment ago; on another database this is the race.
    match agent_codes::consume(tx, &code.id, thumbprint, agent.as_str(), now).await? {
        true => Ok(()),
        false => Err(Refusal::AgentCodeWrong.into()),
    }
}
