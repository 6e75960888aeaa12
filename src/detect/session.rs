//! The network itself: the only file that names ONNX Runtime.
//!
//! In: an input tensor `[1, 3, H, W]`, f32. Out: the raw outputs, lent to the reader and gone afterwards.
//! Invariants: the runtime library is named by its path, never searched (a bad search panics inside `ort`);
//! one session uses one thread (two gain nothing and cost double, measured); no telemetry.

use std::path::Path;
use std::sync::OnceLock;

use ndarray::{ArrayView4, ArrayViewD};
use ort::environment::Environment;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;

use super::DetectError;
use super::letterbox::InputTensor;
use crate::health::{Stage, StageCpu};

/// One network on one thread.
pub struct Session {
    session: ort::session::Session,
    input: String,
}

/// One raw output, f32, in whatever shape the network gives it.
pub type Output<'a> = ArrayViewD<'a, f32>;

impl Session {
    /// Loads runtime and model; `input` is the name of the picture tensor.
    ///
    /// # Errors
    /// [`DetectError::Runtime`] or [`DetectError::Model`], saying which.
    pub fn load(runtime: &Path, model: &Path, input: &str) -> Result<Self, DetectError> {
        let session = build(start_runtime(runtime)?, model).map_err(|reason| DetectError::Model { reason })?;
        if !session.inputs().iter().any(|outlet| outlet.name() == input) {
            let names: Vec<&str> = session.inputs().iter().map(|outlet| outlet.name()).collect();
            let reason = format!("the card names the input \"{input}\", the file has {names:?}");
            return Err(DetectError::Head { reason });
        }
        Ok(Self { session, input: input.to_owned() })
    }

    /// Runs the network and lends its outputs to `read`.
    ///
    /// # Errors
    /// [`DetectError::Inference`] when the network fails or answers with something else than f32.
    pub fn run<T>(&mut self, tensor: &InputTensor, read: impl FnOnce(&[Output<'_>]) -> T) -> Result<T, DetectError> {
        self.run_booked(tensor, &StageCpu::default(), read)
    }

    /// As [`Session::run`], with CPU time booked on the stages.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub fn run_booked<T>(
        &mut self,
        tensor: &InputTensor,
        cpu: &StageCpu,
        read: impl FnOnce(&[Output<'_>]) -> T,
    ) -> Result<T, DetectError> {
        let failed = |error: ort::Error| DetectError::Inference { reason: error.to_string() };
        let view: ArrayView4<'_, f32> = tensor.view();
        let input = TensorRef::from_array_view(view).map_err(failed)?;
        let outputs = cpu
            .booked(Stage::Inference, || self.session.run(ort::inputs![self.input.as_str() => input]))
            .map_err(failed)?;
        cpu.booked(Stage::Decode, || {
            let views: Result<Vec<Output<'_>>, ort::Error> =
                (0..outputs.len()).map(|index| outputs[index].try_extract_array::<f32>()).collect();
            views.map(|views| read(&views)).map_err(failed)
        })
    }
}

#[expect(clippy::result_large_err, reason = "the builder hands itself back in its errors; this runs once")]
fn build(environment: &Environment, model: &Path) -> Result<ort::session::Session, String> {
    let builder = ort::session::Session::builder(environment).map_err(|error| error.to_string())?;
    // Level "all" brings the NCHWc layout, worth 2.0x over "basic" (measured).
    builder
        .with_optimization_level(GraphOptimizationLevel::All)
        .and_then(|builder| builder.with_intra_threads(1))
        .and_then(|builder| builder.with_inter_threads(1))
        .and_then(|builder| builder.with_intra_op_spinning(false))
        .and_then(|builder| builder.with_config_entry(EXACT_EIGHT_BITS, "1"))
        .and_then(|builder| builder.with_log_level(ort::logging::LogLevel::Fatal))
        .map_err(|error| error.to_string())?
        .commit_from_file(model)
        .map_err(|error| error.to_string())
}

fn start_runtime(library: &Path) -> Result<&'static Environment, DetectError> {
    static STARTED: OnceLock<Result<Environment, String>> = OnceLock::new();
    let started = STARTED.get_or_init(|| {
        let environment = ort::init_from(library).map_err(|error| error.to_string())?;
        let environment =
            environment.with_name("kehai").with_telemetry(false).build().map_err(|error| error.to_string())?;
        // Its errors come back as values; it need not print them as well.
        environment.set_log_level(ort::logging::LogLevel::Fatal);
        Ok(environment)
    });
    let refused =
        |reason: &String| DetectError::Runtime { path: library.display().to_string(), reason: reason.clone() };
    started.as_ref().map_err(refused)
}

/// Eight-bit products are summed without overflow where the processor has no instruction for them (x86-64 before
/// VNNI); without it a score is off by up to 0.05 there (measured). Source: `onnxruntime_session_options_config_keys.h`.
const EXACT_EIGHT_BITS: &str = "session.x64quantprecision";
