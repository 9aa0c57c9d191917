"""Which digits are these? python with_litert.py dist/digits/tflite/digits.tflite IMAGES.npz"""

import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter

images = np.load(sys.argv[2])["in_image"]
classify = Interpreter(sys.argv[1]).get_signature_runner("serving_default")
print(*classify(image=images)["digit"].argmax(axis=1))
