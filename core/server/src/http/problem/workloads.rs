//! What to do next about agents that are held, a workload's token, and the platforms that sign them.

use super::{next_step_of_limits, time};
use landfall_identity::Refusal;

pub(super) fn next_step_of_workloads(refusal: &Refusal) -> String {
    match refusal {
        Refusal::WorkloadTokenInvalid => {
            "No platform whose word this server takes has signed it. Check the issuer, and that the whole \
             token was sent."
                .to_owned()
        }
        Refusal::WorkloadTokenElsewhere => {
            "Ask the platform for one whose only audience is the one that this server expects.".to_owned()
        }
        Refusal::WorkloadUnknown => {
            "No mapping of this issuer fits what the token says, or a name in it cannot stand in a SPIFFE \
             ID; where the issuer is a cluster, the token must be bound to a pod as well. An administrator can \
             look at the mappings."
                .to_owned()
        }
        Refusal::WorkloadTokenExpired { at } => {
            format!("It ended at {}. Ask the platform for another one.", time(*at))
        }
        Refusal::WorkloadTokenEarly { from } => {
            format!("It holds from {}. Set the clocks, or wait.", time(*from))
        }
        Refusal::WorkloadTokenTooLong { max } => {
            format!("Ask the platform for one that lives {} seconds at the most.", max.0)
        }
        Refusal::WorkloadTokenUsed { at } => format!(
            "Another key used it at {}. If that was not this job, somebody has its token; ask the platform \
             for another one.",
            time(*at)
        ),
        Refusal::WorkloadKeysUnavailable { retry_after } => format!(
            "Nothing is wrong with the token. Try again in {} seconds; the log of this server says what is \
             wrong with the platform.",
            retry_after.0
        ),
        Refusal::WorkloadsUnavailable => {
            "Its root key was taken offline before this server could certify workloads, and only the root \
             can make their issuer."
                .to_owned()
        }
        Refusal::WorkloadIssuerExists => {
            "Its name, or its URL, is taken. Remove that one first, or add the mappings there.".to_owned()
        }
        Refusal::WorkloadIssuerConfigured => {
            "Take it out of workload_issuers and restart the server.".to_owned()
        }
        Refusal::TooManyWorkloadIssuers => "Remove one that is not needed any more.".to_owned(),
        Refusal::AgentHeld => {
            "Its owner's account is frozen, or the device that it came in through is suspended. It goes on by itself \
             once its owner lets that go: landfall unfreeze, or landfall device resume NAME."
                .to_owned()
        }
        other => next_step_of_limits(other),
    }
}
