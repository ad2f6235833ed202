//! Notices: the owner hears of what happens to an account, on every device and by mail, whatever
//! breaks in between.

mod addresses;
mod codes;
mod crash;
mod devices;
mod links;
mod mails;
mod outbox;
mod post;
mod webhooks;
