"""PyTorch with torch.compile: loss, gradient and Adam in one compiled function
(measured quicker than compiling loss and optimizer.step apart)."""

import os
import tempfile
import time

from common import DROP, EPSILON, RATE, arguments, serve, timed_epoch

args = arguments()
cache = tempfile.TemporaryDirectory()  # compile for real, not from an earlier run's cache
os.environ["TORCHINDUCTOR_CACHE_DIR"] = cache.name
t0 = time.perf_counter()
import torch
from torch.nn import functional as F

IMPORT = time.perf_counter() - t0

from torch_eager import Eager


class Compiled(Eager):
    def make_step(self):
        torch._dynamo.reset()
        ws = [p.detach() for p in self.net.parameters()]  # the network's own memory
        ms, vs = ([torch.zeros_like(w) for w in ws] for _ in range(2))
        t = torch.zeros(())

        def loss_of(ws, x, y):
            w1, b1, w2, b2 = ws
            h = F.dropout(F.relu(F.linear(x, w1, b1)), DROP)
            return F.cross_entropy(F.linear(h, w2, b2), y)

        @torch.compile
        def step(x, y):
            grads, loss = torch.func.grad_and_value(loss_of)(ws, x, y)
            t.add_(1)
            rate = RATE * torch.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            for w, m, v, g in zip(ws, ms, vs, grads):
                m.lerp_(g, 0.1)
                v.mul_(0.999).addcmul_(g, g, value=0.001)
                w.sub_(rate * m / (v.sqrt() + EPSILON))
            return loss

        return step

    def epoch(self):
        with torch.no_grad():  # the compiled function brings its own gradient
            return timed_epoch(self.run_epoch)


if __name__ == "__main__":
    serve(Compiled(args), {"torch": torch.__version__}, IMPORT)
