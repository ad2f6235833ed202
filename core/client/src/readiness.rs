//! How ready one is to lose something, one's own plan, and drills.

use crate::ask::{Ask, with_query};
use crate::client::Client;
use crate::failure::Failure;
use crate::renew::SignedPost;
use crate::shell::Shell;
use crate::texts;
use landfall_crypto::httpsig::DRILL;
use landfall_crypto::recovery_code::RecoveryCode;
use landfall_identity::recovery::{Plan, Standing};
use landfall_identity::{Action, Timestamp};
use landfall_protocol::ceremony::BoundActBody;
use landfall_protocol::readiness::{
    AdminsReadiness, DrillCodeRequest, DrillInfo, ReadinessInfo, RecoveryPlanInfo,
    RecoveryPlanRequest, UserReadiness,
};
use landfall_protocol::{ErrorCode, paths};
use reqwest::Method;
use zeroize::Zeroizing;

impl Client {
    /// How ready one is. Ways and names are in it while a person has stepped up.
    ///
    /// # Errors
    /// What the server says.
    pub async fn readiness(&self) -> Result<ReadinessInfo, Failure> {
        self.ask(Ask::get(Action::ReadReadiness, paths::READINESS).by_person()).await
    }

    /// How ready the tenant's people are, or those who stand like this.
    ///
    /// # Errors
    /// What the server says; `forbidden` for anybody but administrators.
    pub async fn admin_readiness(
        &self,
        standing: Option<Standing>,
    ) -> Result<Vec<UserReadiness>, Failure> {
        let mut users = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..crate::ask::PAGES_MAX {
            let limit = landfall_protocol::list::PAGE_MAX.to_string();
            let mut query = vec![("limit", limit.as_str())];
            query.extend(standing.map(|standing| ("standing", standing.as_str())));
            query.extend(after.as_deref().map(|after| ("after", after)));
            let target = with_query(paths::ADMIN_READINESS, &query);
            let ask = Ask::get(Action::AdminReadReadiness, target).by_person();
            let page: landfall_protocol::Page<UserReadiness> = self.ask(ask).await?;
            users.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(users)
    }

    /// Whether somebody will be there to administer the tenant.
    ///
    /// # Errors
    /// What the server says.
    pub async fn admins_readiness(&self) -> Result<AdminsReadiness, Failure> {
        self.ask(Ask::get(Action::AdminReadReadiness, paths::ADMIN_READINESS_ADMINS)).await
    }

    /// What lets one back in; takes a person.
    ///
    /// # Errors
    /// `step-up-required`; what the server says.
    pub async fn recovery_plan(&self) -> Result<RecoveryPlanInfo, Failure> {
        self.ask(Ask::get(Action::ReadRecoveryPlan, paths::RECOVERY_PLAN)).await
    }

    /// Makes one's own plan stricter than the tenant's, after the person has approved exactly this one.
    ///
    /// # Errors
    /// What the server says: `invalid-field` for a plan that cannot be chosen, `plan-locks-out`, ...
    pub async fn set_recovery_plan(
        &self,
        plan: &Plan,
        shell: &dyn Shell,
    ) -> Result<RecoveryPlanInfo, Failure> {
        let role = self.whoami().await?.role;
        let unreadable = |error: landfall_identity::recovery::PlanError| {
            Failure::new(ErrorCode::InvalidField, format!("{error}."))
        };
        plan.check(&Plan::floor()).map_err(unreadable)?;
        let ways = plan.for_role(role).words().map_err(unreadable)?;
        let act = BoundActBody::SetRecoveryPlan { ways };
        let session = self.step_up(Some(act), None, shell).await?;
        let body = RecoveryPlanRequest { preset: None, plan: Some(plan.clone()) };
        let ask = Ask::post(Action::SetRecoveryPlan, paths::RECOVERY_PLAN).json(&body)?;
        self.ask(ask.bound_to(session)).await
    }

    /// Goes back to the tenant's plan, after the person has approved it.
    ///
    /// # Errors
    /// `probation` for a passkey that is younger than the plan; what the server says.
    pub async fn clear_recovery_plan(
        &self,
        shell: &dyn Shell,
    ) -> Result<RecoveryPlanInfo, Failure> {
        let ways = self.recovery_plan().await?.tenant;
        let act = BoundActBody::SetRecoveryPlan { ways };
        let session = self.step_up(Some(act), None, shell).await?;
        let ask = Ask::new(Action::SetRecoveryPlan, Method::DELETE, paths::RECOVERY_PLAN);
        self.ask(ask.bound_to(session)).await
    }

    /// Tries a recovery code, without burning it.
    ///
    /// # Errors
    /// `recovery-code-wrong`, `recovery-code-used`, `recovery-code-replaced`.
    pub async fn drill_code(&self, code: &RecoveryCode) -> Result<DrillInfo, Failure> {
        let failure = match self.drill_code_at(code, self.ambient().now()).await {
            Ok(done) => return Ok(done),
            Err(failure) => failure,
        };
        match (failure.code(), failure.problem().server_time) {
            (ErrorCode::ClockSkew, Some(theirs)) => self.drill_code_at(code, theirs.0).await,
            _ => Err(failure),
        }
    }

    async fn drill_code_at(
        &self,
        code: &RecoveryCode,
        created: Timestamp,
    ) -> Result<DrillInfo, Failure> {
        let mistyped = || Failure::new(ErrorCode::RecoveryCodeMistyped, texts::RECOVERY_CODE_SHAPE);
        let name = code.name().map_err(|_| mistyped())?;
        let body = DrillCodeRequest { code: name, auth: code.auth().to_text().as_str().to_owned() };
        let body = serde_json::to_vec(&body).map(Zeroizing::new);
        let body = body.map_err(|_| Failure::new(ErrorCode::InvalidField, texts::UNREADABLE))?;
        let profile = self.profile()?;
        let to = SignedPost {
            profile: &DRILL,
            server: &profile.server,
            path: paths::DRILL_CODE,
            key: &profile.key,
        };
        let signed = self.signed(&to, body, created)?;
        self.ask(Ask::post(Action::DrillRecoveryCode, paths::DRILL_CODE).signed(signed)).await
    }

    /// Tries a passkey: the real touch, for that alone.
    ///
    /// # Errors
    /// What the server says, or `cancelled`.
    pub async fn drill_passkey(&self, shell: &dyn Shell) -> Result<DrillInfo, Failure> {
        let session = self.step_up(Some(BoundActBody::DrillPasskey {}), None, shell).await?;
        let ask = Ask::post(Action::DrillPasskey, paths::DRILL_PASSKEY);
        self.ask(ask.bound_to(session)).await
    }
}
