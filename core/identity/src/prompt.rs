//! How often a person is asked for something that they did not begin on the very machine in their hands.
//!
//! A prompt that comes again and again is answered in the end, or hides the one that matters. So each kind
//! of prompt is counted for each account, in rows that a restart does not forget. Who floods an account
//! must take nothing from its owner: see [`crate::recovery::MailsAsked`].

use crate::time::Seconds;

/// Prompts that one account gets within [`PROMPTS_WITHIN`].
pub const PROMPTS_MAX: u32 = 3;
/// See [`PROMPTS_MAX`].
pub const PROMPTS_WITHIN: Seconds = Seconds::minutes(10);
