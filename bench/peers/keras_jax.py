"""Keras 3 on JAX: keras_tf.py with the other backend."""

import os

os.environ["KERAS_BACKEND"] = "jax"

from common import serve
from keras_tf import IMPORT, Keras, args, backend, keras

if __name__ == "__main__":
    serve(Keras(args), {"keras": keras.__version__, "jax": backend.__version__}, IMPORT)
