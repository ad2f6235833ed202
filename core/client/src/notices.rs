//! What happened to one's account, and where that is mailed to.

use crate::ask::{Ask, with_query};
use crate::client::Client;
use crate::failure::Failure;
use landfall_identity::id::AddressId;
use landfall_identity::{Action, MailAddress};
use landfall_protocol::notice::{
    AddressAddRequest, AddressConfirmRequest, AddressInfo, NoticeInfo,
};
use landfall_protocol::{Page, paths};
use reqwest::Method;

impl Client {
    /// A page of what happened to one's account, newest first: at most `limit`, going on after the
    /// `next` of the page before.
    ///
    /// # Errors
    /// What the server says.
    pub async fn notices(
        &self,
        limit: u32,
        after: Option<&str>,
    ) -> Result<Page<NoticeInfo>, Failure> {
        let limit = limit.to_string();
        let mut query = vec![("limit", limit.as_str())];
        query.extend(after.map(|after| ("after", after)));
        self.ask(Ask::get(Action::ReadNotices, with_query(paths::NOTICES, &query))).await
    }

    /// Where notices are mailed to.
    ///
    /// # Errors
    /// What the server says.
    pub async fn addresses(&self) -> Result<Vec<AddressInfo>, Failure> {
        self.ask_all(Action::ListAddresses, paths::ADDRESSES, &[]).await
    }

    /// Has a code mailed to an address, for it to become one that notices go to.
    ///
    /// # Errors
    /// What the server says: `mail-unavailable`, `too-many-addresses`, ...
    pub async fn add_address(&self, address: &MailAddress) -> Result<AddressInfo, Failure> {
        let body = AddressAddRequest { address: address.clone() };
        self.ask(Ask::post(Action::AddAddress, paths::ADDRESSES).json(&body)?).await
    }

    /// Proves an address with the code that was mailed to it.
    ///
    /// # Errors
    /// What the server says: `address-code-wrong`, `address-code-over`.
    pub async fn confirm_address(
        &self,
        address: &AddressId,
        code: &str,
    ) -> Result<AddressInfo, Failure> {
        let path = paths::fill(paths::ADDRESS_CONFIRM, &[address.as_str()]);
        let body = AddressConfirmRequest { code: code.to_owned() };
        self.ask(Ask::post(Action::ConfirmAddress, path).json(&body)?).await
    }

    /// Has notices no longer mailed to an address, which is told so.
    ///
    /// # Errors
    /// What the server says: `probation`, ...
    pub async fn remove_address(&self, address: &AddressId) -> Result<(), Failure> {
        let path = paths::fill(paths::ADDRESS, &[address.as_str()]);
        self.ask_done(Ask::new(Action::RemoveAddress, Method::DELETE, path)).await
    }
}
