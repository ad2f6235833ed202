//! What to do next on the way back in.

use super::time;
use super::workloads::next_step_of_workloads;
use landfall_identity::Refusal;

pub(super) fn next_step_of_recovery(refusal: &Refusal) -> String {
    match refusal {
        Refusal::RecoveryCodeWrong => {
            "Check the user name and the code, and that the sheet is the newest one.".to_owned()
        }
        Refusal::RecoveryCodeUsed { at, device } => format!(
            "It let in {device} at {}. If that was not you, freeze the account; otherwise take the \
             next code of your sheet.",
            time(*at)
        ),
        Refusal::RecoveryCodeReplaced { at } => {
            format!("A new sheet took its place at {}. Use a code of that one.", time(*at))
        }
        Refusal::MailedCodeWrong => {
            "Look at the newest mail: a code works for 30 minutes, on the machine that asked for it. No mail \
             comes to an account that has no confirmed address; an administrator can help then."
                .to_owned()
        }
        Refusal::RecoveryOver => {
            "It has ended, or takes no more codes, or very many others began one for this account. Begin again on the \
             new machine, and show a code or a passkey at once: then nobody can push it out.".to_owned()
        }
        Refusal::RecoveryStopped { at } => format!(
            "Somebody with your passkey, or an administrator, stopped it at {}. If you are who you \
             say, call an administrator.",
            time(*at)
        ),
        Refusal::RecoveryUnproved => {
            "What was shown so far does not suffice. Show a recovery code, have a code mailed, or ask \
             an administrator to approve this recovery."
                .to_owned()
        }
        Refusal::RecoveryHeld { until, .. } => format!(
            "One of your devices could still object until {}. Then it goes on by itself.",
            time(*until)
        ),
        Refusal::RecoveryUnheard => {
            "Time counts from when a device of the account, or its mailbox, has received the notice of this \
             wait. If none can, ask an administrator to approve this recovery."
                .to_owned()
        }
        Refusal::RecoveryContested => {
            "Another machine waits to be let into the same account, or its owner has said no. An \
             administrator has to decide: ask one to approve this recovery."
                .to_owned()
        }
        Refusal::PlanLocksOut => {
            "By that plan, and with what you have now, nothing would let you back in once your devices \
             are gone. Get what it asks for first: landfall readiness shows what you have."
                .to_owned()
        }
        Refusal::LastAdmin => {
            "Afterwards no administrator could act or come back. Invite another administrator first, or \
             add a device or a passkey to the one there is. To stop a thief meanwhile: landfall freeze. \
             If no administrator can get in at all, whoever runs the server can make a code on its \
             machine: landfall-server break-glass."
                .to_owned()
        }
        Refusal::SuccessorMissing => {
            "The code that you used is burnt by this. Send the new one that replaces it.".to_owned()
        }
        other => next_step_of_links(other),
    }
}

fn next_step_of_links(refusal: &Refusal) -> String {
    match refusal {
        Refusal::LinkUnknown => {
            "Look at the code on the new device again: it is good for ten minutes, and only if your \
             own user name was typed there."
                .to_owned()
        }
        Refusal::LinkTaken { device } => format!(
            "{device} has taken it on. If that was you, go on there. If not, or if it was \
             interrupted, begin again on the new device; and if you do not know what {device} is \
             doing, cut it off: landfall device lost {device}."
        ),
        Refusal::LinkOutOfTurn => {
            "One of the two devices has begun anew, or somebody else speaks for it. Begin again on \
             the new device."
                .to_owned()
        }
        other => next_step_of_workloads(other),
    }
}
