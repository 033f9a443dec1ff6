"""Keras 3 on TensorFlow: the MNIST quick-start as its page shows it, through
model.fit. KERAS_BACKEND=jax runs the same on JAX."""

import os
import threading
import time

from common import BATCH, CLASSES, DROP, EPOCHS, EPSILON, HIDDEN, RATE, Peer, arguments, load, serve

args = arguments()
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["JAX_PLATFORMS"] = "cpu"
t0 = time.perf_counter()
if os.environ["KERAS_BACKEND"] == "tensorflow":
    import tensorflow as backend

    backend.config.threading.set_intra_op_parallelism_threads(args.threads)
    backend.config.threading.set_inter_op_parallelism_threads(args.threads)
else:
    import jax as backend
import keras

IMPORT = time.perf_counter() - t0


class EpochByEpoch(keras.callbacks.Callback):
    """Lets model.fit run one epoch each time it is asked, so that its setup
    is paid once, as in a plain run, yet other peers can run between epochs."""

    def __init__(self):
        super().__init__()
        self.go, self.done = threading.Semaphore(0), threading.Semaphore(0)
        self.error = None

    def on_epoch_begin(self, epoch, logs=None):
        self.go.acquire()

    def on_epoch_end(self, epoch, logs=None):
        self.loss = float(logs["loss"])
        self.done.release()


class Keras(Peer):
    gate = None

    def read(self):
        (x, self.y), (tx, self.ty) = load(self.args.data)
        self.x, self.tx = x / 255.0, tx / 255.0  # as the page does

    def build(self, seed):
        keras.utils.set_random_seed(seed)
        self.model = keras.Sequential(
            [
                keras.layers.Input((28, 28)),
                keras.layers.Flatten(),
                keras.layers.Dense(HIDDEN, activation="relu"),
                keras.layers.Dropout(DROP),
                keras.layers.Dense(CLASSES, activation="softmax"),
            ]
        )
        self.model.compile(
            optimizer=keras.optimizers.Adam(RATE, epsilon=EPSILON),
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        self.left = 0

    def first(self):
        self.model.train_on_batch(self.x[:BATCH], self.y[:BATCH])

    def epoch(self):
        t = time.perf_counter()
        if self.left == 0:
            self.left, self.gate = EPOCHS, EpochByEpoch()
            threading.Thread(target=self.fit, args=(self.gate,), daemon=True).start()
        self.left -= 1
        self.gate.go.release()
        if not self.gate.done.acquire(timeout=600):
            raise RuntimeError("no epoch within ten minutes")
        if self.gate.error:
            raise self.gate.error
        return time.perf_counter() - t, self.gate.loss

    def fit(self, gate):
        try:
            self.model.fit(
                self.x, self.y, batch_size=BATCH, epochs=EPOCHS, verbose=0, callbacks=[gate]
            )
        except Exception as e:  # epoch raises it where it is seen
            gate.error = e
            gate.done.release()

    def evaluate(self):
        loss, accuracy = self.model.evaluate(self.tx, self.ty, verbose=0)
        return float(loss), float(accuracy)

    def stepper(self):
        x, y = self.x[:BATCH].astype("float32"), self.y[:BATCH]
        return lambda: self.model.train_on_batch(x, y)

    def predictor(self, rows):
        x = self.tx[:rows].astype("float32")
        return lambda: self.model.predict(x, verbose=0)

    def caller(self, rows):
        x = self.tx[:rows].astype("float32")
        return lambda: keras.ops.convert_to_numpy(self.model(x, training=False))


if __name__ == "__main__":
    name = os.environ["KERAS_BACKEND"]
    serve(Keras(args), {"keras": keras.__version__, name: backend.__version__}, IMPORT)
