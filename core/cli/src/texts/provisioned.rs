//! What is said about machines that stand for themselves.

use landfall_client::words::CredentialFacts;

pub const NO_MACHINES: &str =
    "There is no machine yet: landfall device provision NAME --role server";
pub const ASK_WORDS: &str = "The words that open the file: ";
pub const WORDS_NEEDED: &str = "The words that open the file were shown once, where its key was made. Pipe them in, or type them in a terminal. Nothing was sent.";
pub const ASK_CLAIM: &str = "Make this machine that one?";
pub const CLAIM_TAKES_NO_FILE: &str = "A server's first administrator is a person. For a machine: landfall enroll --provisioned FILE.";
pub const FILE_UNREADABLE: &str = "The file cannot be read";
pub const KEY_LOST: &str = "The key was made, and its file could not be written: nobody can use it. Disable it (landfall admin provisioned list), and have another made.";

pub fn file_is_there(file: &str) -> String {
    format!(
        "{file} is there already, and is left as it is. Name another file with --file FILE. No key was made."
    )
}

pub fn handed_out(file: &str, device: &str, role: &str, until: &str) -> String {
    format!(
        "{file} holds a key for the machine {device}, at the role {role}. It can be used until {until}, once:\n  \
         landfall enroll --provisioned {file}\n\
         These words open it. They are shown now and never again; send them on another way than the file:\n"
    )
}

pub fn claim_about(facts: &CredentialFacts, until: &str) -> String {
    let CredentialFacts { server, tenant, device, role, .. } = facts;
    format!(
        "This file is for\n  server  {}\n  tenant  {tenant}\n  device  {device}, at the role {role}\nIt can be used until {until}.\n",
        server.origin().ascii_serialization()
    )
}

pub fn claimed(device: &str, server: &str) -> String {
    format!(
        "This machine is {device} on {server}. It made a key of its own; the one in the file opens nothing any more."
    )
}

pub fn agreed(asker: &str, device: &str, until: &str) -> String {
    format!("{asker} may have one key made for {device}, until {until}.")
}

pub fn no_such_machine(device: &str) -> String {
    format!(
        "No machine is called {device}. For a new one say what it stands for: --role server, for example."
    )
}

pub fn machine_is_there(device: &str) -> String {
    format!(
        "{device} is there already. For one more key of it leave out --role; for another machine choose another name."
    )
}

pub fn key_of_suspended(device: &str) -> String {
    format!(
        "This key works again as soon as its machine does, which is suspended: landfall admin provisioned resume \
         {device}."
    )
}

pub fn ask_revoke_machine(device: &str) -> String {
    format!("Cut the machine {device} off for ever? It can never come back under this name.")
}
