//! The layers of a network, laid open: all that it makes of its input on the way to its outputs, in its own layout.
//!
//! In: a model file. Out: a [`Layers`] that gives, for an input tensor, the very bytes its tensors have in the eye: the
//! input in eight bits where the network works in them, the input reordered for the processor, the activations.
//! Invariant: the runtime has rearranged the graph before its layers are laid open and does not do so again, so that they
//! lie in memory as they do in the eye.
//! Source: `onnx.proto3` of ONNX 1.19; protobuf's rule that a message given twice is merged.

use std::path::Path;

use crate::detect::DetectError;
use crate::detect::letterbox::InputTensor;
use crate::detect::session::Session;

/// A network whose layers can be read.
pub struct Layers {
    session: Session,
    /// Outputs of the network itself, which come first.
    own: usize,
    /// What the first layers are called and do, in words: up to the first convolution and what follows at once.
    pub first: Vec<String>,
}

impl Layers {
    /// Lays open the layers of a model.
    ///
    /// # Errors
    /// [`DetectError`] where the model does not load, or is not understood.
    pub fn of(runtime: &Path, model: &Path) -> Result<Self, DetectError> {
        let name = format!("kehai-layers-{}-{:x}.onnx", std::process::id(), crate::clock::monotonic_ns());
        let rearranged = std::env::temp_dir().join(name);
        let written = Session::write_rearranged(runtime, model, &rearranged);
        let graph = written.and_then(|own| {
            let read = std::fs::read(&rearranged).map_err(|error| DetectError::Model { reason: error.to_string() })?;
            Ok((read, own))
        });
        // What was never written need not go.
        let _ = std::fs::remove_file(&rearranged);
        let (mut graph, (input, own)) = graph?;
        let layers = layers_behind(&graph, &input);
        let first = layers.iter().position(|(_, kind)| kind.contains("Conv"));
        let first = first.ok_or(DetectError::Model { reason: "no convolution found".to_owned() })? + 1 + FIRST_BEHIND;
        let names = layers.iter().take(first).map(|(output, kind)| format!("{kind} {output}")).collect();
        graph.extend(more_outputs(layers.iter().map(|(output, _)| output.as_str())));
        Ok(Self { session: Session::load_as_it_is(runtime, &graph)?, own, first: names })
    }

    /// The bytes of all layers for this input, the first first.
    ///
    /// # Errors
    /// [`DetectError`] when the network fails.
    pub fn look(&mut self, tensor: &InputTensor) -> Result<Vec<Vec<u8>>, DetectError> {
        let mut all = self.session.run_raw(tensor)?;
        Ok(all.split_off(self.own.min(all.len())))
    }
}

/// Name and kind of the outputs of all nodes behind `input`, in the order they run.
fn layers_behind(model: &[u8], input: &str) -> Vec<(String, String)> {
    let (mut reached, mut layers) = (vec![input.to_owned()], Vec::new());
    let own: Vec<&[u8]> = fields(model, GRAPH)
        .into_iter()
        .flat_map(|graph| fields(graph, GRAPH_OUTPUT))
        .flat_map(|output| fields(output, VALUE_NAME))
        .collect();
    for node in fields(model, GRAPH).into_iter().flat_map(|graph| fields(graph, NODE)) {
        let texts = |field| fields(node, field).into_iter().map(|text| String::from_utf8_lossy(text).into_owned());
        let kind = texts(KIND).next().unwrap_or_default();
        // What asks for the extents of the picture sees none of it.
        if kind == "Shape" || !texts(INPUT).any(|name| reached.contains(&name)) {
            continue;
        }
        for output in texts(OUTPUT).filter(|name| !name.is_empty()) {
            if !own.contains(&output.as_bytes()) {
                layers.push((output.clone(), kind.clone()));
            }
            reached.push(output);
        }
    }
    layers
}

/// A piece of a model that names more outputs of its graph; it is merged with what stands before it.
fn more_outputs<'a>(names: impl Iterator<Item = &'a str>) -> Vec<u8> {
    let outputs: Vec<u8> = names.flat_map(|name| field(GRAPH_OUTPUT, &field(VALUE_NAME, name.as_bytes()))).collect();
    field(GRAPH, &outputs)
}

/// One field that holds bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut written = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length >= 0x80 {
        written.push(length as u8 | 0x80);
        length >>= 7;
    }
    written.push(length as u8);
    written.extend_from_slice(bytes);
    written
}

/// What the fields of this number in a message hold, where it is bytes; ends where the message is not understood.
fn fields(message: &[u8], number: u8) -> Vec<&[u8]> {
    let (mut rest, mut found) = (message, Vec::new());
    while let Some(key) = varint(&mut rest) {
        let length = match key & 7 {
            0 => varint(&mut rest).map(|_| 0),
            1 => Some(8),
            2 => varint(&mut rest).and_then(|length| usize::try_from(length).ok()),
            5 => Some(4),
            _ => None,
        };
        let Some((bytes, after)) = length.and_then(|length| rest.split_at_checked(length)) else { break };
        rest = after;
        if key == u64::from(number) << 3 | 2 {
            found.push(bytes);
        }
    }
    found
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7F) << shift;
        if *byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// Tensors behind the first convolution that count as first layers: its activation, and the next layer.
const FIRST_BEHIND: usize = 3;
/// Fields of a model, a graph, a node and a value.
const GRAPH: u8 = 7;
const NODE: u8 = 1;
const GRAPH_OUTPUT: u8 = 12;
const INPUT: u8 = 1;
const OUTPUT: u8 = 2;
const KIND: u8 = 4;
const VALUE_NAME: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn node(kind: &str, input: &str, output: &str) -> Vec<u8> {
        let parts = [field(INPUT, input.as_bytes()), field(OUTPUT, output.as_bytes()), field(KIND, kind.as_bytes())];
        field(NODE, &parts.concat())
    }

    #[test]
    fn the_layers_are_those_behind_the_picture() {
        let nodes = [
            node("Shape", "images", "size"),
            node("QuantizeLinear", "images", "q"),
            node("Constant", "", "c"),
            node("QLinearConv", "q", "a"),
            node("Relu", "a", "b"),
            node("MaxPool", "b", "d"),
            node("Conv", "d", "e"),
            node("Conv", "e", "f"),
        ];
        let output = field(GRAPH_OUTPUT, &field(VALUE_NAME, b"f"));
        let model = [vec![8, 9], field(GRAPH, &[nodes.concat(), output].concat())].concat();
        let layers = layers_behind(&model, "images");
        let names: Vec<&str> = layers.iter().map(|(output, _)| output.as_str()).collect();
        assert_eq!(names, ["q", "a", "b", "d", "e"], "f is an output already");
        assert_eq!(layers_behind(&model, "nothing"), []);
        let more = more_outputs(names.into_iter());
        let added = fields(&more, GRAPH).into_iter().flat_map(|graph| fields(graph, GRAPH_OUTPUT)).count();
        assert_eq!(added, 5);
    }
}
