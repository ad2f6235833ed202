//! What happened to one's account, and where that is mailed to.

use crate::time::At;
use landfall_identity::id::{AddressId, NoticeId, ParcelId};
use landfall_identity::{MailAddress, TenantName, UserName};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// Something that the owner of the account must hear of. The words are the server's own, the same as
/// in its mails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct NoticeInfo {
    /// Its identifier.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub id: NoticeId,
    /// What kind of thing happened, such as `device-enrolled`. New kinds may come; each has words.
    pub kind: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: At,
    /// What happened, in a few words.
    pub title: String,
    /// What happened and who did it, in a sentence.
    pub text: String,
    /// The address that the request came from.
    pub source: Option<String>,
}

/// What a webhook is told: the body of a signed POST (RFC 9421, tag `landfall-webhook-v1`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct WebhookNotice {
    /// The same each time the same delivery is sent: take it once.
    #[ts(type = "string")]
    pub delivery_id: ParcelId,
    /// The notice; every webhook is told of it under a delivery of its own.
    #[ts(type = "string")]
    pub notice_id: NoticeId,
    /// The public address of the server that tells it.
    pub server: String,
    /// Where.
    #[ts(type = "string")]
    pub tenant: TenantName,
    /// Whose account it is about.
    #[ts(type = "string")]
    pub user: UserName,
    /// What kind of thing happened, such as `device-enrolled`. New kinds may come.
    pub kind: String,
    /// When.
    pub at: At,
    /// What happened, in a few words.
    pub title: String,
    /// What happened and who did it, in a sentence.
    pub text: String,
    /// The address that the request came from.
    pub source: Option<String>,
}

/// An address that notices are mailed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct AddressInfo {
    /// Its identifier.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub id: AddressId,
    /// The address.
    pub address: String,
    /// When it was added.
    #[schema(value_type = String, format = DateTime)]
    pub added_at: At,
    /// When the code that was mailed to it came back; no notice goes there before.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub confirmed_at: Option<At>,
}

/// Another address: `POST /me/addresses`. A code is mailed to it. The same address again, while it
/// waits, is mailed another code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct AddressAddRequest {
    /// The address, such as `name@example.org`.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub address: MailAddress,
}

/// The secret of a mailed link: `POST /notices/freeze`, from the link's own page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct FreezeByLinkRequest {
    /// What the link carries behind its `#`.
    pub secret: String,
}

/// The code that was mailed: `POST /me/addresses/{id}/confirm`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct AddressConfirmRequest {
    /// As in the mail, `XXXX-XXXX`; spaces, dashes and lower case are forgiven.
    pub code: String,
}
