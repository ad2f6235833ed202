//! The interface as OpenAPI, written from the table of routes: what is served is what is described.

use crate::http::table;
use landfall_identity::action::Entry;
use landfall_protocol::{Page, Problem};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn, PathItem,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{Object, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathsBuilder, Ref, RefOr, Required,
    ResponseBuilder,
};
use utoipa::{IntoParams, PartialSchema, ToSchema};

type Schemas = Vec<(String, RefOr<Schema>)>;

/// What a route takes and gives.
#[derive(Default)]
pub struct Docs {
    operation: OperationBuilder,
    schemas: Schemas,
}

impl Docs {
    /// Nothing is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes and gives JSON of these types.
    pub fn both<T: ToSchema, G: ToSchema>(self) -> Self {
        self.takes::<T>().gives::<G>()
    }

    /// Takes JSON of this type.
    pub fn takes<T: ToSchema>(mut self) -> Self {
        let content = ContentBuilder::new().schema(Some(self.learn::<T>())).build();
        let body = RequestBodyBuilder::new()
            .required(Some(Required::True))
            .content("application/json", content)
            .build();
        self.operation = self.operation.request_body(Some(body));
        self
    }

    /// Gives JSON of this type.
    pub fn gives<G: ToSchema>(mut self) -> Self {
        let schema = self.learn::<G>();
        self.answer(Some(("application/json", schema)))
    }

    /// Gives a page of items of this type.
    pub fn lists<G: ToSchema>(mut self) -> Self
    where
        Page<G>: ToSchema,
    {
        // A page's own schema names its items' schema and does not bring it along.
        self.learn::<G>();
        self.gives::<Page<G>>()
    }

    /// Gives JSON of a form that others have defined.
    pub fn json(self) -> Self {
        self.answer(Some(("application/json", Object::with_type(Type::Object).into())))
    }

    /// Gives a file of this media type.
    pub fn file(self, media_type: &'static str) -> Self {
        self.answer(Some((media_type, Object::with_type(Type::String).into())))
    }

    /// Gives an empty answer.
    pub fn nothing(self) -> Self {
        self.answer(None)
    }

    /// Takes these parameters in its query.
    pub fn query<Q: IntoParams>(mut self) -> Self {
        let parameters = Q::into_params(|| Some(ParameterIn::Query));
        self.operation = self.operation.parameters(Some(parameters));
        self
    }

    fn answer(mut self, content: Option<(&'static str, RefOr<Schema>)>) -> Self {
        let (status, response) = match content {
            Some((media_type, schema)) => {
                let content = ContentBuilder::new().schema(Some(schema)).build();
                ("200", ResponseBuilder::new().description("Done").content(media_type, content))
            }
            None => ("204", ResponseBuilder::new().description("Done")),
        };
        self.operation = self.operation.response(status, response.build());
        self
    }

    fn learn<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let name = T::name().into_owned();
        T::schemas(&mut self.schemas);
        self.schemas.push((name.clone(), T::schema()));
        Ref::from_schema_name(name).into()
    }
}

/// The whole document.
pub fn document() -> OpenApi {
    let mut schemas: Schemas = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut schemas);
    let mut paths = PathsBuilder::new();
    for route in table() {
        let info = route.info;
        let Some(method) = method(info.method) else { continue };
        schemas.extend(route.docs.schemas);
        let mut operation = route.docs.operation;
        for name in segments(info.path) {
            let segment = ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .schema(Some(Object::with_type(Type::String)));
            operation = operation.parameter(segment);
        }
        let code = info.action.code();
        let operation = operation
            .operation_id(Some(format!("{}-{}", info.method.to_ascii_lowercase(), info.path)))
            .summary(Some(format!("Action `{code}`")))
            .description(Some(demands(info.action.demand().entry)))
            .securities(security(info.action.demand().entry))
            .response("default", problem_response())
            .build();
        paths = paths.path(info.path, item(method, operation));
    }
    schemas.sort_by(|(one, _), (other, _)| one.cmp(other));
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .security_scheme("session", bearer())
        .build();
    let info = InfoBuilder::new()
        .title("Landfall")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Sessions work only on connections made with the device key that they belong to.",
        ))
        .build();
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components)).build()
}

/// The document as it is committed and served.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn text() -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(&document())?;
    text.push('\n');
    Ok(text)
}

fn method(text: &str) -> Option<HttpMethod> {
    match text {
        "GET" => Some(HttpMethod::Get),
        "POST" => Some(HttpMethod::Post),
        "PATCH" => Some(HttpMethod::Patch),
        "DELETE" => Some(HttpMethod::Delete),
        _ => None,
    }
}

fn item(method: HttpMethod, operation: Operation) -> PathItem {
    PathItem::new(method, operation)
}

fn segments(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

fn demands(entry: Entry) -> String {
    match entry {
        Entry::Anyone => "Open to anyone.".to_owned(),
        Entry::DoorSecret => "Takes the secret half of a token.".to_owned(),
        Entry::EnrolledKey => "Takes a request signature by an enrolled key (RFC 9421).".to_owned(),
        Entry::RecoveryKey => {
            "Takes a request signature by the key that begins the recovery (RFC 9421).".to_owned()
        }
        Entry::AgentKey => "Takes a request signature by an agent's key (AAuth).".to_owned(),
        Entry::Connection => "Takes a connection made with an enrolled key.".to_owned(),
        Entry::CeremonySecret => "Takes a ceremony's secret; for the server's own page.".to_owned(),
        Entry::MailedSecret => {
            "Takes the secret of a mailed link; for the server's own page.".to_owned()
        }
        Entry::PlatformToken => "Takes a token that a platform signed for its workload.".to_owned(),
        Entry::Session(strength) => format!(
            "Takes a session of strength `{}`, on a connection made with its key.",
            strength.as_str()
        ),
    }
}

fn security(entry: Entry) -> Option<Vec<SecurityRequirement>> {
    let session = SecurityRequirement::new("session", Vec::<String>::new());
    matches!(entry, Entry::Session(_)).then(|| vec![session])
}

fn bearer() -> SecurityScheme {
    SecurityScheme::Http(
        HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build(),
    )
}

fn problem_response() -> utoipa::openapi::Response {
    let schema = Ref::from_schema_name(Problem::name().into_owned());
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new()
        .description("It did not end well; `code` says why (RFC 9457)")
        .content("application/problem+json", content)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `LANDFALL_WRITE_OPENAPI=1 cargo test -p landfall-server openapi` writes it anew.
    #[test]
    fn the_committed_document_is_the_one_that_is_served() {
        let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
        let text = text().unwrap();
        if std::env::var_os("LANDFALL_WRITE_OPENAPI").is_some() {
            std::fs::write(committed, &text).unwrap();
        }
        let kept = std::fs::read_to_string(committed).unwrap_or_default();
        assert!(kept == text, "docs/openapi.json has drifted: write it anew");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = serde_json::to_value(document()).unwrap();
        let text = document.to_string();
        for reference in text.split("\"#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(
                document["components"]["schemas"].get(name).is_some(),
                "{name} is not described"
            );
        }
    }
}
