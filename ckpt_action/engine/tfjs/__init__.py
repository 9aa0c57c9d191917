"""The graph-model format of TensorFlow.js: `model.json` and shards of weights, written and read."""
