#!/usr/bin/env python3
"""TensorFlow.js graph model to ONNX: turns the packaged NanoDet into the file our runtime loads.

In: MODEL.json, the weight files it names lying beside it; float32, float16 or affine uint8/uint16 weights.
    The network must take NCHW pictures and speak in pairs of scores and distances, one pair per stride.
    With --ranges, the smallest and largest value of each tensor beside a convolution: convolutions become 8-bit.
Out: OUT.onnx, opset 13. Input `images` f32 [1, 3, height, width], both sizes symbolic, multiples of the largest
    stride. Outputs per stride s: `scores_s` f32 [1, cells, classes], sigmoid done, and `distances_s`
    f32 [1, cells, 4 x bins], raw; cells row by row, (height / s) * (width / s) of them.
Invariant: the same input gives the same bytes on every machine; only Python's standard library (3.9+) is used.
    What is not understood stops with its name and leaves no file.

TensorFlow computes in NHWC, so this network is full of transposes that undo each other. None is copied: a `View`
remembers in which order TensorFlow sees the axes of an NCHW value. Padding goes into the convolution or pooling
that follows and a bias into the convolution before it. Sizes that were fixed at export become ratios.

Source: ONNX operator definitions, opset 13, and onnx.proto3; TensorFlow's graph.proto; TensorFlow.js converter,
    weight manifest and quantisation; Li et al., Generalized Focal Loss, 2020 (the pairs).
"""
import argparse
import base64
import json
import math
import os
import struct
import sys
from dataclasses import dataclass, replace

from quantise import FLOAT, INT8, INT32, UINT8, quantise


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("model", metavar="MODEL.json")
    args.add_argument("out", metavar="OUT.onnx")
    args.add_argument("--ranges", metavar="RANGES.json", help="make the convolutions 8-bit (scripts/quantise.py)")
    args = args.parse_args()
    try:
        with open(args.model, encoding="utf-8") as file:
            description = json.load(file)
        constants = read_weights(description["weightsManifest"], os.path.dirname(os.path.abspath(args.model)))
        translation = Translation(description, constants)
        if args.ranges:
            with open(args.ranges, encoding="utf-8") as file:
                ranges = json.load(file)["ranges"]
            translation.nodes, translation.initializers = quantise(
                translation.nodes, translation.initializers, ranges, Node
            )
        model = encode_model(translation)
    except (Unsupported, OSError, KeyError, ValueError, struct.error) as error:
        sys.exit(f"tfjs_to_onnx: {args.model}: {type(error).__name__}: {error}")
    write_whole(args.out, model)


class Unsupported(Exception):
    """Something in the model that this converter does not know."""


# ---- reading: weights ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Constant:
    """A tensor known beforehand, row-major, in TensorFlow's axis order."""

    shape: tuple
    values: tuple

    def scalar(self):
        (value,) = self.values
        return value


def read_weights(manifest, folder):
    """All constants by node name; every byte of the weight files must be accounted for."""
    constants = {}
    for group in manifest:
        data, at = b"".join(read_bytes(os.path.join(folder, path)) for path in group["paths"]), 0
        for entry in group["weights"]:
            count = math.prod(entry["shape"])
            stored = entry.get("quantization", entry)["dtype"]
            if stored not in STORED_AS:
                raise Unsupported(f"weights stored as {stored}")
            layout = f"<{count}{STORED_AS[stored]}"
            values = struct.unpack_from(layout, data, at)
            at += struct.calcsize(layout)
            values = dequantise(values, entry.get("quantization", {}))
            constants[entry["name"]] = Constant(tuple(entry["shape"]), values)
        if at != len(data):
            raise ValueError(f"weight files hold {len(data)} bytes, the manifest tells of {at}")
    return constants


def dequantise(values, quantization):
    """Affine quantisation undone; float16 was widened while unpacking."""
    if "scale" not in quantization:
        return values
    scale, low = quantization["scale"], quantization["min"]
    return tuple(value * scale + low for value in values)


def read_bytes(path):
    with open(path, "rb") as file:
        return file.read()


# ---- translating: nodes ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class View:
    """An ONNX value as TensorFlow sees it: TensorFlow's axis k is the value's axis `order[k]`."""

    name: str
    shape: tuple  # at the size of export, in the value's own axis order
    order: tuple
    border: tuple = ()  # ((before, after) per own axis), padding that its reader has to apply
    border_value: float = 0.0
    is_probability: bool = False

    def transposed(self, permutation):
        return replace(self, order=tuple(self.order[axis] for axis in permutation))

    def spatial_border(self):
        """Padding as ONNX wants it for H and W: both befores, then both afters."""
        border = self.border or ((0, 0),) * 4
        if any(map(any, border[:2])):
            raise Unsupported("padding of the batch or channel axis")
        return [border[2][0], border[3][0], border[2][1], border[3][1]]


@dataclass
class Node:
    """One ONNX operator to be; its bias may still be appended to `inputs`."""

    kind: str
    inputs: list
    outputs: list
    attributes: dict


class Translation:
    """Walks the TensorFlow graph from its outputs upwards and lists the ONNX nodes in running order."""

    def __init__(self, description, constants):
        self.graph = {node["name"]: node for node in description["modelTopology"]["node"]}
        self.constants, self.views = constants, {}
        self.nodes, self.initializers = [], []
        self.readers = {}
        for node in self.graph.values():
            for reference in node.get("input", []):
                self.readers[reference] = self.readers.get(reference, 0) + 1
        self.size_px = None  # (height, width) at export
        outputs = [self.view(name.split(":")[0]) for name in sorted(description["signature"]["outputs"])]
        self.outputs = self.name_outputs(outputs)

    def name_outputs(self, views):
        """`(name, cells, channels)` by stride, scores first; each named value gets an Identity of its own."""
        rows = []
        for view in views:
            cells, channels = view.shape[view.order[1]], view.shape[view.order[2]]
            stride = math.isqrt(self.size_px[0] * self.size_px[1] // cells)
            name = f"{'scores' if view.is_probability else 'distances'}_{stride}"
            rows.append((stride, not view.is_probability, name, channels, view))
        rows.sort(key=lambda row: row[:2])
        if len({row[2] for row in rows}) != len(rows):
            raise Unsupported(f"outputs that are no pairs per stride: {[row[2] for row in rows]}")
        for _, _, name, _, view in rows:
            self.nodes.append(Node("Transpose", [view.name], [name], {"perm": list(view.order)}))
        return [(name, f"cells_{stride}", channels) for stride, _, name, channels, _ in rows]

    def view(self, reference):
        """The translated value behind `node` or `node:index`."""
        name, _, index = reference.partition(":")
        if name not in self.views:
            node = self.graph[name]
            translate = TRANSLATORS.get(node["op"])
            if translate is None:
                raise Unsupported(f"operator {node['op']} ({name})")
            made = translate(self, node, node.get("input", []), node.get("attr", {}))
            self.views[name] = made if isinstance(made, list) else [made]
        return self.views[name][int(index or 0)]

    def plain(self, reference):
        """As `view`, for readers that cannot apply a pending border."""
        view = self.view(reference)
        if view.border:
            raise Unsupported(f"padding before anything but a convolution or pooling ({reference})")
        return view

    def pictures(self, reference):
        """As `view`, for readers that work on pictures: TensorFlow must see NHWC, so that ours is NCHW."""
        view = self.view(reference)
        if view.order != NHWC:
            raise Unsupported(f"a picture whose axes lie as {view.order} ({reference})")
        return view

    def constant(self, reference):
        """The value of a constant expression, or None; the exporter left sums of shapes behind."""
        if reference in self.constants:
            return self.constants[reference]
        node = self.graph.get(reference, {"op": ""})
        parts = [self.constant(part) for part in node.get("input", [])] if node["op"] in FOLDABLE else [None]
        return None if None in parts else FOLDABLE[node["op"]](*parts)

    def known(self, reference):
        """As `constant`, where there must be one."""
        value = self.constant(reference)
        if value is None:
            raise Unsupported(f"{reference} is no constant")
        return value

    def emit(self, kind, inputs, count=1, **attributes):
        """Adds a node; the name of its output, or their list."""
        stem = f"{kind.lower()}_{len(self.nodes)}"
        outputs = [stem] if count == 1 else [f"{stem}_{index}" for index in range(count)]
        self.nodes.append(Node(kind, list(inputs), outputs, attributes))
        return outputs[0] if count == 1 else outputs

    def initializer(self, shape, values, data_type):
        name = f"constant_{len(self.initializers)}"
        self.initializers.append((name, shape, values, data_type))
        return name

    # -- one method per TensorFlow operator; `view` finds them through TRANSLATORS

    def placeholder(self, node, _inputs, attributes):
        shape = tuple(int(dim["size"]) for dim in attributes["shape"]["shape"]["dim"])
        if self.size_px or len(shape) != 4 or shape[1] != 3:
            raise Unsupported(f"input {node['name']} {list(shape)}: one NCHW picture of 3 channels is expected")
        self.size_px = shape[2:]
        return View(INPUT, (1,) + shape[1:], (0, 1, 2, 3))

    def identity(self, _node, inputs, _attributes):
        return self.plain(inputs[0])

    def transpose(self, _node, inputs, _attributes):
        return self.view(inputs[0]).transposed(self.known(inputs[1]).values)

    def pad(self, node, inputs, _attributes):
        view, amounts = self.plain(inputs[0]), self.known(inputs[1]).values
        border = [(0, 0)] * len(view.order)
        for axis, own_axis in enumerate(view.order):
            border[own_axis] = (amounts[2 * axis], amounts[2 * axis + 1])
        value = self.known(inputs[2]).scalar() if node["op"] == "PadV2" else 0.0
        return replace(view, border=tuple(border), border_value=value)

    def convolve(self, node, inputs, attributes):
        source, kernel = self.pictures(inputs[0]), self.known(inputs[1])
        if source.border and source.border_value != 0:
            raise Unsupported(f"a convolution with a border of {source.border_value} ({node['name']})")
        weights = self.initializer(*hwio_to_oihw(kernel), FLOAT)
        window = dict(kernel_shape=list(kernel.shape[:2]), **window_attributes(node, attributes, source))
        window["dilations"] = spatial(attributes["dilations"])
        name = self.emit("Conv", [source.name, weights], **window)
        return View(name, (1, kernel.shape[3], *window_size(source, window)), NHWC)

    def max_pool(self, node, inputs, attributes):
        source = self.pictures(inputs[0])
        if source.border and source.border_value > LOWEST_F16:
            raise Unsupported(f"a pooling with a border of {source.border_value} ({node['name']})")
        window = dict(kernel_shape=spatial(attributes["ksize"]), **window_attributes(node, attributes, source))
        name = self.emit("MaxPool", [source.name], **window)
        return View(name, (*source.shape[:2], *window_size(source, window)), NHWC)

    def leaky_relu(self, _node, inputs, attributes):
        source = self.plain(inputs[0])
        return replace(source, name=self.emit("LeakyRelu", [source.name], alpha=float(attributes["alpha"]["f"])))

    def sigmoid(self, _node, inputs, _attributes):
        source = self.plain(inputs[0])
        return replace(source, name=self.emit("Sigmoid", [source.name]), is_probability=True)

    def add(self, node, inputs, _attributes):
        left, bias = self.plain(inputs[0]), self.constant(inputs[1])
        if bias:
            return self.add_bias(node, inputs[0], left, bias)
        right = self.plain(inputs[1])
        if left.order != right.order or left.shape != right.shape:
            raise Unsupported(f"a sum of unequal shapes ({node['name']})")
        return replace(left, name=self.emit("Add", [left.name, right.name]))

    def add_bias(self, node, reference, source, bias):
        """A bias belongs into the convolution before it, if nobody else reads that one's result."""
        convolution = next((made for made in self.nodes if source.name in made.outputs), None)
        is_bias = convolution and convolution.kind == "Conv" and bias.shape == source.shape[1:2]
        if not is_bias or self.readers[reference] > 1:
            raise Unsupported(f"a constant summand that is no bias ({node['name']})")
        convolution.inputs.append(self.initializer(bias.shape, bias.values, FLOAT))
        return source

    def concatenate(self, node, inputs, _attributes):
        parts = [self.plain(reference) for reference in inputs[:-1]]
        axis = parts[0].order[self.known(inputs[-1]).scalar()]
        if len({part.order for part in parts}) > 1:
            raise Unsupported(f"a concatenation of mixed layouts ({node['name']})")
        shape = list(parts[0].shape)
        shape[axis] = sum(part.shape[axis] for part in parts)
        return View(self.emit("Concat", [part.name for part in parts], axis=axis), tuple(shape), parts[0].order)

    def split(self, _node, inputs, _attributes):
        source, sizes = self.plain(inputs[0]), self.known(inputs[1]).values
        axis = source.order[self.known(inputs[2]).scalar()]
        names = self.emit("Split", [source.name, self.initializer((len(sizes),), sizes, INT64)], len(sizes), axis=axis)
        shapes = [source.shape[:axis] + (size,) + source.shape[axis + 1:] for size in sizes]
        return [replace(source, name=name, shape=shape) for name, shape in zip(names, shapes)]

    def reshape(self, node, inputs, _attributes):
        source, target = self.plain(inputs[0]), self.known(inputs[1])
        if list(target.values).count(-1) != 1 or source.order != tuple(range(len(source.order))):
            raise Unsupported(f"a reshape to a fixed size ({node['name']})")
        known = -math.prod(target.values)
        shape = tuple(math.prod(source.shape) // known if size == -1 else size for size in target.values)
        name = self.emit("Reshape", [source.name, self.initializer(target.shape, target.values, INT64)])
        return replace(source, name=name, shape=shape, order=tuple(range(len(shape))))

    def resize(self, node, inputs, attributes):
        """The size was fixed at export; the ratio to the size before it holds at every size."""
        source, target = self.pictures(inputs[0]), self.known(inputs[1]).values
        is_half_pixel = attributes.get("half_pixel_centers", {}).get("b", False)
        if source.border or attributes.get("align_corners", {}).get("b", False) or not is_half_pixel:
            raise Unsupported(f"a resize that is not by half-pixel centres ({node['name']})")
        ratios = (1.0, 1.0, target[0] / source.shape[2], target[1] / source.shape[3])
        inputs = [source.name, "", self.initializer((4,), ratios, FLOAT)]
        name = self.emit("Resize", inputs, mode="linear", coordinate_transformation_mode="half_pixel")
        return View(name, (*source.shape[:2], *target), NHWC)


def window_attributes(node, attributes, source):
    """Strides and padding; the exporter pads by hand and then asks for VALID."""
    if base64.b64decode(attributes["padding"]["s"]) != b"VALID":
        raise Unsupported(f"padding other than VALID ({node['name']})")
    return {"strides": spatial(attributes["strides"]), "pads": source.spatial_border()}


def window_size(source, window):
    """Height and width at export after a sliding window."""
    size = []
    for axis in (0, 1):
        dilation = window.get("dilations", (1, 1))[axis]
        reach = dilation * (window["kernel_shape"][axis] - 1) + 1
        padded = source.shape[2 + axis] + window["pads"][axis] + window["pads"][2 + axis]
        size.append((padded - reach) // window["strides"][axis] + 1)
    return size


def spatial(attribute):
    """H and W of a TensorFlow list attribute, which is NHWC."""
    return [int(value) for value in attribute["list"]["i"][1:3]]


def hwio_to_oihw(kernel):
    """Kernel weights from TensorFlow's order to ONNX's: `(shape, values)`."""
    height, width, inputs, outputs = kernel.shape
    values = []
    for output in range(outputs):
        of_output = kernel.values[output::outputs]
        for channel in range(inputs):
            values += of_output[channel::inputs]
    return (outputs, inputs, height, width), values


def fold_sum(left, right):
    if left.shape != right.shape:
        raise Unsupported("a constant sum of unequal shapes")
    return Constant(left.shape, tuple(a + b for a, b in zip(left.values, right.values)))


def fold_sparse(indices, shape, _values, default):
    if indices.values:
        raise Unsupported("a sparse constant that is not empty")
    return Constant(shape.values, default.values * math.prod(shape.values))


# ---- writing: ONNX as protocol buffers, field numbers from onnx.proto3 -------------------------------------------


def encode_model(translation):
    graph = b"".join(field(1, encode_node(index, node)) for index, node in enumerate(translation.nodes))
    graph += field(2, "nanodet")
    graph += b"".join(field(5, encode_tensor(*tensor)) for tensor in translation.initializers)
    graph += field(11, encode_value(INPUT, (1, 3, "height", "width")))
    graph += b"".join(field(12, encode_value(name, (1, *shape))) for name, *shape in translation.outputs)
    opset = field(1, "") + field(2, 13)
    return field(1, 8) + field(2, "tfjs_to_onnx") + field(7, graph) + field(8, opset)


def encode_node(index, node):
    wires = b"".join(field(1, name) for name in node.inputs) + b"".join(field(2, name) for name in node.outputs)
    attributes = b"".join(field(5, encode_attribute(name, value)) for name, value in sorted(node.attributes.items()))
    return wires + field(3, f"{node.kind}_{index}") + field(4, node.kind) + attributes


def encode_attribute(name, value):
    if isinstance(value, float):
        return field(1, name) + field(2, value) + field(20, 1)
    if isinstance(value, int):
        return field(1, name) + field(3, value) + field(20, 2)
    if isinstance(value, str):
        return field(1, name) + field(4, value) + field(20, 3)
    return field(1, name) + b"".join(field(8, item) for item in value) + field(20, 7)


def encode_tensor(name, shape, values, data_type):
    raw = struct.pack(f"<{len(values)}{PACKED_AS[data_type]}", *values)
    return b"".join(field(1, size) for size in shape) + field(2, data_type) + field(8, name) + field(9, raw)


def encode_value(name, shape):
    dims = b"".join(field(1, field(2 if isinstance(size, str) else 1, size)) for size in shape)
    return field(1, name) + field(2, field(1, field(1, FLOAT) + field(2, dims)))


def field(number, value):
    """One protobuf field: int as varint, float as 32 bits, str and bytes with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value & 0xFFFF_FFFF_FFFF_FFFF)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def write_whole(path, data):
    """The file is there whole or not at all."""
    part = f"{path}.{os.getpid()}.tmp"
    try:
        with open(part, "wb") as file:
            file.write(data)
        os.replace(part, path)
    finally:
        if os.path.exists(part):
            os.remove(part)


INPUT = "images"
INT64 = 7  # TensorProto.DataType
PACKED_AS = {FLOAT: "f", UINT8: "B", INT8: "b", INT32: "i", INT64: "q"}
NHWC = (0, 2, 3, 1)  # TensorFlow's N, H, W, C as axes of an NCHW value
LOWEST_F16 = -65504.0  # nothing a float16 network computes lies below it
STORED_AS = {"float32": "f", "float16": "e", "int32": "i", "uint8": "B", "uint16": "H"}
FOLDABLE = {"AddV2": fold_sum, "SparseToDense": fold_sparse}
TRANSLATORS = {
    "Placeholder": Translation.placeholder,
    "Identity": Translation.identity,
    "Transpose": Translation.transpose,
    "Pad": Translation.pad,
    "PadV2": Translation.pad,
    "Conv2D": Translation.convolve,
    "MaxPool": Translation.max_pool,
    "LeakyRelu": Translation.leaky_relu,
    "Sigmoid": Translation.sigmoid,
    "Add": Translation.add,
    "AddV2": Translation.add,
    "ConcatV2": Translation.concatenate,
    "SplitV": Translation.split,
    "Reshape": Translation.reshape,
    "ResizeBilinear": Translation.resize,
}

if __name__ == "__main__":
    main()
