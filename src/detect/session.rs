//! The network itself: the only file that names ONNX Runtime.
//!
//! In: an input tensor `[1, 3, H, W]`, f32. Out: the raw outputs, lent to the reader and gone afterwards.
//! Invariants: the runtime library is named by its path, never searched (a bad search panics inside `ort`);
//! one session uses one thread (two gain nothing and cost double, measured); no telemetry; an accelerator that cannot
//! be had is said to be missing, never silently replaced.

use std::path::Path;
use std::sync::OnceLock;

use ndarray::{ArrayView4, CowArray, IxDyn};
use ort::environment::Environment;
use ort::ep::ExecutionProviderDispatch;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::value::{DynValue, Tensor, TensorElementType, TensorRef, ValueType};

use super::DetectError;
use super::decode::shape::Shape;
use super::letterbox::InputTensor;
use crate::config::Accelerator;
use crate::health::{NoAccelerator, Stage, StageCpu};

/// One network on one thread.
pub struct Session {
    session: ort::session::Session,
    input: String,
    /// Name of the second input that wants the picture's size, where the network has one.
    sizes: Option<String>,
    names: Vec<String>,
}

/// One raw output as f32 (labels are widened), in whatever shape the network gives it.
pub struct Output<'a> {
    name: &'a str,
    is_whole: bool,
    values: CowArray<'a, f32, IxDyn>,
}

impl Output<'_> {
    /// Name, extents and kind.
    #[must_use]
    pub fn as_shape(&self) -> Shape {
        Shape { name: self.name.to_owned(), dims: self.dims().to_vec(), is_whole: self.is_whole }
    }

    /// Extents.
    #[must_use]
    pub fn dims(&self) -> &[usize] {
        self.values.shape()
    }

    /// Its values in order, where they are laid out plainly.
    #[must_use]
    pub fn as_slice(&self) -> Option<&[f32]> {
        self.values.as_slice()
    }

    /// Whether every value is a number one can calculate with.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        self.values.iter().all(|value| value.is_finite())
    }
}

/// One input or output as the file declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Type of its values, for example `f32`.
    pub element: String,
    /// Its extents; `None` where the file leaves them open.
    pub dims: Vec<Option<u32>>,
}

impl Session {
    /// Loads runtime and model on the CPU.
    ///
    /// # Errors
    /// [`DetectError::Runtime`] or [`DetectError::Model`], saying which; [`DetectError::Head`] when the inputs are not
    /// one picture `f32 [1, 3, H, W]` and at most its size.
    pub fn load(runtime: &Path, model: &Path) -> Result<Self, DetectError> {
        Self::open(build(start_runtime(runtime)?, model, &[]).map_err(|reason| DetectError::Model { reason })?)
    }

    /// Writes a model to a file as the runtime has rearranged it for this processor; gives the name of its picture input
    /// and the number of its outputs. For forensics.
    ///
    /// # Errors
    /// As [`Session::load`].
    #[cfg(feature = "mouth")]
    pub fn write_rearranged(runtime: &Path, model: &Path, to: &Path) -> Result<(String, usize), DetectError> {
        let builder = prepared(start_runtime(runtime)?, GraphOptimizationLevel::All);
        let built = builder
            .and_then(|builder| builder.with_optimized_model_path(to).map_err(|error| error.to_string()))
            .and_then(|mut builder| builder.commit_from_file(model).map_err(|error| error.to_string()));
        let session = Self::open(built.map_err(|reason| DetectError::Model { reason })?)?;
        Ok((session.input, session.names.len()))
    }

    /// Loads a model from memory and rearranges nothing. For forensics.
    ///
    /// # Errors
    /// As [`Session::load`].
    #[cfg(feature = "mouth")]
    pub fn load_as_it_is(runtime: &Path, model: &[u8]) -> Result<Self, DetectError> {
        let built = prepared(start_runtime(runtime)?, GraphOptimizationLevel::Disable)
            .and_then(|mut builder| builder.commit_from_memory(model).map_err(|error| error.to_string()));
        Self::open(built.map_err(|reason| DetectError::Model { reason })?)
    }

    /// Runs the network and gives the bytes of its outputs as they lie in memory; empty for what is neither in 32-bit
    /// floats nor in eight bits. For forensics.
    ///
    /// # Errors
    /// As [`Session::run`].
    #[cfg(feature = "mouth")]
    pub fn run_raw(&mut self, tensor: &InputTensor) -> Result<Vec<Vec<u8>>, DetectError> {
        let failed = |error: ort::Error| DetectError::Inference { reason: first_line(&error) };
        let input = TensorRef::from_array_view(tensor.view()).map_err(failed)?;
        let outputs = self.session.run(ort::inputs![self.input.as_str() => input]).map_err(failed)?;
        let bytes = |index: usize| -> Result<Vec<u8>, ort::Error> {
            let value = &outputs[index];
            Ok(match value.dtype().tensor_type() {
                Some(TensorElementType::Float32) => {
                    value.try_extract_tensor::<f32>()?.1.iter().flat_map(|value| value.to_ne_bytes()).collect()
                }
                Some(TensorElementType::Uint8) => value.try_extract_tensor::<u8>()?.1.to_vec(),
                Some(TensorElementType::Int8) => {
                    value.try_extract_tensor::<i8>()?.1.iter().map(|value| value.cast_unsigned()).collect()
                }
                _ => Vec::new(),
            })
        };
        (0..self.names.len()).map(|index| bytes(index).map_err(failed)).collect()
    }

    /// As [`Session::load`], on an accelerator.
    ///
    /// # Errors
    /// Why there is none; a model that does not load at all is not told apart, the CPU will say.
    pub fn load_on(runtime: &Path, model: &Path, accelerator: Accelerator) -> Result<Self, NoAccelerator> {
        let environment = start_runtime(runtime).map_err(|_| NoAccelerator::NotInRuntime)?;
        let built =
            providers(accelerator)?.into_iter().find_map(|provider| build(environment, model, &[provider]).ok());
        Self::open(built.ok_or(NoAccelerator::Refused)?).map_err(|_| NoAccelerator::Refused)
    }

    fn open(session: ort::session::Session) -> Result<Self, DetectError> {
        let inputs: Vec<Port> = session.inputs().iter().map(port).collect();
        let names = session.outputs().iter().map(|outlet| outlet.name().to_owned()).collect();
        let [input, sizes] = inputs_of(&inputs).map_err(|reason| DetectError::Head { reason })?;
        Ok(Self { session, input: input.unwrap_or_default(), sizes, names })
    }

    /// Name of the picture input.
    #[must_use]
    pub fn input(&self) -> &str {
        &self.input
    }

    /// Whether the network also wants to be told the picture's size.
    #[must_use]
    pub fn wants_size(&self) -> bool {
        self.sizes.is_some()
    }

    /// All inputs as the file declares them.
    #[must_use]
    pub fn inputs(&self) -> Vec<Port> {
        self.session.inputs().iter().map(port).collect()
    }

    /// All outputs as the file declares them.
    #[must_use]
    pub fn outputs(&self) -> Vec<Port> {
        self.session.outputs().iter().map(port).collect()
    }

    /// Runs the network and lends its outputs to `read`.
    ///
    /// # Errors
    /// [`DetectError::Inference`] when the network fails or answers with something else than f32 and whole numbers.
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
        let failed = |error: ort::Error| DetectError::Inference { reason: first_line(&error) };
        let view: ArrayView4<'_, f32> = tensor.view();
        // Boxes come back in units of this size: that of the input, so that they read like those of any other head.
        let size = [view.dim().3 as i64, view.dim().2 as i64];
        let input = TensorRef::from_array_view(view).map_err(failed)?;
        let mut inputs = ort::inputs![self.input.as_str() => input];
        if let Some(name) = &self.sizes {
            let size = Tensor::from_array(([1_usize, 2], size.to_vec())).map_err(failed)?;
            inputs.extend(ort::inputs![name.as_str() => size]);
        }
        let outputs = cpu.booked(Stage::Inference, || self.session.run(inputs)).map_err(failed)?;
        cpu.booked(Stage::Decode, || {
            let lent = self.names.iter().enumerate().map(|(index, name)| lend(name, &outputs[index]));
            lent.collect::<Result<Vec<Output<'_>>, String>>()
                .map(|lent| read(&lent))
                .map_err(|reason| DetectError::Inference { reason })
        })
    }
}

/// An output in f32: lent where it is, converted where it holds whole numbers.
fn lend<'a>(name: &'a str, value: &'a DynValue) -> Result<Output<'a>, String> {
    let failed = |error: ort::Error| format!("output {name}: {}", first_line(&error));
    let element = value.dtype().tensor_type();
    let widened = |values: ndarray::ArrayD<f32>| Output { name, is_whole: true, values: values.into() };
    match element {
        Some(TensorElementType::Float32) => {
            let values = value.try_extract_array::<f32>().map_err(failed)?;
            Ok(Output { name, is_whole: false, values: values.into() })
        }
        Some(TensorElementType::Int64) => {
            Ok(widened(value.try_extract_array::<i64>().map_err(failed)?.mapv(|label| label as f32)))
        }
        Some(TensorElementType::Int32) => {
            Ok(widened(value.try_extract_array::<i32>().map_err(failed)?.mapv(|label| label as f32)))
        }
        Some(other) => {
            Err(format!("output {name} holds {other}; export the model with 32-bit floats and whole labels"))
        }
        None => Err(format!("output {name} is no tensor; export the model without sequences and maps")),
    }
}

fn port(outlet: &ort::value::Outlet) -> Port {
    let (element, dims) = match outlet.dtype() {
        ValueType::Tensor { ty, shape, .. } => {
            (ty.to_string(), shape.iter().map(|extent| u32::try_from(*extent).ok()).collect())
        }
        _ => ("no tensor".to_owned(), Vec::new()),
    };
    Port { name: outlet.name().to_owned(), element, dims }
}

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let extent = |extent: &Option<u32>| extent.map_or("?".to_owned(), |extent| extent.to_string());
        write!(f, "{} {} [{}]", self.name, self.element, self.dims.iter().map(extent).collect::<Vec<_>>().join(", "))
    }
}

/// The picture input and, where there is one, the input for its size.
fn inputs_of(inputs: &[Port]) -> Result<[Option<String>; 2], String> {
    let all = || inputs.iter().map(Port::to_string).collect::<Vec<_>>().join(", ");
    let (pictures, rest): (Vec<&Port>, Vec<&Port>) = inputs.iter().partition(|port| port.dims.len() == 4);
    let [picture] = pictures[..] else {
        return Err(format!("the file has inputs {}; one picture f32 [1, 3, H, W] is wanted", all()));
    };
    let is_channels_last = picture.dims[3] == Some(3) && picture.dims[1] != Some(3);
    if picture.element != "f32" || is_channels_last || picture.dims[1].is_some_and(|channels| channels != 3) {
        return Err(format!("input {picture}: wrong type or number of channels; f32 [1, 3, H, W] is wanted"));
    }
    if picture.dims[0].is_some_and(|batch| batch != 1) {
        return Err(format!("input {picture} takes several pictures at once; export the model for one"));
    }
    match rest[..] {
        [] => Ok([Some(picture.name.clone()), None]),
        [size] if size.name == SIZE_INPUT && size.element == "i64" => {
            Ok([Some(picture.name.clone()), Some(size.name.clone())])
        }
        _ => {
            Err(format!("the file has inputs {}; beside the picture only {SIZE_INPUT} i64 [1, 2] can be filled", all()))
        }
    }
}

/// The providers of an accelerator in the order to try them, where this build and the runtime library, which must be
/// started, have them.
fn providers(accelerator: Accelerator) -> Result<Vec<ExecutionProviderDispatch>, NoAccelerator> {
    #[cfg(any(feature = "openvino", feature = "cuda"))]
    fn in_runtime<P>(providers: Vec<P>) -> Result<Vec<ExecutionProviderDispatch>, NoAccelerator>
    where
        P: ort::ep::ExecutionProvider + Into<ExecutionProviderDispatch>,
    {
        let dispatch = |provider: P| provider.into().error_on_failure();
        let is_in = P::is_available().unwrap_or(false);
        is_in.then(|| providers.into_iter().map(dispatch).collect()).ok_or(NoAccelerator::NotInRuntime)
    }
    match accelerator {
        #[cfg(feature = "openvino")]
        Accelerator::Openvino => in_runtime(
            // One device after the other: "AUTO:GPU,CPU" is refused where there is no GPU.
            ["GPU", "CPU"]
                .map(|device| ort::ep::OpenVINO::default().with_device_type(device).with_num_threads(1))
                .to_vec(),
        ),
        #[cfg(feature = "cuda")]
        Accelerator::Cuda => in_runtime(vec![ort::ep::CUDA::default()]),
        _ => Err(NoAccelerator::NotBuilt),
    }
}

/// Errors of the runtime run over many lines; the first says it.
fn first_line(error: &ort::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

fn build(
    environment: &Environment,
    model: &Path,
    providers: &[ExecutionProviderDispatch],
) -> Result<ort::session::Session, String> {
    // Level "all" brings the NCHWc layout, worth 2.0x over "basic" (measured).
    prepared(environment, GraphOptimizationLevel::All)?
        .with_execution_providers(providers)
        .map_err(|error| error.to_string())?
        .commit_from_file(model)
        .map_err(|error| error.to_string())
}

#[expect(clippy::result_large_err, reason = "the builder hands itself back in its errors; this runs once")]
fn prepared(environment: &Environment, level: GraphOptimizationLevel) -> Result<SessionBuilder, String> {
    let builder = ort::session::Session::builder(environment).map_err(|error| error.to_string())?;
    builder
        .with_optimization_level(level)
        .and_then(|builder| builder.with_intra_threads(1))
        .and_then(|builder| builder.with_inter_threads(1))
        .and_then(|builder| builder.with_intra_op_spinning(false))
        .and_then(|builder| builder.with_config_entry(EXACT_EIGHT_BITS, "1"))
        .and_then(|builder| builder.with_log_level(ort::logging::LogLevel::Fatal))
        .map_err(|error| error.to_string())
}

/// Forbids the runtime library to report to its maker; without it, no runtime is started. It would write a number of
/// this machine and a store of events into the home folder and send them, `with_telemetry(false)` or not: it decides
/// when it is loaded (1.31, `core/platform/posix/telemetry.cc`). To be called before there is a second thread.
pub fn forbid_reports() {
    // SAFETY: the process has one thread, nobody else reads the environment.
    unsafe { std::env::set_var(NO_REPORTS.0, NO_REPORTS.1) };
}

fn start_runtime(library: &Path) -> Result<&'static Environment, DetectError> {
    static STARTED: OnceLock<Result<Environment, String>> = OnceLock::new();
    let started = STARTED.get_or_init(|| {
        if std::env::var_os(NO_REPORTS.0).is_none_or(|value| value != NO_REPORTS.1) {
            return Err(format!("is only started with {}={}", NO_REPORTS.0, NO_REPORTS.1));
        }
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

/// What tells the runtime library to report nothing.
pub const NO_REPORTS: (&str, &str) = ("ORT_DISABLE_TELEMETRY", "1");
/// Eight-bit products are summed without overflow where the processor has no instruction for them (x86-64 before
/// VNNI); without it a score is off by up to 0.05 there (measured). Source: `onnxruntime_session_options_config_keys.h`.
const EXACT_EIGHT_BITS: &str = "session.x64quantprecision";

/// Name of the second input of DETR exports: width and height of the picture, `i64 [1, 2]`.
const SIZE_INPUT: &str = "orig_target_sizes";

#[cfg(test)]
mod tests {
    use super::*;

    fn port(name: &str, element: &str, dims: &[Option<u32>]) -> Port {
        Port { name: name.to_owned(), element: element.to_owned(), dims: dims.to_vec() }
    }

    #[test]
    fn an_input_is_one_picture_of_three_planes_and_at_most_its_size() {
        let picture = port("images", "f32", &[Some(1), Some(3), None, None]);
        let size = port(SIZE_INPUT, "i64", &[None, Some(2)]);
        assert_eq!(inputs_of(&[size.clone(), picture.clone()]), Ok([Some("images".into()), Some(SIZE_INPUT.into())]));
        let refused = |inputs: &[Port]| inputs_of(inputs).expect_err("it is none");
        let planes = |dims: [u32; 4]| vec![port("x", "f32", &dims.map(Some))];
        assert!(refused(&planes([1, 1, 320, 416])).contains("number of channels"));
        assert!(refused(&planes([1, 320, 416, 3])).contains("x f32 [1, 320, 416, 3]"));
        assert!(refused(&planes([8, 3, 320, 416])).contains("several pictures"));
        assert!(refused(&[port("x", "u8", &[Some(1), Some(3), None, None])]).contains("wrong type"));
        assert!(refused(&[picture, port("scale", "f32", &[Some(1), Some(2)])]).contains("only orig_target_sizes"));
        assert!(refused(&[size]).contains("one picture"));
    }
}
