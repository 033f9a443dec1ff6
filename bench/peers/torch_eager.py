"""PyTorch, eager: the whole set in one float32 tensor, rows gathered by index
(no DataLoader: it is several times slower), fused Adam, logits."""

import time

from common import BATCH, CLASSES, DROP, EPSILON, HIDDEN, RATE, Peer, arguments, load, serve, timed_epoch, weights

args = arguments()
t0 = time.perf_counter()
import torch
from torch.nn import functional as F

IMPORT = time.perf_counter() - t0
torch.set_num_threads(args.threads)


class Eager(Peer):
    def read(self):
        (x, y), (tx, ty) = load(self.args.data)
        pixels = lambda a: torch.from_numpy(a.reshape(-1, 784).copy()).float().div_(255)
        self.x, self.y = pixels(x), torch.from_numpy(y.astype("int64"))
        self.tx, self.ty = pixels(tx), torch.from_numpy(ty.astype("int64"))

    def build(self, seed):
        torch.manual_seed(seed)
        nn = torch.nn
        net = nn.Sequential(nn.Linear(784, HIDDEN), nn.ReLU(), nn.Dropout(DROP), nn.Linear(HIDDEN, CLASSES))
        w1, b1, w2, b2 = (torch.from_numpy(a) for a in weights(seed))
        with torch.no_grad():
            net[0].weight.copy_(w1.T)
            net[0].bias.copy_(b1)
            net[3].weight.copy_(w2.T)
            net[3].bias.copy_(b2)
        self.net = net
        self.opt = torch.optim.Adam(net.parameters(), lr=RATE, eps=EPSILON, fused=True)
        self.step = self.make_step()

    def make_step(self):
        net, opt = self.net, self.opt

        def step(x, y):
            opt.zero_grad(set_to_none=True)
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            opt.step()
            return loss.detach()

        return step

    def first(self):
        self.net.train()
        self.step(self.x[:BATCH], self.y[:BATCH]).item()

    def epoch(self):
        self.net.train()
        return timed_epoch(self.run_epoch)

    def run_epoch(self):
        total = torch.zeros(())
        order = torch.randperm(len(self.x))
        for rows in order.split(BATCH):
            loss = self.step(self.x.index_select(0, rows), self.y.index_select(0, rows))
            total += loss
        return total.item() / -(-len(order) // BATCH)

    def evaluate(self):
        self.net.eval()
        with torch.inference_mode():
            logits = self.net(self.tx)
            accuracy = (logits.argmax(1) == self.ty).float().mean()
            return F.cross_entropy(logits, self.ty).item(), accuracy.item()

    def stepper(self):
        self.net.train()
        x, y = self.x[:BATCH].clone(), self.y[:BATCH].clone()
        return lambda: self.step(x, y)

    def predictor(self, rows):
        self.net.eval()
        net, x = self.net, self.tx[:rows].clone()

        def predict():
            with torch.inference_mode():
                return torch.softmax(net(x), -1)

        return predict


if __name__ == "__main__":
    serve(Eager(args), {"torch": torch.__version__}, IMPORT)
