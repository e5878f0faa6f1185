//! A case of a manifest, and the same as the SDK reads it.

use comatrix_sdk::vectors::Case;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// A case, with the same fields as the files of a case's folder (`comatrix_sdk::vectors`).
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// A sentence.
    pub name: String,
    /// The device's request.
    pub request: Json,
    /// The calls that the rule must make, and what each gets.
    #[serde(default)]
    pub calls: Vec<Json>,
    /// The answer that the device must get.
    pub reply: Json,
    /// What must become of the observation that the answer starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observation: Vec<Json>,
}

impl From<Case> for Vector {
    fn from(case: Case) -> Self {
        let Case {
            name,
            request,
            calls,
            reply,
            observation,
        } = case;
        Self {
            name,
            request,
            calls,
            reply,
            observation,
        }
    }
}

impl From<Vector> for Case {
    fn from(vector: Vector) -> Self {
        let Vector {
            name,
            request,
            calls,
            reply,
            observation,
        } = vector;
        Self {
            name,
            request,
            calls,
            reply,
            observation,
        }
    }
}
