//! The tenant's recovery plan: by name, or made to measure.

use crate::doors::leads_in;
use landfall_identity::recovery::{Plan, Preset};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// The names that can be said.
const NAMES: &[(&str, Preset)] =
    &[("personal", Preset::Personal), ("team", Preset::Team), ("strict", Preset::Strict)];

/// What lets somebody in who has no device any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum PlanChoice {
    /// One that comes ready-made.
    Named(Preset),
    /// One made to measure: `{ any_of = [...] }`.
    Own(Plan),
}

impl PlanChoice {
    /// The plan itself.
    pub fn plan(&self) -> Plan {
        match self {
            Self::Named(preset) => preset.plan(),
            Self::Own(plan) => plan.clone(),
        }
    }

    /// Whether a server can live by it.
    ///
    /// # Errors
    /// What is wrong, and what to do.
    pub fn check(&self) -> Result<(), String> {
        self.plan().check_choice(&Plan::floor(), leads_in).map_err(|error| {
            format!("recovery_plan cannot be chosen: {error}; change it, or use personal, team or strict")
        })
    }
}

impl Default for PlanChoice {
    /// The one whose every way keeps the rules of NIST SP 800-63B-4: two guardians alone, as `personal`
    /// has them, are two people and one kind of proof.
    fn default() -> Self {
        Self::Named(Preset::Team)
    }
}

impl From<Preset> for PlanChoice {
    fn from(preset: Preset) -> Self {
        Self::Named(preset)
    }
}

impl<'de> Deserialize<'de> for PlanChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Choice)
    }
}

/// By hand, so that a misspelt name is told like any other, and a wrong part of a plan by its own fault.
struct Choice;

impl<'de> Visitor<'de> for Choice {
    type Value = PlanChoice;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("personal, team, strict, or a plan such as { any_of = [...] }")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        let found = NAMES.iter().find(|(name, _)| *name == text);
        let (_, preset) = found.ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))?;
        Ok(PlanChoice::Named(*preset))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Plan::deserialize(MapAccessDeserializer::new(map)).map(PlanChoice::Own)
    }
}
