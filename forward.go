package kun

import (
	"fmt"
	"reflect"

	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/tensor"
)

var tensorType = reflect.TypeFor[*tensor.Tensor]()

// call runs the network's Forward. A network without a fitting one is a *tensor.ShapeError.
func call(net any, in []*tensor.Tensor) []*tensor.Tensor {
	if l, ok := net.(nn.Layer); ok && len(in) == 1 {
		return []*tensor.Tensor{l.Forward(in[0])}
	}
	if p, ok := net.(*saved); ok {
		return p.forward(in)
	}
	f, why := forwardOf(net, len(in))
	if why != "" {
		panic(&tensor.ShapeError{Op: "Forward", Why: why, Hint: "want a method Forward(x *tensor.Tensor, ...) *tensor.Tensor with one operand for each of Model.Inputs"})
	}
	args := make([]reflect.Value, len(in))
	for i, t := range in {
		args[i] = reflect.ValueOf(t)
	}
	var out []*tensor.Tensor
	for _, v := range f.Call(args) {
		out = append(out, v.Interface().(*tensor.Tensor))
	}
	return out
}

// forwardOf finds the method Forward for n operands, or says why there is none.
func forwardOf(net any, n int) (f reflect.Value, why string) {
	v := reflect.ValueOf(net)
	if f = v.MethodByName("Forward"); !f.IsValid() {
		why = fmt.Sprintf("%T has no method Forward", net)
		if v.Kind() == reflect.Struct && reflect.PointerTo(v.Type()).NumMethod() > 0 {
			why += "; hold it by pointer, &" + v.Type().Name() + "{...}"
		}
		return f, why
	}
	t := f.Type()
	if t.NumIn() != n || t.IsVariadic() || t.NumOut() == 0 {
		return f, fmt.Sprintf("the Forward of %T is %v, the model has %d inputs", net, t, n)
	}
	for i := range t.NumIn() {
		if t.In(i) != tensorType {
			return f, fmt.Sprintf("the Forward of %T is %v", net, t)
		}
	}
	for i := range t.NumOut() {
		if t.Out(i) != tensorType {
			return f, fmt.Sprintf("the Forward of %T is %v", net, t)
		}
	}
	return f, ""
}
