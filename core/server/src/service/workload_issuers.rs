//! Platforms whose word is taken: those of the configuration, and those that administrators add.

use super::{RequestContext, Service, Turn, page};
use crate::failure::Failure;
use crate::store::workload_issuers::{self, AddedIssuer};
use crate::store::{Tx, workload_issuers as store};
use landfall_identity::spiffe::Segment;
use landfall_identity::workload::{ISSUERS_MAX, IssuerName, Mapping, WorkloadIssuer};
use landfall_identity::{Refusal, Timestamp};
use landfall_protocol::workload::{WorkloadIssuerInfo, WorkloadIssuerRequest, WorkloadMapping};
use landfall_protocol::{Page, PageQuery};

/// A row of the list.
struct Listed {
    issuer: WorkloadIssuer,
    added: Option<(landfall_identity::SpiffeId, Timestamp)>,
}

impl Service {
    /// Every issuer of the tenant, by name; those of the configuration among them.
    ///
    /// # Errors
    /// A refusal.
    pub async fn admin_list_workload_issuers(
        &self,
        request: RequestContext,
        query: PageQuery,
    ) -> Result<Page<WorkloadIssuerInfo>, Failure> {
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &turn.own()?, None).await?;
            let limit = page::limit(query.limit)?;
            let [after] = page::read_text_cursor::<1>(query.after.as_deref())?;
            let added = store::list(tx, turn.tenant(), &after, limit + 1).await?;
            let configured = service.settings.workload_issuers.iter();
            let mut rows: Vec<Listed> = configured
                .filter(|issuer| issuer.name.as_str() > after.as_str())
                .map(|issuer| Listed { issuer: issuer.clone(), added: None })
                .collect();
            rows.extend(added.into_iter().map(listed));
            rows.sort_by(|one, other| one.issuer.name.cmp(&other.issuer.name));
            // A name that the configuration has taken since is the configuration's.
            rows.dedup_by(|later, first| later.issuer.name == first.issuer.name);
            let next = |row: &Listed| page::text_cursor(&[row.issuer.name.as_str()]);
            Ok(page::cut(rows, limit, next, info))
        })
        .await
    }

    /// One issuer more.
    ///
    /// # Errors
    /// A refusal: [`Refusal::WorkloadIssuerExists`], [`Refusal::TooManyWorkloadIssuers`]; a field that
    /// breaks a rule.
    pub async fn admin_add_workload_issuer(
        &self,
        request: RequestContext,
        body: WorkloadIssuerRequest,
    ) -> Result<WorkloadIssuerInfo, Failure> {
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.about(format!("workload issuer {}", body.name));
            turn.authorize(tx, &turn.own()?, None).await?;
            let issuer = read(&body)?;
            issuer.check().map_err(|fault| Failure::invalid(fault.field, fault.why))?;
            check_authority(issuer.authority_pem.as_deref())?;
            let configured = &service.settings.workload_issuers;
            let taken =
                |other: &WorkloadIssuer| other.name == issuer.name || other.issuer == issuer.issuer;
            let tenant = turn.tenant();
            let by_name = workload_issuers::find(tx, tenant, &issuer.name).await?;
            if let Some(same) = by_name.as_ref().filter(|added| added.issuer == issuer) {
                // Asked again: the answer may have been lost.
                return Ok(info(&listed(same.clone())));
            }
            let by_url = workload_issuers::by_url(tx, tenant, &issuer.issuer).await?;
            if configured.iter().any(taken) || by_name.is_some() || by_url.is_some() {
                return Err(Refusal::WorkloadIssuerExists.into());
            }
            if workload_issuers::count(tx, tenant).await? >= ISSUERS_MAX {
                return Err(Refusal::TooManyWorkloadIssuers.into());
            }
            let added_by = turn.caller.spiffe_id.clone();
            let added = AddedIssuer { issuer, added_by, added_at: turn.now };
            workload_issuers::insert(tx, tenant, &added).await?;
            Ok(info(&listed(added)))
        })
        .await
    }

    /// One issuer fewer: from here on its tokens are a stranger's. What it vouched for ends within the
    /// hour.
    ///
    /// # Errors
    /// A refusal: [`Refusal::WorkloadIssuerConfigured`], [`Refusal::NotFound`].
    pub async fn admin_remove_workload_issuer(
        &self,
        request: RequestContext,
        name: IssuerName,
    ) -> Result<(), Failure> {
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.about(format!("workload issuer {name}"));
            turn.authorize(tx, &turn.own()?, None).await?;
            if workload_issuers::remove(tx, turn.tenant(), &name).await? {
                return Ok(());
            }
            let configured = &service.settings.workload_issuers;
            Err(match configured.iter().any(|issuer| issuer.name == name) {
                true => Refusal::WorkloadIssuerConfigured.into(),
                false => Refusal::NotFound.into(),
            })
        })
        .await
    }
}

fn listed(added: AddedIssuer) -> Listed {
    Listed { issuer: added.issuer, added: Some((added.added_by, added.added_at)) }
}

fn read(body: &WorkloadIssuerRequest) -> Result<WorkloadIssuer, Failure> {
    let mappings = body.mappings.iter().map(|mapping| {
        Ok(Mapping {
            claims: mapping.claims.clone(),
            service_account: segment("mappings", mapping.service_account.as_deref())?,
            namespace: segment("mappings", mapping.namespace.as_deref())?,
        })
    });
    Ok(WorkloadIssuer {
        name: body.name.clone(),
        platform: body.platform,
        issuer: body.issuer.clone(),
        audience: body.audience.clone(),
        cluster: segment("cluster", body.cluster.as_deref())?,
        keys_url: body.keys_url.clone(),
        authority_pem: body.authority_pem.clone(),
        token_lifetime_max_seconds: body.token_lifetime_max_seconds,
        keys_per_pod_and_hour: body.keys_per_pod_and_hour,
        mappings: mappings.collect::<Result<_, Failure>>()?,
    })
}

fn segment(field: &'static str, text: Option<&str>) -> Result<Option<Segment>, Failure> {
    let parsed = text.map(Segment::parse).transpose();
    parsed.map_err(|error| Failure::invalid(field, error.to_string()))
}

/// What cannot vouch for anybody is found out when it is written down.
fn check_authority(pem: Option<&str>) -> Result<(), Failure> {
    let Some(pem) = pem else { return Ok(()) };
    let has_some = pem::parse_many(pem)
        .is_ok_and(|blocks| blocks.iter().any(|block| block.tag() == "CERTIFICATE"));
    match has_some {
        true => Ok(()),
        false => Err(Failure::invalid("authority_pem", "put certificates there, as PEM")),
    }
}

fn info(row: &Listed) -> WorkloadIssuerInfo {
    let Listed { issuer, added } = row;
    let mapping = |mapping: &Mapping| WorkloadMapping {
        claims: mapping.claims.clone(),
        service_account: mapping.service_account.as_ref().map(ToString::to_string),
        namespace: mapping.namespace.as_ref().map(ToString::to_string),
    };
    let cluster = issuer.cluster.as_ref().map(ToString::to_string);
    WorkloadIssuerInfo {
        name: issuer.name.clone(),
        platform: issuer.platform,
        issuer: issuer.issuer.clone(),
        audience: issuer.audience.clone(),
        cluster: cluster.unwrap_or_else(|| issuer.name.to_string()),
        keys_url: issuer.keys_url.clone(),
        token_lifetime_max_seconds: issuer.token_lifetime_max_seconds,
        keys_per_pod_and_hour: issuer.keys_per_pod_and_hour,
        mappings: issuer.mappings.iter().map(mapping).collect(),
        configured: added.is_none(),
        added_by: added.as_ref().map(|(by, _)| by.clone()),
        added_at: added.as_ref().map(|(_, at)| (*at).into()),
    }
}
