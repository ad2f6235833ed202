//! `tree`: everything that acts for somebody, under whoever stands behind it.

use super::agent::state_word;
use crate::app::App;
use crate::output::Answer;
use landfall_client::Failure;
use landfall_protocol::agent::AgentInfo;
use landfall_protocol::device::{DeviceInfo, DeviceStateName};
use serde_json::{Value, json};

/// One line of the drawing, and what hangs below it.
struct Node {
    text: String,
    json: Value,
    below: Vec<Node>,
}

pub async fn tree(app: &App) -> Result<Answer, Failure> {
    let me = app.client.whoami().await?;
    let (devices, agents) = (app.client.devices().await?, app.client.agents().await?);
    let below = devices.iter().map(|device| of_device(device, &agents)).collect();
    let root = Node {
        text: me.user.to_string(),
        json: json!({ "user": me.user, "tenant": me.tenant, "role": me.role }),
        below,
    };
    let mut lines = vec![root.text.clone()];
    draw(&root.below, "", &mut lines);
    Answer::new(&written(&root), lines.join("\n"))
}

/// A device, and the agents that it let in.
fn of_device(device: &DeviceInfo, agents: &[AgentInfo]) -> Node {
    let own = agents
        .iter()
        .filter(|info| info.parent.is_none() && info.introduced_by.as_ref() == Some(&device.name));
    let state = match device.state {
        DeviceStateName::Active if device.this_device => "this device",
        DeviceStateName::Active => "active",
        DeviceStateName::Suspended => "suspended",
        DeviceStateName::Revoked => "revoked",
    };
    Node {
        text: format!("{} (device, {state})", device.name),
        json: json!({ "device": device.name, "state": device.state, "actor_role": "master" }),
        below: own.map(|info| of_agent(info, agents)).collect(),
    }
}

/// An agent, and its parts.
fn of_agent(info: &AgentInfo, agents: &[AgentInfo]) -> Node {
    let parts = agents.iter().filter(|part| part.parent.as_ref() == Some(&info.agent));
    Node {
        text: format!("{} (agent, {})", info.agent, state_word(info.state)),
        json: json!({ "agent": info.agent, "state": info.state, "actor_role": "agent" }),
        below: parts.map(|part| of_agent(part, agents)).collect(),
    }
}

fn draw(nodes: &[Node], indent: &str, lines: &mut Vec<String>) {
    for (place, node) in nodes.iter().enumerate() {
        let last = place + 1 == nodes.len();
        let (branch, further) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        lines.push(format!("{indent}{branch}{}", node.text));
        draw(&node.below, &format!("{indent}{further}"), lines);
    }
}

fn written(node: &Node) -> Value {
    let mut json = node.json.clone();
    json["below"] = node.below.iter().map(written).collect();
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(text: &str, below: Vec<Node>) -> Node {
        Node { text: text.to_owned(), json: json!({ "name": text }), below }
    }

    #[test]
    fn whatever_hangs_below_is_drawn_below() {
        let part = node("part", vec![]);
        let root = [
            node("laptop", vec![node("one", vec![part]), node("two", vec![])]),
            node("phone", vec![node("three", vec![])]),
        ];
        let mut lines = Vec::new();
        draw(&root, "", &mut lines);
        let drawn = "├─ laptop\n│  ├─ one\n│  │  └─ part\n│  └─ two\n└─ phone\n   └─ three";
        assert_eq!(lines.join("\n"), drawn);
        assert_eq!(written(&root[1])["below"][0]["name"], "three");
    }
}
