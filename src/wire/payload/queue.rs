//! Payload of a queue.
//!
//! In: released figures. Out: serde types whose order of fields is the order on the wire.

use schemars::JsonSchema;
use serde::Serialize;

use crate::gate::QueueFigures;
use crate::measure::dwell::DWELL_CLASSES;

/// Figures of a queue; all absent when fewer than k different people joined it, nobody included. A person joins by staying
/// 3 s in its zone, and waits from the first sighting there to the last. joined + carried of the window before = served +
/// abandoned + cut + carried.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct QueuePayload {
    /// People who joined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joined: Option<u32>,
    /// Waits that ended at the place of service, reached within 5 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub served: Option<u32>,
    /// Waits that ended elsewhere, or with the person gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abandoned: Option<u32>,
    /// People still waiting at the end of the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carried: Option<u32>,
    /// Waits of those served. Mean = sum ÷ n; over several windows Σ sum ÷ Σ n.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<WaitPayload>,
    /// Waits of those who gave up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aband_wait_ms: Option<AbandonedWaitPayload>,
    /// Person-time of those waiting, ms; the seconds before somebody had joined are given to the window of joining. Mean
    /// length = len_ms ÷ cov_ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub len_ms: Option<u32>,
    /// Most people waiting at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub len_max: Option<u32>,
    /// Ended waits, with service or without, longer than the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over: Option<OverPayload>,
    /// Waits whose end nobody saw, because the camera was blind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<u32>,
}

/// Waits that ended with service.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WaitPayload {
    /// How many.
    pub n: u32,
    /// Their sum, ms.
    pub sum: u32,
    /// Edges of the histogram: "log2s" = 0, 1, 2, 4, … 512, ∞ seconds.
    pub hb: &'static str,
    /// By whole length.
    pub hist: [u32; DWELL_CLASSES],
}

/// Waits that ended without.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AbandonedWaitPayload {
    /// How many.
    pub n: u32,
    /// Their sum, ms.
    pub sum: u32,
}

/// Waits that were too long.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OverPayload {
    /// Longer than this, ms.
    pub target_ms: u32,
    /// How many.
    pub n: u32,
}

impl QueuePayload {
    /// All fields of a released queue, none of a withheld one.
    #[must_use]
    pub fn of(queue: Option<&QueueFigures>, target_ms: u32) -> Self {
        let Some(queue) = queue else { return Self::default() };
        let QueueFigures { served, wait_ms, wait_hist, abandoned, aband_wait_ms, .. } = *queue;
        Self {
            joined: Some(queue.joined),
            served: Some(served),
            abandoned: Some(abandoned),
            carried: Some(queue.carried),
            wait_ms: Some(WaitPayload { n: served, sum: wait_ms, hb: "log2s", hist: wait_hist }),
            aband_wait_ms: Some(AbandonedWaitPayload { n: abandoned, sum: aband_wait_ms }),
            len_ms: Some(queue.len_ms),
            len_max: Some(queue.len_max),
            over: Some(OverPayload { target_ms, n: queue.over }),
            cut: Some(queue.cut),
        }
    }
}
