"""Segments an image with a fully convolutional network, and plots what it found.

    predict.py TILE MODEL

TILE is an image in any format that Pillow reads. MODEL is a JSON document:

    {"scale": 255,
     "layers": [{"weight": [output][input][row][column], "bias": [output]}, ...],
     "classes": [{"name": "water", "colour": "#3060c0"}, ...]}

Each layer is a convolution that keeps the size; a ReLU goes between layers, and a softmax over the classes after the last
one. It writes result.json, classes.png and plot.png beside itself.
"""

import json
import sys

import numpy as np
from PIL import Image, ImageDraw

# Rows at once: what a layer keeps in memory does not grow with the height of the tile.
STRIP = 256


def convolve(image, layer):
    """A convolution of [row, column, input], with the edge repeated outwards."""
    weight, bias = np.asarray(layer["weight"], np.float32), np.asarray(layer["bias"], np.float32)
    outputs, inputs, high, wide = weight.shape
    if inputs != image.shape[2] or bias.shape != (outputs,) or high % 2 == 0 or wide % 2 == 0:
        raise ValueError(f"a layer of the shape {weight.shape} does not fit {image.shape[2]} channels")
    padded = np.pad(image, ((high // 2,) * 2, (wide // 2,) * 2, (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (high, wide), axis=(0, 1))
    return np.tensordot(windows, weight, axes=((2, 3, 4), (1, 2, 3))) + bias


def forward(image, layers):
    for number, layer in enumerate(layers):
        image = convolve(image, layer)
        if number + 1 < len(layers):
            image = np.maximum(image, 0)
    odds = np.exp(image - image.max(axis=2, keepdims=True))
    return odds / odds.sum(axis=2, keepdims=True)


def segment(image, layers):
    """The class and the probability of each pixel, strip by strip with the rows around it that the layers see."""
    margin = sum(len(layer["weight"][0][0]) // 2 for layer in layers)
    rows = image.shape[0]
    classes, sure = [], []
    for top in range(0, rows, STRIP):
        bottom = min(top + STRIP, rows)
        first, last = max(top - margin, 0), min(bottom + margin, rows)
        odds = forward(image[first:last], layers)[top - first : bottom - first]
        classes.append(odds.argmax(axis=2).astype(np.uint8))
        sure.append(odds.max(axis=2))
        print(f"rows {top} to {bottom} of {rows}", flush=True)
    return np.concatenate(classes), np.concatenate(sure)


def plot(tile, classes, legend, shares):
    """The tile, its classes, and below them what the colours mean."""
    palette = np.array([Image.new("RGB", (1, 1), one["colour"]).getpixel((0, 0)) for one in legend], np.uint8)
    width, height = tile.size
    line = 16
    sheet = Image.new("RGB", (2 * width + 8, height + 8 + line * len(legend)), "white")
    sheet.paste(tile, (0, 0))
    sheet.paste(Image.fromarray(palette[classes]), (width + 8, 0))
    draw = ImageDraw.Draw(sheet)
    for number, one in enumerate(legend):
        top = height + 8 + number * line
        draw.rectangle((2, top + 2, 12, top + 12), fill=one["colour"], outline="black")
        draw.text((18, top + 1), f"{one['name']} {100 * shares[number]:.1f} %", fill="black")
    return sheet


def main():
    with open(sys.argv[2], encoding="utf-8") as file:
        model = json.load(file)
    tile = Image.open(sys.argv[1]).convert("RGB")
    image = np.asarray(tile, np.float32) / model["scale"]
    classes, sure = segment(image, model["layers"])
    legend = model["classes"]
    shares = np.bincount(classes.ravel(), minlength=len(legend)) / classes.size
    result = {
        "width": tile.width,
        "height": tile.height,
        "classes": {one["name"]: round(float(share), 6) for one, share in zip(legend, shares, strict=True)},
        "confidence": round(float(sure.mean()), 6),
    }
    Image.fromarray(classes).save("classes.png")
    plot(tile, classes, legend, shares).save("plot.png")
    with open("result.json", "w", encoding="utf-8") as file:
        json.dump(result, file)
    print(f"{tile.width} x {tile.height} pixels, {100 * sure.mean():.1f} % sure")


main()
