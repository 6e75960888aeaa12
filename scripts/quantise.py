"""Eight-bit convolutions for a translated network: what ONNX Runtime runs twice as fast where the CPU has VNNI.

In: the nodes and float32 initializers of a translation, and the smallest and largest value each tensor beside a
    convolution takes (`models/*.ranges.json`, measured once by scripts/measure_ranges.py).
Out: the same network, in which every convolution reads and writes 8-bit integers through QuantizeLinear and
    DequantizeLinear, so that the runtime fuses it into an integer one. Everything between convolutions stays float32.
Invariant: the same input gives the same bytes on every machine: ranges are given, not measured here, and the rest is
    arithmetic in double precision.

Weights have 7 bits, per output channel: two products of an unsigned byte and 63 fit 16 bits, in which older CPUs add
them (2 x 255 x 63 = 32130), so that AVX2, VNNI and Arm give the same sums.

Source: ONNX operator definitions, opset 13 (QuantizeLinear, DequantizeLinear); Jacob et al., Quantization and
    Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference, 2018 (affine scheme, bias scale).
"""
FLOAT, UINT8, INT8, INT32 = 1, 2, 3, 6  # TensorProto.DataType
WEIGHT_MAX, BIAS_MAX, LEVELS = 63, 2**31 - 1, 255


def quantise(nodes, initializers, ranges, make_node):
    """`(nodes, initializers)` with eight-bit convolutions; `make_node(kind, inputs, outputs, attributes)` makes one."""
    return Quantiser(nodes, initializers, ranges, make_node).run()


class Quantiser:
    def __init__(self, nodes, initializers, ranges, make_node):
        self.source, self.ranges, self.make_node = nodes, ranges, make_node
        self.floats = {name: (shape, values) for name, shape, values, _ in initializers}
        self.kept = {tensor[0]: tensor for tensor in initializers}
        self.nodes, self.added, self.bytes_of = [], [], {}

    def run(self):
        for node in self.source:
            if node.kind == "Conv":
                self.convolution(node)
            else:
                self.nodes.append(node)
        return self.nodes, list(self.kept.values()) + self.added

    def convolution(self, node):
        source, weights, *bias = node.inputs
        output, wide = node.outputs[0], node.outputs[0] + "_wide"
        scale, _ = self.scale(source)
        inputs = [self.narrowed(source, source + "_narrow")]
        narrow_weights, scales = self.weights(weights)
        inputs += [narrow_weights] + [self.bias(name, [scale * own for own in scales]) for name in bias]
        self.nodes.append(self.make_node("Conv", inputs, [wide], node.attributes))
        self.narrowed(wide, output, output)

    def scale(self, tensor):
        """Step and zero point of an unsigned byte that holds this tensor; zero itself is always held exactly."""
        low, high = (float(bound) for bound in self.ranges[tensor])
        low, high = min(low, 0.0), max(high, 0.0)
        step = (high - low) / LEVELS or 1.0
        return step, min(max(round(-low / step), 0), LEVELS)

    def narrowed(self, tensor, output, measured=None):
        """The tensor through a byte and back; made once."""
        if tensor not in self.bytes_of:
            step, zero = self.scale(measured or tensor)
            constants = [self.constant(f"{output}_step", (), [step], FLOAT), self.constant(f"{output}_zero", (), [zero], UINT8)]
            self.nodes.append(self.make_node("QuantizeLinear", [tensor, *constants], [f"{output}_byte"], {}))
            self.nodes.append(self.make_node("DequantizeLinear", [f"{output}_byte", *constants], [output], {}))
            self.bytes_of[tensor] = output
        return self.bytes_of[tensor]

    def weights(self, name):
        """`(name, scale per output channel)` of the weights as integers."""
        shape, values = self.floats[name]
        channels, size = shape[0], len(values) // shape[0]
        rows = [values[channel * size : (channel + 1) * size] for channel in range(channels)]
        scales = [max(map(abs, row)) / WEIGHT_MAX or 1.0 for row in rows]
        whole = [round(value / scale) for row, scale in zip(rows, scales) for value in row]
        return self.widened(name, shape, whole, scales, INT8), scales

    def bias(self, name, scales):
        shape, values = self.floats[name]
        whole = [max(-BIAS_MAX, min(BIAS_MAX, round(value / scale))) for value, scale in zip(values, scales)]
        return self.widened(name, shape, whole, scales, INT32)

    def widened(self, name, shape, whole, scales, data_type):
        """Integers per channel in place of a float constant, and the node that gives the floats back."""
        self.kept.pop(name)
        constants = [
            self.constant(f"{name}_whole", shape, whole, data_type),
            self.constant(f"{name}_steps", (len(scales),), scales, FLOAT),
            self.constant(f"{name}_zeros", (len(scales),), [0] * len(scales), data_type),
        ]
        self.nodes.append(self.make_node("DequantizeLinear", constants, [f"{name}_float"], {"axis": 0}))
        return f"{name}_float"

    def constant(self, name, shape, values, data_type):
        self.added.append((name, shape, values, data_type))
        return name
