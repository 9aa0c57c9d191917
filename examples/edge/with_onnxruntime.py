"""Which digits are these? python with_onnxruntime.py dist/digits/onnx/digits.onnx IMAGES.npz"""

import sys

import numpy as np
import onnxruntime

images = np.load(sys.argv[2])["in_image"]
session = onnxruntime.InferenceSession(sys.argv[1])
print(*session.run(["digit"], {"image": images})[0].argmax(axis=1))
