//! Networks written by the test itself: graphs that answer every picture with the same, known outputs.
//!
//! In: names, extents and values of outputs. Out: the bytes of an ONNX file that any runtime takes, and a card for it.
//! Source: `onnx.proto3`; every output is an initializer behind an Identity.

use sha2::{Digest, Sha256};

use super::folder::Folder;

/// Values of an output.
#[derive(Clone)]
pub enum Values {
    /// 32-bit floats.
    Floats(Vec<f32>),
    /// Whole numbers, 64 bits.
    Whole(Vec<i64>),
}

/// A network that always answers the same.
#[derive(Clone)]
pub struct Network {
    /// Extents of its picture input `images`.
    pub picture: [u64; 4],
    /// Whether it also takes `orig_target_sizes`.
    pub takes_size: bool,
    /// Version of the standard operators.
    pub opset: u64,
    /// Names, extents and values of its outputs.
    pub outputs: Vec<(&'static str, Vec<u64>, Values)>,
    /// Whether the first output's values are said to lie in another file.
    pub is_external: bool,
}

/// Height and width of the pictures that [`Network`]s take, px: those of the drawn room.
pub const HEIGHT: u64 = 96;
/// As [`HEIGHT`].
pub const WIDTH: u64 = 128;

impl Network {
    /// A network with these outputs of floats.
    pub fn answering(outputs: Vec<(&'static str, Vec<u64>, Values)>) -> Self {
        Self { picture: [1, 3, HEIGHT, WIDTH], takes_size: false, opset: 13, outputs, is_external: false }
    }

    /// The ONNX file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut graph = Vec::new();
        for (name, ..) in &self.outputs {
            let node = [text(1, &format!("{name}_held")), text(2, name), text(4, "Identity")].concat();
            graph.extend(inside(1, &node));
        }
        graph.extend(text(2, "drawn"));
        for (index, (name, extents, values)) in self.outputs.iter().enumerate() {
            graph.extend(inside(5, &self.held(index == 0, &format!("{name}_held"), extents, values)));
        }
        graph.extend(inside(11, &port("images", FLOAT, &self.picture)));
        if self.takes_size {
            graph.extend(inside(11, &port("orig_target_sizes", INT64, &[1, 2])));
        }
        for (name, extents, values) in &self.outputs {
            graph.extend(inside(12, &port(name, values.element(), extents)));
        }
        let opset = inside(8, &number(2, self.opset));
        [number(1, 8), inside(7, &graph), opset].concat()
    }

    fn held(&self, is_first: bool, name: &str, extents: &[u64], values: &Values) -> Vec<u8> {
        let mut tensor: Vec<u8> = extents.iter().flat_map(|extent| number(1, *extent)).collect();
        tensor.extend(number(2, values.element()));
        tensor.extend(text(8, name));
        if self.is_external && is_first {
            let entry = [text(1, "location"), text(2, "weights.bin")].concat();
            tensor.extend(inside(13, &entry));
            tensor.extend(number(14, 1));
        } else {
            tensor.extend(inside(9, &values.raw()));
        }
        tensor
    }

    /// Writes the file and a card beside it; `lines` are the card's own: head, strides and what else it needs.
    pub fn write(&self, folder: &Folder, name: &str, lines: &str) -> String {
        let bytes = self.bytes();
        let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let card = format!(
            "name = \"drawn\"\nfile = \"{name}\"\nsha256 = \"{sha256}\"\nbytes = {}\nlicence = \"0BSD\"\nsource = \"this test\"\n\
             input = \"images\"\nfixed = {{ height = {HEIGHT}, width = {WIDTH} }}\ncolor = \"bgr\"\nmean = [0.0, 0.0, 0.0]\n\
             std = [1.0, 1.0, 1.0]\nfit = \"stretch\"\npad = 0\nscore = {{ low = 0.1, high = 0.4, birth = 0.5 }}\n{lines}\n",
            bytes.len()
        );
        folder.write(&format!("{name}.card.toml"), card);
        folder.write(name, bytes)
    }
}

impl Values {
    fn element(&self) -> u64 {
        match self {
            Self::Floats(_) => FLOAT,
            Self::Whole(_) => INT64,
        }
    }

    fn raw(&self) -> Vec<u8> {
        match self {
            Self::Floats(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Self::Whole(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        }
    }
}

fn port(name: &str, element: u64, extents: &[u64]) -> Vec<u8> {
    let shape: Vec<u8> = extents.iter().flat_map(|extent| inside(1, &number(1, *extent))).collect();
    let tensor = inside(1, &[number(1, element), inside(2, &shape)].concat());
    [text(1, name), inside(2, &tensor)].concat()
}

fn text(field: u64, value: &str) -> Vec<u8> {
    inside(field, value.as_bytes())
}

fn inside(field: u64, bytes: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        bytes.push(if value == 0 { low } else { low | 0x80 });
        if value == 0 {
            return bytes;
        }
    }
}

/// `TensorProto.DataType`.
const FLOAT: u64 = 1;
const INT64: u64 = 7;
