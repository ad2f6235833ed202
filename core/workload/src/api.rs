//! The SPIFFE Workload API.

use crate::identity::Identity;
use crate::keeper::Keeper;
use crate::proto::spiffe_workload_api_server::SpiffeWorkloadApi;
use crate::proto::{
    JwtBundlesRequest, JwtBundlesResponse, Jwtsvid, JwtsvidRequest, JwtsvidResponse,
    ValidateJwtsvidRequest, ValidateJwtsvidResponse, X509BundlesRequest, X509BundlesResponse,
    X509svid, X509svidRequest, X509svidResponse,
};
use futures::Stream;
use futures::stream::{self, StreamExt};
use landfall_client::Failure;
use landfall_crypto::jwt_svid::verify_svid;
use landfall_crypto::key_set::KeySet;
use landfall_identity::SpiffeId;
use landfall_protocol::ErrorCode;
use prost_types::{ListValue, Struct, Value, value::Kind};
use serde_json::Value as Json;
use std::pin::Pin;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};

/// What a caller must say, so that no page of a browser and no fetcher of URLs is one (SPIFFE Workload
/// Endpoint, section 4).
const HEADER: &str = "workload.spiffe.io";

/// The API over one keeper's identity.
pub(crate) struct Api {
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) stop: CancellationToken,
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl SpiffeWorkloadApi for Api {
    type FetchX509SVIDStream = Answers<X509svidResponse>;
    type FetchX509BundlesStream = Answers<X509BundlesResponse>;
    type FetchJWTBundlesStream = Answers<JwtBundlesResponse>;

    async fn fetch_x509svid(
        &self,
        request: Request<X509svidRequest>,
    ) -> Result<Response<Self::FetchX509SVIDStream>, Status> {
        check_header(request.metadata())?;
        Ok(Response::new(self.each(x509_svid)))
    }

    async fn fetch_x509_bundles(
        &self,
        request: Request<X509BundlesRequest>,
    ) -> Result<Response<Self::FetchX509BundlesStream>, Status> {
        check_header(request.metadata())?;
        Ok(Response::new(self.each(|identity| X509BundlesResponse {
            crl: Vec::new(),
            bundles: [(identity.trust_domain_id(), identity.roots.clone())].into(),
        })))
    }

    async fn fetch_jwtsvid(
        &self,
        request: Request<JwtsvidRequest>,
    ) -> Result<Response<JwtsvidResponse>, Status> {
        check_header(request.metadata())?;
        let JwtsvidRequest { audience, spiffe_id } = request.into_inner();
        let held = self.held()?;
        if !spiffe_id.is_empty() && spiffe_id != held.spiffe_id.to_string() {
            return Err(Status::permission_denied("this workload is not that SPIFFE ID"));
        }
        let (spiffe_id, svid) = self.keeper.jwt_svid(audience).await.map_err(|f| status_of(&f))?;
        let svid = Jwtsvid { spiffe_id: spiffe_id.to_string(), svid, hint: String::new() };
        Ok(Response::new(JwtsvidResponse { svids: vec![svid] }))
    }

    async fn fetch_jwt_bundles(
        &self,
        request: Request<JwtBundlesRequest>,
    ) -> Result<Response<Self::FetchJWTBundlesStream>, Status> {
        check_header(request.metadata())?;
        Ok(Response::new(self.each(|identity| JwtBundlesResponse {
            bundles: [(identity.trust_domain_id(), identity.jwt_keys.clone())].into(),
        })))
    }

    async fn validate_jwtsvid(
        &self,
        request: Request<ValidateJwtsvidRequest>,
    ) -> Result<Response<ValidateJwtsvidResponse>, Status> {
        check_header(request.metadata())?;
        let ValidateJwtsvidRequest { audience, svid } = request.into_inner();
        if audience.is_empty() || svid.is_empty() {
            return Err(Status::invalid_argument("name an audience, and a JWT-SVID"));
        }
        let held = self.held()?;
        let refused = || Status::invalid_argument("the JWT-SVID is not valid");
        let keys = KeySet::of_bundle(&held.jwt_keys).map_err(|_| refused())?;
        let (subject, claims) =
            verify_svid(&svid, &keys, &audience, self.keeper.now()).map_err(|_| refused())?;
        // The keys are this trust domain's, and vouch for nobody else's.
        let ours = SpiffeId::parse(&subject).is_ok_and(|id| id.trust_domain == held.trust_domain);
        if !ours {
            return Err(refused());
        }
        let claims = Some(Struct { fields: claims.iter().map(field).collect() });
        Ok(Response::new(ValidateJwtsvidResponse { spiffe_id: subject, claims }))
    }
}

impl Api {
    fn held(&self) -> Result<Arc<Identity>, Status> {
        let held = self.keeper.watch().borrow().clone();
        held.ok_or_else(|| Status::unavailable("no identity is held at the moment"))
    }

    /// An answer for the identity that is held, and one for each after it, until the server stops.
    fn each<T: Send + 'static>(
        &self,
        answer: impl Fn(&Identity) -> T + Send + 'static,
    ) -> Answers<T> {
        let mut seen = self.keeper.watch();
        seen.mark_changed();
        let answers = stream::unfold((seen, answer), |(mut seen, answer)| async move {
            loop {
                seen.changed().await.ok()?;
                let held = seen.borrow_and_update().clone();
                if let Some(identity) = held {
                    let said = answer(&identity);
                    return Some((Ok(said), (seen, answer)));
                }
            }
        });
        Box::pin(answers.take_until(self.stop.clone().cancelled_owned()))
    }
}

fn x509_svid(identity: &Identity) -> X509svidResponse {
    let svid = X509svid {
        spiffe_id: identity.spiffe_id.to_string(),
        x509_svid: identity.chain.clone(),
        x509_svid_key: identity.key.expose().to_vec(),
        bundle: identity.roots.clone(),
        hint: String::new(),
    };
    X509svidResponse { svids: vec![svid], ..X509svidResponse::default() }
}

fn check_header(metadata: &MetadataMap) -> Result<(), Status> {
    let mut values = metadata.get_all(HEADER).iter();
    let one = values.next().filter(|_| values.next().is_none());
    match one.is_some_and(|value| value.as_bytes() == b"true") {
        true => Ok(()),
        false => Err(Status::invalid_argument("security header missing from request")),
    }
}

fn status_of(failure: &Failure) -> Status {
    let said = format!("{} ({})", failure.problem().detail, failure.code());
    match (failure.code(), failure.problem().status) {
        (ErrorCode::InvalidField, _) => Status::invalid_argument(said),
        (_, 401 | 403) => Status::permission_denied(said),
        _ => Status::unavailable(said),
    }
}

fn field((name, value): (&String, &Json)) -> (String, Value) {
    (name.clone(), value_of(value))
}

/// A claim as a protocol buffer (google.protobuf.Struct). Its numbers are floating-point ones.
fn value_of(value: &Json) -> Value {
    let kind = match value {
        Json::Null => Kind::NullValue(0),
        Json::Bool(truth) => Kind::BoolValue(*truth),
        Json::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        Json::String(text) => Kind::StringValue(text.clone()),
        Json::Array(all) => {
            Kind::ListValue(ListValue { values: all.iter().map(value_of).collect() })
        }
        Json::Object(fields) => {
            Kind::StructValue(Struct { fields: fields.iter().map(field).collect() })
        }
    };
    Value { kind: Some(kind) }
}
