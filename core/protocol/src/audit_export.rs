//! Audit rows in the forms that other systems read: JSON Lines, CEF and OCSF. One line for each row.

use crate::audit::AuditRow;
use serde_json::{Value, json};

/// The version of OCSF that is written.
const OCSF_VERSION: &str = "1.3.0";
/// OCSF: category "Application Activity", class "API Activity".
const OCSF_CATEGORY: u64 = 6;
const OCSF_CLASS: u64 = 6003;

/// A form of export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditFormat {
    /// JSON Lines: rows as the interface has them.
    Jsonl,
    /// ArcSight's Common Event Format, version 0.
    Cef,
    /// The Open Cybersecurity Schema Framework, as JSON Lines.
    Ocsf,
}

impl AuditFormat {
    /// Every form.
    pub const ALL: [Self; 3] = [Self::Jsonl, Self::Cef, Self::Ocsf];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Cef => "cef",
            Self::Ocsf => "ocsf",
        }
    }

    /// The form of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.as_str() == text)
    }

    /// A row in this form, without the line break. `version` is the product's.
    ///
    /// # Errors
    /// A row that cannot be written as JSON: none that a server sends.
    pub fn line(self, row: &AuditRow, version: &str) -> Result<String, serde_json::Error> {
        match self {
            Self::Jsonl => serde_json::to_string(row),
            Self::Cef => Ok(cef(row, version)),
            Self::Ocsf => serde_json::to_string(&ocsf(row, version)),
        }
    }
}

/// One line of CEF. In its head `\` and `|` are escaped, in its extension `\`, `=` and line breaks; what else
/// could break a line becomes a space.
fn cef(row: &AuditRow, version: &str) -> String {
    let severity = match row.outcome.as_str() {
        "allow" => "3",
        "deny" => "6",
        _ => "8",
    };
    let head = ["Landfall", "landfall-server", version, &row.action, &row.action, severity];
    let mut line = String::from("CEF:0");
    for part in head {
        line.push('|');
        line.push_str(&escaped(part, CefPart::Head));
    }
    line.push('|');
    let at = row.at.0.millis().to_string();
    let parents = (!row.parents.is_empty()).then(|| row.parents.join(" "));
    let seq = row.seq.map(|seq| seq.to_string());
    let text = |value: &str| Some(value.to_owned());
    let fields: [(&str, Option<&str>, Option<String>); 19] = [
        ("rt", None, Some(at)),
        ("externalId", None, text(&row.id)),
        ("cn1", Some("seq"), seq),
        ("suser", None, text(&row.actor)),
        ("spriv", None, row.actor_role.clone()),
        ("shost", None, row.machine.clone()),
        ("act", None, text(&row.action)),
        ("outcome", None, text(&row.outcome)),
        ("reason", None, row.reason.clone()),
        ("msg", None, text(&row.target)),
        ("cs1", Some("rule"), row.rule.clone()),
        ("cs2", Some("parents"), parents),
        ("cs3", Some("strength"), row.auth_strength.clone()),
        ("cs4", Some("session"), row.session.clone()),
        ("cs5", Some("tenant"), text(&row.tenant)),
        ("cs6", Some("request"), row.request_id.clone()),
        ("flexString1", Some("capability"), row.capability.clone()),
        ("src", None, row.source.clone()),
        ("requestClientApplication", None, row.user_agent.clone()),
    ];
    let mut parts = Vec::new();
    for (key, label, value) in fields {
        let Some(value) = value.filter(|value| !value.is_empty()) else { continue };
        if let Some(label) = label {
            parts.push(format!("{key}Label={label}"));
        }
        parts.push(format!("{key}={}", escaped(&value, CefPart::Extension)));
    }
    line.push_str(&parts.join(" "));
    line
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum CefPart {
    Head,
    Extension,
}

fn escaped(text: &str, part: CefPart) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '|' if part == CefPart::Head => out.push_str("\\|"),
            '=' if part == CefPart::Extension => out.push_str("\\="),
            '\n' if part == CefPart::Extension => out.push_str("\\n"),
            '\r' if part == CefPart::Extension => out.push_str("\\r"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// One event of OCSF's class API Activity.
fn ocsf(row: &AuditRow, version: &str) -> Value {
    let (activity, activity_name) = activity(&row.action);
    let (status, status_name) = match row.outcome.as_str() {
        "allow" => (1, "Success"),
        _ => (2, "Failure"),
    };
    let (severity, severity_name) = match row.outcome.as_str() {
        "allow" => (1, "Informational"),
        "deny" => (2, "Low"),
        _ => (3, "Medium"),
    };
    let decision = if row.outcome == "allow" { "Allow" } else { "Deny" };
    let authorizations = row
        .rule
        .as_ref()
        .map(|rule| json!([{ "decision": decision, "policy": { "name": rule, "uid": rule } }]));
    let mut event = json!({
        "category_uid": OCSF_CATEGORY,
        "category_name": "Application Activity",
        "class_uid": OCSF_CLASS,
        "class_name": "API Activity",
        "activity_id": activity,
        "activity_name": activity_name,
        "type_uid": OCSF_CLASS * 100 + activity,
        "time": row.at.0.millis(),
        "severity_id": severity,
        "severity": severity_name,
        "status_id": status,
        "status": status_name,
        "status_detail": row.reason,
        "metadata": {
            "version": OCSF_VERSION,
            "uid": row.id,
            "sequence": row.seq,
            "product": { "name": "Landfall", "vendor_name": "Landfall", "version": version },
        },
        "actor": {
            "user": { "name": row.actor, "uid": row.actor },
            "session": row.session.as_ref().map(|session| json!({ "uid": session })),
            "authorizations": authorizations,
        },
        "api": {
            "operation": row.action,
            "request": row.request_id.as_ref().map(|request| json!({ "uid": request })),
        },
        "src_endpoint": { "ip": row.source },
        "http_request": row.user_agent.as_ref().map(|agent| json!({ "user_agent": agent })),
        "unmapped": {
            "tenant": row.tenant,
            "target": row.target,
            "outcome": row.outcome,
            "parents": row.parents,
            "actor_role": row.actor_role,
            "machine": row.machine,
            "capability": row.capability,
            "auth_strength": row.auth_strength,
        },
    });
    without_nulls(&mut event);
    event
}

/// OCSF's activity of an action, by its first word; 99 is "Other".
fn activity(action: &str) -> (u64, &'static str) {
    let verb = action.trim_start_matches("admin-").split('-').next().unwrap_or_default();
    match verb {
        "read" | "list" | "find" | "watch" | "review" | "prove" | "try" => (2, "Read"),
        "issue" | "add" | "register" | "make" | "name" | "open" | "enroll" | "begin" => {
            (1, "Create")
        }
        "remove" | "delete" | "revoke" | "cancel" | "close" | "leave" => (4, "Delete"),
        "write" | "rename" | "set" | "suspend" | "resume" | "renew" | "bind" | "freeze"
        | "unfreeze" => (3, "Update"),
        _ => (99, "Other"),
    }
}

fn without_nulls(value: &mut Value) {
    if let Value::Object(fields) = value {
        fields.retain(|_, field| !field.is_null());
        fields.values_mut().for_each(without_nulls);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::At;

    fn row() -> AuditRow {
        AuditRow {
            id: "01".into(),
            seq: Some(7),
            at: At::parse("2026-11-21T14:32:00Z").unwrap(),
            tenant: "home".into(),
            actor: "spiffe://td/tenant/home/user/bert/device/laptop".into(),
            actor_role: Some("agent".into()),
            machine: Some("laptop".into()),
            capability: Some("c1".into()),
            parents: vec!["spiffe://td/tenant/home/user/anna/device/phone".into()],
            action: "read-secret".into(),
            target: "secret a=b|c\\d\ne\r\u{2028}f".into(),
            outcome: "deny".into(),
            reason: Some("forbidden".into()),
            auth_strength: Some("cert-only".into()),
            session: None,
            request_id: Some("r1".into()),
            rule: Some("tenant/no-secrets".into()),
            source: Some("192.0.2.7".into()),
            user_agent: Some("x|y=z".into()),
        }
    }

    #[test]
    fn cef_escapes_its_head_and_its_extension_each_by_its_own_rule() {
        let line = AuditFormat::Cef.line(&row(), "0.1|2\\3\n4").unwrap();
        let head = "CEF:0|Landfall|landfall-server|0.1\\|2\\\\3 4|read-secret|read-secret|6|rt=";
        assert!(line.starts_with(head), "{line}");
        assert!(line.contains(" msg=secret a\\=b|c\\\\d\\ne\\r f cs1Label=rule"), "{line}");
        assert!(line.contains("cs1=tenant/no-secrets cs2Label=parents cs2=spiffe://"), "{line}");
        assert!(line.contains("src=192.0.2.7 requestClientApplication=x|y\\=z"), "{line}");
        assert!(line.contains(" spriv=agent shost=laptop act="), "{line}");
        assert!(line.contains(" flexString1Label=capability flexString1=c1 "), "{line}");
        assert!(line.contains("cn1Label=seq cn1=7") && !line.contains("cs4"), "{line}");
        assert!(!line.contains(['\n', '\r', '\u{2028}']), "one line");
    }

    #[test]
    fn ocsf_is_an_api_activity_with_the_rule_that_decided() {
        let line = AuditFormat::Ocsf.line(&row(), "0.1").unwrap();
        let event: Value = serde_json::from_str(&line).unwrap();
        for (path, value) in [
            ("/class_uid", json!(6003)),
            ("/type_uid", json!(600_302)),
            ("/time", json!(1_795_271_520_000_i64)),
            ("/status_id", json!(2)),
            ("/status_detail", json!("forbidden")),
            ("/unmapped/actor_role", json!("agent")),
            ("/unmapped/machine", json!("laptop")),
            ("/unmapped/capability", json!("c1")),
            ("/actor/authorizations/0/policy/name", json!("tenant/no-secrets")),
            ("/actor/authorizations/0/decision", json!("Deny")),
            ("/metadata/sequence", json!(7)),
            ("/src_endpoint/ip", json!("192.0.2.7")),
            ("/unmapped/parents/0", json!("spiffe://td/tenant/home/user/anna/device/phone")),
        ] {
            assert_eq!(event.pointer(path), Some(&value), "{path} in {line}");
        }
        assert!(event.pointer("/actor/session").is_none(), "nothing is null");
        assert!(!line.contains('\n'));
    }

    #[test]
    fn json_lines_are_the_rows_themselves_and_old_rows_render() {
        let line = AuditFormat::Jsonl.line(&row(), "0.1").unwrap();
        assert_eq!(serde_json::from_str::<AuditRow>(&line).unwrap(), row());
        let old = AuditRow { rule: None, action: "from-another-version".into(), ..row() };
        for form in AuditFormat::ALL {
            let line = form.line(&old, "0.1").unwrap();
            assert!(line.contains("from-another-version"), "{line}");
            assert_eq!(AuditFormat::parse(form.as_str()), Some(form));
        }
    }
}
