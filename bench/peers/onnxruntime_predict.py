"""ONNX Runtime: the quick-start network's prediction, with the batch's
dimension left open; the input is float32, already rescaled."""

import time

from common import CLASSES, Peer, arguments, load, serve, weights

args = arguments()
t0 = time.perf_counter()
import onnxruntime

IMPORT = time.perf_counter() - t0


def model(seed):
    """The network as a serialised ONNX model."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    names = ("w1", "b1", "w2", "b2")
    nodes = [
        helper.make_node("Gemm", ["x", "w1", "b1"], ["a"]),
        helper.make_node("Relu", ["a"], ["h"]),
        helper.make_node("Gemm", ["h", "w2", "b2"], ["z"]),
        helper.make_node("Softmax", ["z"], ["p"], axis=-1),
    ]
    graph = helper.make_graph(
        nodes,
        "quickstart",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 784])],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, ["n", CLASSES])],
        [numpy_helper.from_array(a, n) for n, a in zip(names, weights(seed))],
    )
    m = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(m)
    return m.SerializeToString()


class ONNX(Peer):
    can = ("predict", "call")

    def read(self):
        _, (tx, _) = load(self.args.data)
        self.tx = tx.reshape(-1, 784).astype("float32") / 255

    def build(self, seed):
        o = onnxruntime.SessionOptions()
        o.intra_op_num_threads = self.args.threads
        o.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(model(seed), o, providers=["CPUExecutionProvider"])

    def predictor(self, rows):
        session, x = self.session, self.tx[:rows].copy()
        return lambda: session.run(["p"], {"x": x})

    def caller(self, rows):
        """The session's C++ object without the checks of its Python wrapper, inputs
        and output bound once."""
        session = self.session
        x = onnxruntime.OrtValue.ortvalue_from_numpy(self.tx[:rows].copy())
        p = onnxruntime.OrtValue.ortvalue_from_shape_and_type([rows, CLASSES], "float32")
        bound = session.io_binding()
        bound.bind_ortvalue_input("x", x)
        bound.bind_ortvalue_output("p", p)
        return lambda: session.run_with_iobinding(bound)


if __name__ == "__main__":
    serve(ONNX(args), {"onnxruntime": onnxruntime.__version__}, IMPORT)
