#!/usr/bin/env python3
"""The smallest and largest value of each tensor beside a convolution, over a set of pictures: what quantise.py needs.

    measure_ranges.py MODEL.onnx RANGES.json --pictures "where they come from" PICTURE_OR_CLIP...

In: a 32-bit network made by tfjs_to_onnx.py; pictures, and clips of which every 40th frame is taken.
Out: RANGES.json, ranges rounded to four digits. A tool of the maker: set-up never runs it, the result is checked in.
Needs numpy, onnx, onnxruntime and opencv-python from PyPI.
"""
import argparse
import json

import cv2
import numpy
import onnx
import onnxruntime

HEIGHT, WIDTH = 320, 416
MEAN, STD = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)  # models/nanodet-g.card.toml
EVERY, FIRST = 40, 3  # evaluation looks at every 5th frame from the first on: none of these


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("model")
    args.add_argument("out")
    args.add_argument("--pictures", required=True, help="origin of the pictures, for the file")
    args.add_argument("sources", nargs="+")
    args = args.parse_args()
    model = onnx.load(args.model)
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    names = list(dict.fromkeys(name for node in convolutions for name in (node.input[0], node.output[0])))
    measured = [name for name in names if name != "images"]
    del model.graph.output[:]
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in measured)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    ranges, count = {}, 0
    for picture in pictures(args.sources):
        tensor, count = placed(picture), count + 1
        for name, values in [("images", tensor), *zip(measured, session.run(measured, {"images": tensor}))]:
            low, high = ranges.get(name, (0.0, 0.0))
            ranges[name] = min(low, float(values.min())), max(high, float(values.max()))
    rounded = {name: [float(f"{bound:.4g}") for bound in ranges[name]] for name in names}
    with open(args.out, "w", encoding="utf-8") as file:
        rows = ",\n".join(f"    {json.dumps(name)}: {json.dumps(bounds)}" for name, bounds in rounded.items())
        about = f"{count} pictures at {HEIGHT}x{WIDTH}: {args.pictures}"
        file.write(f'{{\n  "measured_on": {json.dumps(about)},\n  "ranges": {{\n{rows}\n  }}\n}}\n')


def pictures(sources):
    for source in sources:
        picture = cv2.imread(source)
        if picture is not None:
            yield picture
            continue
        clip, number = cv2.VideoCapture(source), 0
        while clip.grab():
            if number % EVERY == FIRST:
                yield clip.retrieve()[1]
            number += 1


def placed(picture):
    """Letterboxed into the middle, black border, mean and deviation taken out: [1, 3, H, W]."""
    height, width = picture.shape[:2]
    scale = min(HEIGHT / height, WIDTH / width)
    size = round(width * scale), round(height * scale)
    canvas = numpy.zeros((HEIGHT, WIDTH, 3), numpy.float32)
    top, left = (HEIGHT - size[1]) // 2, (WIDTH - size[0]) // 2
    canvas[top : top + size[1], left : left + size[0]] = cv2.resize(picture, size)
    canvas = (canvas - numpy.array(MEAN, numpy.float32)) / numpy.array(STD, numpy.float32)
    return numpy.ascontiguousarray(canvas.transpose(2, 0, 1)[None])


if __name__ == "__main__":
    main()
