"""JAX: a whole epoch as one compiled program, a scan over the batches."""

from common import BATCH, serve
from jax_jit import IMPORT, Jit, args, jax, jaxlib, update


class Scan(Jit):
    can = ("first", "epoch", "evaluate")  # a single step and a prediction are jax_jit's

    def make_epoch(self):
        def epoch(state, x, y, order):
            def body(state, rows):
                return update(state, x[rows], y[rows])

            state, losses = jax.lax.scan(body, state, order)
            return state, losses.mean()

        self.whole = jax.jit(epoch, donate_argnums=0)

    def first(self):
        """A scanned epoch of one step: the time to compile, and that step."""
        order = jax.numpy.arange(BATCH).reshape(1, BATCH)
        self.state, loss = self.whole(self.state, self.x, self.y, order)
        loss.block_until_ready()

    def run_epoch(self):
        steps = len(self.x) // BATCH
        order = self.shuffled()[: steps * BATCH].reshape(steps, BATCH)
        self.state, loss = self.whole(self.state, self.x, self.y, order)
        return float(loss)


if __name__ == "__main__":
    serve(Scan(args), {"jax": jax.__version__, "jaxlib": jaxlib.__version__}, IMPORT)
