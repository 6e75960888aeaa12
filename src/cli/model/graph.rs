//! What an ONNX file says of itself before any runtime reads it: its opset, and whether its weights lie elsewhere.
//!
//! In: the bytes of a file. Out: [`Graph`], or why they are no ONNX model. Only the few fields needed are walked.
//! Invariants: every length is checked against what is left, nesting is bounded, nothing is allocated from a number
//! in the file; no bytes make it panic (property `garbage_is_refused_and_never_panics`).
//! Source: `onnx.proto3` of ONNX 1.19, and the protobuf wire format.

/// What a model file says of itself.
#[derive(Debug, PartialEq, Eq)]
pub struct Graph {
    /// Version of the standard operators; 0 where the file names none.
    pub opset: u64,
    /// The first tensor whose values lie in another file.
    pub external: Option<String>,
}

/// Reads what a file says of itself.
///
/// # Errors
/// In words, where the bytes are no ONNX model.
pub fn read(bytes: &[u8]) -> Result<Graph, &'static str> {
    let mut graph = Graph { opset: 0, external: None };
    let mut has_graph = false;
    for field in Fields(bytes) {
        match field? {
            (8, Value::Bytes(import)) => graph.opset = graph.opset.max(standard_opset(import)?),
            (7, Value::Bytes(_)) => has_graph = true,
            _ => {}
        }
    }
    if !has_graph {
        return Err("no graph inside");
    }
    graph.external = external(bytes, Message::Model, 0)?;
    Ok(graph)
}

/// Version of an operator set, where it is the standard one (its domain is empty or "ai.onnx").
fn standard_opset(bytes: &[u8]) -> Result<u64, &'static str> {
    let (mut version, mut is_standard) = (0, true);
    for field in Fields(bytes) {
        match field? {
            (1, Value::Bytes(domain)) => is_standard = domain.is_empty() || domain == b"ai.onnx",
            (2, Value::Number(number)) => version = number,
            _ => {}
        }
    }
    Ok(if is_standard { version } else { 0 })
}

/// Messages of `onnx.proto3` that can hold a tensor.
#[derive(Clone, Copy)]
enum Message {
    Model,
    Training,
    Graph,
    Function,
    Node,
    Attribute,
    Sparse,
    Tensor,
}

impl Message {
    /// The message in a field of this number, where it can hold a tensor.
    fn inside(self, field: u64) -> Option<Self> {
        match (self, field) {
            (Self::Model, 7) | (Self::Training, 1 | 2) | (Self::Attribute, 6 | 11) => Some(Self::Graph),
            (Self::Model, 20) => Some(Self::Training),
            (Self::Model, 25) => Some(Self::Function),
            (Self::Graph, 1) | (Self::Function, 7) => Some(Self::Node),
            (Self::Node, 5) | (Self::Function, 11) => Some(Self::Attribute),
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) | (Self::Sparse, 1 | 2) => Some(Self::Tensor),
            (Self::Graph, 15) | (Self::Attribute, 22 | 23) => Some(Self::Sparse),
            _ => None,
        }
    }
}

/// Name of the first tensor in `bytes` whose values lie in another file.
fn external(bytes: &[u8], message: Message, depth: u32) -> Result<Option<String>, &'static str> {
    if depth > DEPTH_MAX {
        return Err("nested too deeply");
    }
    let (mut name, mut is_external) = (String::new(), false);
    for field in Fields(bytes) {
        match (message, field?) {
            (Message::Tensor, (8, Value::Bytes(bytes))) => {
                name = String::from_utf8_lossy(bytes).chars().filter(|c| !c.is_control()).take(NAME_CHARS).collect();
            }
            (Message::Tensor, (13, Value::Bytes(_)) | (14, Value::Number(1..))) => is_external = true,
            (_, (number, Value::Bytes(inner))) => {
                let Some(inside) = message.inside(number) else { continue };
                let found = external(inner, inside, depth + 1)?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            _ => {}
        }
    }
    Ok(is_external.then_some(name))
}

/// The fields of one message, in the order of the file.
struct Fields<'a>(&'a [u8]);

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// Four or eight bytes that nothing here needs.
    Fixed,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or("truncated, or not written as protobuf"))
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Number(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            _ => return None,
        };
        (key >> 3 != 0).then_some((key >> 3, value))
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

/// Deepest nesting of messages; graphs within graphs within graphs are no detectors.
const DEPTH_MAX: u32 = 40;

/// Longest tensor name shown.
const NAME_CHARS: usize = 80;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A field with bytes in it.
    fn holding(number: u8, bytes: &[u8]) -> Vec<u8> {
        let length = u8::try_from(bytes.len()).expect("small");
        [&[number << 3 | 2, length], bytes].concat()
    }

    #[test]
    fn the_opset_is_that_of_the_standard_operators() {
        let own = holding(8, &[holding(1, b"com.microsoft"), vec![0x10, 99]].concat());
        let standard = holding(8, &[0x10, 17]);
        let model = [own, standard, holding(7, &[])].concat();
        assert_eq!(read(&model), Ok(Graph { opset: 17, external: None }));
    }

    #[test]
    fn a_tensor_that_lies_elsewhere_is_found_wherever_it_is_named() {
        let tensor = [holding(8, b"weights"), vec![14 << 3, 1]].concat();
        let in_initializers = holding(7, &holding(5, &tensor));
        let in_a_constant = holding(7, &holding(1, &holding(5, &holding(5, &tensor))));
        for model in [in_initializers, in_a_constant] {
            assert_eq!(read(&model).map(|graph| graph.external), Ok(Some("weights".to_owned())));
        }
    }

    #[test]
    fn nesting_ends_somewhere() {
        // A constant in a graph in an attribute of a node in a graph, and so on.
        let mut graph = Vec::new();
        for _ in 0..20 {
            graph = holding(1, &holding(5, &holding(6, &graph)));
            if graph.len() > 120 {
                break;
            }
        }
        let deep = holding(7, &graph);
        assert!(read(&deep).is_ok() || read(&deep) == Err("nested too deeply"));
        assert_eq!(external(&[], Message::Graph, DEPTH_MAX + 1), Err("nested too deeply"));
    }

    proptest! {
        #[test]
        fn garbage_is_refused_and_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            // Whatever it says, it says something.
            let _ = read(&bytes);
            let _ = read(&holding(7, &bytes[..bytes.len().min(100)]));
        }

        #[test]
        fn a_model_cut_short_is_refused(cut in 1usize..60) {
            let model = holding(7, &holding(5, &[7; 64]));
            prop_assert!(read(&model[..model.len() - cut]).is_err());
        }
    }
}
