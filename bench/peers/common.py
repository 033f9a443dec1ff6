"""What all peers share: the data, the protocol, the clock.

A peer is one process. It prints one JSON line when its libraries are loaded
(before it reads any data), then answers each line on standard input by one
JSON line on standard output:

    first SEED        build the network and run its first training step: {"seconds"}
    epoch SEED        one shuffled epoch: {"seconds", "loss"}; a new SEED starts a new network
    evaluate          the test set: {"loss", "accuracy"}
    step N            N training steps on 32 rows: {"seconds": median of one step}
    predict ROWS N    N predictions by the library's usual call: {"seconds": median of one}
    call ROWS N       the same by the library's quickest plain call
    memory            {"peak_rss_bytes"} since the process began
    quit

Whatever a library itself prints goes to standard error.
"""

import argparse
import gzip
import json
import os
import sys
import time

BATCH = 32
HIDDEN = 128
CLASSES = 10
DROP = 0.2
RATE = 1e-3
EPSILON = 1e-7  # Keras's; PyTorch's own default is 1e-8
EPOCHS = 5


def arguments():
    """Threads and data folder; called before the library is imported, since
    several read their environment at import."""
    p = argparse.ArgumentParser()
    p.add_argument("-data", required=True, help="folder of the four MNIST IDX files")
    p.add_argument("-threads", type=int, default=2)
    a = p.parse_args()
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC"):
        os.environ[name] = str(a.threads)
    return a


def load(folder):
    """Both parts of MNIST as uint8 images (n,28,28) and labels (n)."""
    import numpy as np

    def read(name):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            raw = open(path, "rb").read()
        else:
            raw = gzip.open(path + ".gz", "rb").read()
        dims = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(raw[3])]
        return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(dims)

    return (
        (read("train-images-idx3-ubyte"), read("train-labels-idx1-ubyte")),
        (read("t10k-images-idx3-ubyte"), read("t10k-labels-idx1-ubyte")),
    )


def weights(seed):
    """Glorot-uniform kernels (in,out) and zero biases, as Keras starts them."""
    import numpy as np

    rng = np.random.default_rng(seed)

    def glorot(n, m):
        limit = (6 / (n + m)) ** 0.5
        return rng.uniform(-limit, limit, (n, m)).astype(np.float32)

    zeros = lambda n: np.zeros(n, np.float32)
    return glorot(784, HIDDEN), zeros(HIDDEN), glorot(HIDDEN, CLASSES), zeros(CLASSES)


def median_time(f, n, warm=20):
    """Median seconds of one call of f, of n calls after warm ones."""
    for _ in range(warm):
        f()
    times = []
    for _ in range(n):
        t = time.perf_counter()
        f()
        times.append(time.perf_counter() - t)
    times.sort()
    return times[n // 2]


def peak_rss():
    """Peak resident bytes of this process."""
    try:
        for line in open("/proc/self/status"):
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


class Peer:
    """A peer overrides what it can do; `can` lists the commands."""

    can = ("first", "epoch", "evaluate", "step", "predict", "call")
    seed = None

    def __init__(self, args):
        self.args = args

    def read(self):
        """Called once, before the first command that needs data."""

    def build(self, seed):
        """A new network with a new optimizer."""

    def first(self):
        """The first training step of a new network, to its end."""

    def epoch(self):
        """One epoch; returns (seconds, mean training loss)."""

    def evaluate(self):
        """Returns (loss, accuracy) on the test set."""

    def stepper(self):
        """Returns a function that runs one training step to its end."""

    def predictor(self, rows):
        """Returns a function that predicts rows images by the usual call."""

    def caller(self, rows):
        """Returns a function that predicts rows images by the quickest plain call."""
        return self.predictor(rows)


def timed_epoch(f):
    """Seconds of f(), with its result."""
    t = time.perf_counter()
    loss = f()
    return time.perf_counter() - t, loss


def serve(peer, versions, import_seconds):
    """The protocol. Standard output is kept for replies alone."""
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    say = lambda **reply: print(json.dumps(reply), file=out)
    say(versions=versions, import_seconds=import_seconds, can=peer.can, threads=peer.args.threads)
    data = False
    for line in sys.stdin:
        name, *rest = line.split() or [""]
        if name == "quit":
            break
        if name == "memory":
            say(peak_rss_bytes=peak_rss())
            continue
        if name not in peer.can:
            say(error=f"{name}: not a command of this peer")
            continue
        try:
            if not data:
                peer.read()
                data = True
            say(**answer(peer, name, [int(a) for a in rest]))
        except Exception as e:  # the reply says what went wrong; the caller leaves the figure out
            import traceback

            traceback.print_exc()
            say(error=f"{name}: {type(e).__name__}: {e}")


def answer(peer, name, args):
    if name in ("step", "predict", "call") and peer.seed is None:
        peer.build(1)
        peer.seed = 1
    if name == "first":
        t = time.perf_counter()
        peer.build(args[0])
        peer.first()
        seconds = time.perf_counter() - t
        peer.seed = None
        return {"seconds": seconds}
    if name == "epoch":
        if peer.seed != args[0]:
            peer.build(args[0])
            peer.seed = args[0]
        seconds, loss = peer.epoch()
        return {"seconds": seconds, "loss": loss}
    if name == "evaluate":
        loss, accuracy = peer.evaluate()
        return {"loss": loss, "accuracy": accuracy}
    if name == "step":
        return {"seconds": median_time(peer.stepper(), args[0])}
    f = peer.predictor(args[0]) if name == "predict" else peer.caller(args[0])
    return {"seconds": median_time(f, args[1])}
