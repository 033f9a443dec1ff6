package cpu

import (
	"math"
	"strings"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/tensor"
)

// rule makes the step of a structural operation; false sends the node to its reference.
type rule func(c *compiler, n *tensor.Node) bool

var nan = math.NaN()

var rules = map[string]rule{}

func init() {
	for name, r := range map[string]rule{
		"MatMul": ruleMatMul, "Cast": ruleCast, "Reshape": ruleView, "StopGradient": ruleView, "Sum": ruleSum, "Mean": ruleSum, "Softmax": ruleRow, "LogSoftmax": ruleRow, "SoftmaxGrad": ruleRow, "LogSumExp": ruleLogSumExp,
		"SparseCrossEntropy": ruleSparseCE, "SparseCrossEntropyGrad": ruleSparseCEGrad, "AdamUpdate": ruleAdam,
		"RandomBernoulli": ruleBernoulli, "ArgMax": ruleArg, "ArgMin": ruleArg, "CumSum": ruleCumSum, "TopK": ruleTopK, "Scan": ruleScan,
		"Max": ruleFold, "Min": ruleFold, "Prod": ruleFold, "Transpose": ruleTranspose, "BroadcastTo": ruleBroadcast,
		"Slice": ruleSlice, "Unslice": ruleSlice, "Concat": ruleConcat, "Pad": rulePad, "MeanGrad": ruleMeanGrad,
		"Take": ruleTake, "ScatterAddRows": ruleScatterRows, "OneHot": rulePick, "GatherLast": rulePick, "ScatterLast": rulePick,
	} {
		rules[name] = r
	}
}

func (c *compiler) emit(n *tensor.Node) error {
	switch n.Op.Name {
	case "Const", "Fill", "HostScalar":
		return nil
	}
	if r := rules[n.Op.Name]; r != nil && r(c, n) {
		return c.err
	}
	if !c.emitIntegers(n) && !c.emitGeneric(n) {
		c.emitSlow(n)
	}
	return nil
}

func allFloat32(n *tensor.Node) bool {
	for i := range n.NumOut() {
		if n.Type(i).DType != array.Float32 {
			return false
		}
	}
	for _, t := range n.In {
		if t.DType() != array.Float32 {
			return false
		}
	}
	return true
}

// add appends a step that reads the operands of n and writes its outputs.
func (c *compiler) add(n *tensor.Node, bind func(in *instance) func()) *step {
	s := step{name: n.Op.Name, label: n.Label, nodes: []*tensor.Node{n}, writes: c.values[n.ID()], bind: bind}
	for _, t := range n.In {
		s.reads = append(s.reads, c.at(t))
	}
	c.steps = append(c.steps, s)
	return &c.steps[len(c.steps)-1]
}

// ruleView gives the output the operand's memory.
func ruleView(c *compiler, n *tensor.Node) bool {
	v := c.values[n.ID()][0]
	v.alias = c.at(n.In[0])
	r := v.root()
	v.place, v.index = r.place, r.index
	return true
}

// levelsDiffer are the operations whose bits are not the same at AVX-512, AVX2 and NEON. Normal numbers are made with the
// logarithm, sine and cosine of package math, which differ between architectures.
var levelsDiffer = map[string]bool{"RandomNormal": true}

// SameBits reports whether an operation gives the same bits at all vector levels (AVX-512, AVX2, NEON); the plain Go level
// has bits of its own.
func SameBits(op *tensor.Op) bool { return !levelsDiffer[op.Name] }

// How tells how an operation runs in float32: "tile", "rule" or "by reference". A rule may leave rare shapes to the reference;
// Stats().SlowOps of a compiled program tells.
func How(op *tensor.Op) string {
	switch {
	case op.Class == tensor.Source && rules[op.Name] == nil && !strings.HasPrefix(op.Name, "Random"):
		return "-"
	case op.Class == tensor.Elementwise && (hasTile(op.Name) || op.Name == "Cast"):
		return "tile"
	case rules[op.Name] != nil:
		return "rule"
	}
	return "by reference"
}
