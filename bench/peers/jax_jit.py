"""JAX: the training step jitted, its state donated, batches gathered inside it."""

import os
import time

from common import BATCH, DROP, EPSILON, RATE, Peer, arguments, load, serve, timed_epoch, weights

args = arguments()
os.environ["JAX_PLATFORMS"] = "cpu"
if args.threads == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
t0 = time.perf_counter()
import jax
import jaxlib
from jax import numpy as jnp

IMPORT = time.perf_counter() - t0

# XLA's own generator: quicker on a processor than JAX's default, threefry.
KEYS = os.environ.get("KUN_BENCH_JAX_KEYS", "unsafe_rbg")


def forward(w, x, key=None):
    w1, b1, w2, b2 = w
    h = jax.nn.relu(x @ w1 + b1)
    if key is not None:
        keep = jax.random.bernoulli(key, 1 - DROP, h.shape)
        h = jnp.where(keep, h / (1 - DROP), 0)
    return h @ w2 + b2


def cross_entropy(logits, y):
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1).mean()


def update(state, x, y):
    """One step of Adam; state is (weights, m, v, step, key)."""
    w, m, v, t, key = state
    loss, g = jax.value_and_grad(lambda w: cross_entropy(forward(w, x, jax.random.fold_in(key, t)), y))(w)
    t = t + 1
    f = t.astype(jnp.float32)
    rate = RATE * jnp.sqrt(1 - 0.999**f) / (1 - 0.9**f)
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
    w = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + EPSILON), w, m, v)
    return (w, m, v, t, key), loss


class Jit(Peer):
    def read(self):
        (x, y), (tx, ty) = load(self.args.data)
        pixels = lambda a: jnp.asarray(a.reshape(-1, 784).astype("float32") / 255)
        self.x, self.y = pixels(x), jnp.asarray(y.astype("int32"))
        self.tx, self.ty = pixels(tx), jnp.asarray(ty.astype("int32"))

    def build(self, seed):
        w = tuple(jnp.asarray(a) for a in weights(seed))
        m, v = (jax.tree.map(jnp.zeros_like, w) for _ in range(2))
        self.state = (w, m, v, jnp.zeros((), jnp.int32), jax.random.key(seed, impl=KEYS))
        self.order_key = jax.random.key(seed + 1000)
        # Fresh functions, so that a fresh network compiles anew.
        self.step = jax.jit(lambda s, x, y: update(s, x, y), donate_argnums=0)

        def gathered(state, total, x, y, order, i):
            rows = jax.lax.dynamic_slice(order, (i * BATCH,), (BATCH,))
            state, loss = update(state, x[rows], y[rows])
            return state, total + loss, i + 1

        self.gathered = jax.jit(gathered, donate_argnums=(0, 1, 5))
        self.make_epoch()

    def make_epoch(self):
        pass

    def first(self):
        self.state, loss = self.step(self.state, self.x[:BATCH], self.y[:BATCH])
        loss.block_until_ready()

    def shuffled(self):
        self.order_key, k = jax.random.split(self.order_key)
        return jax.random.permutation(k, len(self.x))

    def epoch(self):
        return timed_epoch(self.run_epoch)

    def run_epoch(self):
        order, steps = self.shuffled(), len(self.x) // BATCH
        state, total, i = self.state, jnp.zeros(()), jnp.zeros((), jnp.int32)
        for _ in range(steps):
            state, total, i = self.gathered(state, total, self.x, self.y, order, i)
        self.state = state
        return float(total) / steps

    def evaluate(self):
        logits = jax.jit(forward)(self.state[0], self.tx)
        return float(cross_entropy(logits, self.ty)), float((logits.argmax(1) == self.ty).mean())

    def stepper(self):
        x, y = self.x[:BATCH] + 0, self.y[:BATCH] + 0

        def step():
            self.state, loss = self.step(self.state, x, y)
            loss.block_until_ready()

        return step

    def predictor(self, rows):
        w, x = self.state[0], self.tx[:rows] + 0
        f = jax.jit(lambda w, x: jax.nn.softmax(forward(w, x)))
        return lambda: f(w, x).block_until_ready()


if __name__ == "__main__":
    serve(Jit(args), {"jax": jax.__version__, "jaxlib": jaxlib.__version__}, IMPORT)
